import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../kube/errors.ts';
import type { Metrics } from './metrics.ts';

/** Prometheus, the kubelet and a person or two. */
const CONNECTIONS_MAX = 64;
const REQUEST_MS_MAX = 10_000;

export interface TelemetryOptions {
  /** 0 takes any free port. */
  port: number;
  host: string;
  metrics: Metrics;
  /** Why the process should be restarted; undefined while it is sound. */
  healthz(): string | undefined;
  /** Why it is not ready; undefined while it is. */
  readyz(): string | undefined;
}

export interface TelemetryServer extends AsyncDisposable {
  port: number;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  text: string;
  contentType?: string;
}

/** Serves `/metrics`, `/healthz` and `/readyz`. Rejects when the port is taken. */
export async function serveTelemetry(options: TelemetryOptions): Promise<TelemetryServer> {
  const server = createServer(
    { requestTimeout: REQUEST_MS_MAX, headersTimeout: REQUEST_MS_MAX },
    (request, response) => {
      void answer(options, request)
        .catch((error: unknown) => ({ status: 500, text: messageOf(error) }))
        .then((answered) => send(request, response, answered));
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(options.port, options.host, listening);
  });
  const close = () =>
    new Promise<void>((closed) => {
      server.close(() => closed());
      server.closeAllConnections();
    });
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close };
}

async function answer(
  { metrics, healthz, readyz }: TelemetryOptions,
  request: IncomingMessage,
): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, text: 'only GET and HEAD' };
  switch (request.url?.split('?')[0]) {
    case '/metrics':
      return { status: 200, ...(await metrics.exposition()) };
    case '/healthz':
      return health(healthz());
    case '/readyz':
      return health(readyz());
    default:
      return { status: 404, text: 'there are /metrics, /healthz and /readyz' };
  }
}

function health(wrong: string | undefined): Answer {
  return wrong === undefined ? { status: 200, text: 'ok' } : { status: 503, text: wrong };
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, text, contentType }: Answer,
): void {
  const body = contentType ? text : `${text}\n`;
  response.writeHead(status, {
    'content-type': contentType ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...(status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
