// The embedded API on a loopback port, for kubectl and other processes.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parse as parseYaml, stringify as stringifyYaml } from 'yaml';
import type { KubeRequest, KubeResponse, Method } from '../../platform/kube/transport.ts';
import { refusalOf } from './handle.ts';
import type { Backend, Source } from './in-process.ts';
import { ApiError, badRequest } from './status.ts';

/** As the real server: 3 MiB. */
const BODY_SIZE_BYTES_MAX = 3 * 1024 * 1024;
const CLUSTER_NAME = 'drover-embedded';

export interface ServeOptions {
  /** 0: any free port. */
  port?: number;
  host?: string;
  /** User by bearer token. Without tokens everybody on this machine is let in. */
  tokens?: Readonly<Record<string, string>>;
}

export interface Served {
  url: string;
  /** YAML; holds the first token. */
  kubeconfig: string;
  close(): Promise<void>;
}

export async function serve(backend: Backend, options: ServeOptions): Promise<Served> {
  const { port = 0, host = '127.0.0.1', tokens } = options;
  const sources = new Set<Source>();
  const server = createServer((message, response) => {
    respond(backend, tokens, sources, message, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else write(response, failureOf(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  return {
    url,
    kubeconfig: kubeconfigOf(url, tokens && Object.keys(tokens)[0]),
    close: () => {
      for (const source of sources) source.end();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/**
 * kubectl sends no credentials over plain HTTP, whatever its kubeconfig says; but it keeps the path of
 * the server's address. So the token goes in there: `/as/TOKEN/api/v1/nodes`.
 */
const TOKEN_PATH = /^\/as\/([^/]+)(\/.*)?$/;

function kubeconfigOf(url: string, token: string | undefined): string {
  const server = token === undefined ? url : `${url}/as/${encodeURIComponent(token)}`;
  return stringifyYaml({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: CLUSTER_NAME, cluster: { server } }],
    users: [{ name: CLUSTER_NAME, user: {} }],
    contexts: [{ name: CLUSTER_NAME, context: { cluster: CLUSTER_NAME, user: CLUSTER_NAME } }],
    'current-context': CLUSTER_NAME,
  });
}

function failureOf(error: unknown): KubeResponse {
  if (error instanceof ApiError) return refusalOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return refusalOf(new ApiError(500, 'InternalError', `Internal error occurred: ${message}`));
}

async function respond(
  backend: Backend,
  tokens: ServeOptions['tokens'],
  sources: Set<Source>,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // The fleet's time, which need not be this host's.
  response.setHeader('date', new Date(backend.clock.now()).toUTCString());
  const user = userOf(message, tokens);
  const request = await requestOf(message);
  const { watch } = request.query ?? {};
  if (request.method !== 'GET' || (watch !== 'true' && watch !== '1')) {
    return write(response, backend.handle(request, user));
  }
  const source = backend.watch(request);
  if ('status' in source) return write(response, source);
  sources.add(source);
  response.once('close', () => {
    source.end();
    sources.delete(source);
  });
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  await pump(source, response);
}

/** The token's user; over HTTP the field manager is the program's name, as in the real server. */
function userOf(message: IncomingMessage, tokens: ServeOptions['tokens']): string {
  const agent = message.headers['user-agent']?.split('/')[0];
  if (!tokens) return agent || 'unknown';
  const inPath = TOKEN_PATH.exec(message.url ?? '')?.[1];
  const inHeader = /^Bearer (.+)$/.exec(message.headers.authorization ?? '')?.[1];
  const token = inPath === undefined ? inHeader : decodeURIComponent(inPath);
  const user = token === undefined ? undefined : tokens[token];
  if (user === undefined) throw new ApiError(401, 'Unauthorized', 'Unauthorized');
  return agent || user;
}

async function requestOf(message: IncomingMessage): Promise<KubeRequest> {
  const url = new URL(message.url ?? '/', 'http://localhost');
  const contentType = message.headers['content-type'] ?? 'application/json';
  const text = await textOf(message);
  return {
    method: message.method as Method,
    path: url.pathname.replace(TOKEN_PATH, '$2') || '/',
    query: Object.fromEntries(url.searchParams),
    ...(message.headers.accept ? { accept: message.headers.accept } : {}),
    contentType,
    ...(text === '' ? {} : { body: bodyOf(text, contentType) }),
  };
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size_bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size_bytes += chunk.length;
    if (size_bytes > BODY_SIZE_BYTES_MAX) {
      throw new ApiError(
        413,
        'RequestEntityTooLarge',
        `Request entity too large: limit is ${BODY_SIZE_BYTES_MAX}`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function bodyOf(text: string, contentType: string): unknown {
  if (contentType.includes('protobuf')) {
    throw new ApiError(415, 'UnsupportedMediaType', 'the embedded API does not support protobuf: send JSON');
  }
  try {
    return contentType.includes('yaml') ? parseYaml(text) : JSON.parse(text);
  } catch (error) {
    throw badRequest(
      `the body could not be parsed: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function write(response: ServerResponse, { status, headers, body }: KubeResponse): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { ...headers });
  response.end(text);
}

/** Writes events as the reader takes them: a slow reader fills the watcher's queue, not our memory. */
async function pump(source: Source, response: ServerResponse): Promise<void> {
  while (!response.destroyed) {
    const event = source.take();
    if (event === 'end') break;
    if (event === undefined) await new Promise<void>((resolve) => source.onReady(resolve));
    else if (!response.write(`${JSON.stringify(event)}\n`)) {
      await new Promise<void>((resolve) => {
        response.once('drain', resolve);
        response.once('close', resolve);
      });
    }
  }
  response.end();
}
