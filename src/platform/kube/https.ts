// Transport to a real API server: HTTP/1.1 over node:https. A watch holds its connection for minutes,
// so streams have an agent of their own and can never starve requests of sockets.

import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import { type Duplex, pipeline, type Readable } from 'node:stream';
import * as tls from 'node:tls';
import { createGunzip, constants as zlib } from 'node:zlib';
import { type Clock, SECOND } from '../clock/clock.ts';
import {
  type KubeRequest,
  type KubeResponse,
  type KubeStream,
  type Transport,
  TransportError,
} from './transport.ts';

/** Gives up on an answer after this long when the request names no other limit. */
export const REQUEST_TIMEOUT_MS = 30 * SECOND;
/** Requests in flight at once; more wait in line. API servers admit a few hundred for all clients. */
export const REQUEST_SOCKETS_MAX = 64;
/** Watches open at once; more wait in line. */
export const STREAM_SOCKETS_MAX = 256;
/** Largest answer held in memory, inflated. Half of V8's longest string. */
export const BODY_SIZE_BYTES_MAX = 256 * 1024 * 1024;
/** Largest single watch event. etcd stores at most 1.5 MB an object by default. */
export const LINE_SIZE_BYTES_MAX = 16 * 1024 * 1024;
/** The kernel probes a silent connection after this long, then each second, and drops it after ten. */
export const TCP_KEEPALIVE_MS = 15 * SECOND;
/** An unused connection is closed after this long (Go's client: the same). */
export const IDLE_SOCKET_MS = 90 * SECOND;
/** A proxy has this long to open a tunnel. */
export const TUNNEL_TIMEOUT_MS = 30 * SECOND;

/** What proves who we are. A changed client certificate takes effect on new connections. */
export interface Credentials {
  /** Value of the Authorization header. */
  authorization?: string;
  /** Client certificate and its key, PEM. */
  cert?: string;
  key?: string;
}

/**
 * Gives the credentials of now. Called before each request, so it caches. After a 401 it is called with
 * the credentials that were refused: it then gets new ones, unless another request already made it.
 */
export type CredentialSource = (refused?: Credentials) => Promise<Credentials>;

export interface HttpsTransportOptions {
  /** `https://host:port`, with a path before the API's own where a gateway wants one. */
  server: string;
  clock: Clock;
  credentials?: CredentialSource;
  /** PEM of the certificate authorities to trust instead of the system's. */
  ca?: string;
  /** Name to verify the server's certificate against, instead of the host. */
  tlsServerName?: string;
  /** Only ever true because a kubeconfig says so. */
  insecureSkipTlsVerify?: boolean;
  /** HTTP CONNECT proxy: `http://[user:password@]host:port`, or https. */
  proxyUrl?: string;
  userAgent?: string;
  /** Sent with every request, for example Impersonate-User. */
  headers?: Readonly<Record<string, string | string[]>>;
  /** False asks for answers without gzip. */
  compression?: boolean;
  timeout_ms?: number;
  bodySize_bytes_max?: number;
  lineSize_bytes_max?: number;
}

export function httpsTransport(options: HttpsTransportOptions): Transport {
  return new HttpsTransport(options);
}

/** One attempt at a request. */
interface Call {
  response: Promise<http.IncomingMessage>;
  /** Whether the connection had served another request before: it may have died unnoticed. */
  reused(): boolean;
  failure(cause: unknown): TransportError;
  answered(): void;
  end(): void;
}

interface Opened {
  call: Call;
  response: http.IncomingMessage;
}

const NO_CREDENTIALS: Credentials = {};

class HttpsTransport implements Transport {
  readonly #options: HttpsTransportOptions;
  readonly #server: URL;
  readonly #requests: http.Agent;
  readonly #streams: http.Agent;
  /** Sockets whose handshake is over: what is written to them may reach the server. */
  readonly #connected = new WeakSet<Socket>();

  constructor(options: HttpsTransportOptions) {
    this.#options = options;
    this.#server = serverUrl(options.server);
    this.#requests = this.#agent(REQUEST_SOCKETS_MAX);
    this.#streams = this.#agent(STREAM_SOCKETS_MAX);
  }

  async send(request: KubeRequest): Promise<KubeResponse> {
    const { response, body } = await this.#authenticated(request, async (credentials) => {
      const { call, response } = await this.#open(request, credentials, this.#requests);
      const body = await this.#readWhole(call, response);
      return { status: response.statusCode ?? 0, response, body };
    });
    return { status: response.statusCode ?? 0, headers: plainHeaders(response.headers), body };
  }

  async stream(request: KubeRequest): Promise<KubeStream> {
    const { status, call, response, body } = await this.#authenticated(request, async (credentials) => {
      const { call, response } = await this.#open(request, credentials, this.#streams);
      const status = response.statusCode ?? 0;
      const body = status < 400 ? undefined : await this.#readWhole(call, response);
      return { status, call, response, body };
    });
    if (status >= 400) return { status, refusal: body, events: nothing() };
    call.answered();
    return { status, events: this.#events(request, call, response) };
  }

  close(): void {
    for (const agent of [this.#requests, this.#streams]) {
      agent.maxFreeSockets = 0; // what is in flight closes its connection when done
      for (const sockets of Object.values(agent.freeSockets))
        for (const socket of sockets ?? []) socket.destroy();
    }
  }

  /** Tries with the credentials at hand; when these are refused, once more with new ones. */
  async #authenticated<T extends { status: number }>(
    request: KubeRequest,
    attempt: (credentials: Credentials) => Promise<T>,
  ): Promise<T> {
    const credentials = await this.#credentials(request);
    const first = await attempt(credentials);
    if (first.status !== 401) return first;
    const renewed = await this.#credentials(request, credentials);
    return sameCredentials(credentials, renewed) ? first : attempt(renewed);
  }

  async #credentials(request: KubeRequest, refused?: Credentials): Promise<Credentials> {
    try {
      return (await this.#options.credentials?.(refused)) ?? NO_CREDENTIALS;
    } catch (cause) {
      throw new TransportError(`${this.#describe(request)}: ${messageOf(cause)}`, { sent: false, cause });
    }
  }

  /** Resolves when the answer's head is there. */
  async #open(request: KubeRequest, credentials: Credentials, agent: http.Agent): Promise<Opened> {
    const call = this.#start(request, credentials, agent);
    try {
      return { call, response: await call.response };
    } catch (cause) {
      call.end();
      // The server may have closed an idle connection just as we took it. Reading again does no harm, and
      // ends: each try uses up one of the idle connections.
      const stale = call.reused() && isReset(cause) && request.method === 'GET' && !request.signal?.aborted;
      if (!stale) throw call.failure(cause);
    }
    return this.#open(request, credentials, agent);
  }

  #start(request: KubeRequest, credentials: Credentials, agent: http.Agent): Call {
    const { clock } = this.#options;
    const secure = this.#server.protocol === 'https:';
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const outgoing = (secure ? https : http).request({
      agent,
      method: request.method,
      host: unbracketed(this.#server.hostname),
      port: this.#server.port || (secure ? 443 : 80),
      path: this.#target(request),
      headers: this.#headers(request, credentials, body),
      ...(credentials.cert && { cert: credentials.cert, key: credentials.key }),
    });
    let incoming: http.IncomingMessage | undefined;
    let sent = false;
    let reused = false;
    /** Why we ended it ourselves: says more than the reset that follows. */
    let stopped: Error | undefined;
    const stop = (reason: Error) => {
      stopped ??= reason;
      (incoming ?? outgoing).destroy(reason);
    };
    outgoing.on('socket', (socket) => {
      socket.setKeepAlive(true, TCP_KEEPALIVE_MS);
      reused = this.#connected.has(socket);
      if (reused) sent = true;
      else {
        socket.once(secure ? 'secureConnect' : 'connect', () => {
          sent = true;
          this.#connected.add(socket);
        });
      }
    });
    const response = new Promise<http.IncomingMessage>((resolve, reject) => {
      outgoing.on('error', reject);
      outgoing.on('response', (answer) => {
        incoming = answer;
        answer.on('error', () => {}); // whoever reads it sees the error; nobody may be reading
        resolve(answer);
      });
    });
    const timeout_ms = request.timeout_ms ?? this.#options.timeout_ms ?? REQUEST_TIMEOUT_MS;
    const timer = clock.timer(timeout_ms, () => stop(new Error(`no answer within ${timeout_ms} ms`)));
    const { signal } = request;
    const onAbort = () => stop(new Error('aborted by the caller', { cause: signal?.reason }));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (!signal?.aborted) outgoing.end(body);
    return {
      response,
      reused: () => reused,
      failure: (error) => {
        const cause = stopped ?? error;
        const reached = sent && !isHandshakeRefusal(cause);
        return new TransportError(`${this.#describe(request)}: ${messageOf(cause)}`, {
          sent: reached,
          cause,
        });
      },
      answered: () => timer.cancel(),
      end: () => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      },
    };
  }

  async #readWhole(call: Call, response: http.IncomingMessage): Promise<unknown> {
    const size_max = this.#options.bodySize_bytes_max ?? BODY_SIZE_BYTES_MAX;
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of inflated(response) as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > size_max) {
          throw new Error(
            `the answer is larger than ${size_max} bytes; ask for it in pages (limit, continue)`,
          );
        }
        chunks.push(chunk);
      }
      const text = Buffer.concat(chunks, size).toString('utf8');
      return isJson(response) && text !== '' ? parseJson(text) : text;
    } catch (cause) {
      throw call.failure(cause);
    } finally {
      call.end();
    }
  }

  async *#events(request: KubeRequest, call: Call, response: http.IncomingMessage): AsyncGenerator<unknown> {
    const size_max = this.#options.lineSize_bytes_max ?? LINE_SIZE_BYTES_MAX;
    try {
      for await (const value of jsonLines(inflated(response) as AsyncIterable<Buffer>, size_max)) {
        if (request.signal?.aborted) return;
        yield value;
      }
    } catch (cause) {
      if (!request.signal?.aborted) throw call.failure(cause);
    } finally {
      call.end();
      response.destroy();
    }
  }

  #headers(
    request: KubeRequest,
    credentials: Credentials,
    body: Buffer | undefined,
  ): http.OutgoingHttpHeaders {
    return {
      accept: request.accept ?? 'application/json',
      'user-agent': this.#options.userAgent ?? 'drover',
      ...(this.#options.compression !== false && { 'accept-encoding': 'gzip' }),
      ...(credentials.authorization && { authorization: credentials.authorization }),
      ...(body && {
        'content-type': request.contentType ?? 'application/json',
        'content-length': body.length,
      }),
      ...this.#options.headers,
    };
  }

  #target(request: KubeRequest): string {
    const query = new URLSearchParams(request.query).toString();
    const path = this.#server.pathname.replace(/\/$/, '') + request.path;
    return query ? `${path}?${query}` : path;
  }

  /** Without the query: selectors may be long. */
  #describe(request: KubeRequest): string {
    return `${request.method} ${this.#server.origin}${request.path}`;
  }

  #agent(maxSockets: number): http.Agent {
    const { ca, tlsServerName, insecureSkipTlsVerify, proxyUrl } = this.#options;
    const common = { keepAlive: true, maxSockets, maxFreeSockets: maxSockets, timeout: IDLE_SOCKET_MS };
    if (this.#server.protocol === 'http:') {
      if (proxyUrl) throw new Error('proxy-url needs an https:// server');
      return new http.Agent(common);
    }
    const secure: https.AgentOptions = {
      ...common,
      ALPNProtocols: ['http/1.1'],
      ...(ca && { ca }),
      ...(tlsServerName && { servername: tlsServerName }),
      ...(insecureSkipTlsVerify && { rejectUnauthorized: false }),
    };
    return proxyUrl ? new TunnelAgent(secure, checkedProxyUrl(proxyUrl)) : new https.Agent(secure);
  }
}

type Connected = (error: Error | null, socket: Duplex) => void;

/** Reaches the server through an HTTP proxy: asks it for a tunnel, then speaks TLS inside. */
class TunnelAgent extends https.Agent {
  readonly #proxy: URL;

  constructor(options: https.AgentOptions, proxy: URL) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(options: https.RequestOptions, connected?: Connected): undefined {
    if (!connected) throw new Error('a tunnel takes time: a callback is needed');
    const secure = this.#proxy.protocol === 'https:';
    const host = options.host?.includes(':') ? `[${options.host}]` : options.host;
    const user = decodeURIComponent(this.#proxy.username);
    const password = decodeURIComponent(this.#proxy.password);
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    const request = (secure ? https : http).request({
      agent: false,
      method: 'CONNECT',
      host: unbracketed(this.#proxy.hostname),
      port: this.#proxy.port || (secure ? 443 : 80),
      path: `${host}:${options.port}`,
      headers: { host: `${host}:${options.port}`, ...(user && { 'proxy-authorization': authorization }) },
    });
    const fail = (reason: string) => {
      connected(new Error(`proxy ${this.#proxy.host}: ${reason}`), undefined as never);
    };
    request.setTimeout(TUNNEL_TIMEOUT_MS, () => {
      request.destroy(new Error(`no tunnel within ${TUNNEL_TIMEOUT_MS} ms`));
    });
    request.once('error', (error) => fail(messageOf(error)));
    request.once('response', (answer) => {
      answer.destroy();
      fail(`CONNECT was answered with ${answer.statusCode}`);
    });
    request.once('connect', (answer, socket) => {
      socket.setTimeout(0);
      if (answer.statusCode === 200)
        return connected(null, tls.connect({ ...(options as tls.ConnectionOptions), socket }));
      socket.destroy();
      return fail(`CONNECT was answered with ${answer.statusCode}`);
    });
    request.end();
  }
}

/**
 * One JSON value per line. Lines are cut between bytes, before decoding, so a character that is split
 * between two chunks stays whole.
 */
export async function* jsonLines(
  chunks: AsyncIterable<Buffer>,
  lineSize_bytes_max: number = LINE_SIZE_BYTES_MAX,
): AsyncGenerator<unknown> {
  let head: Buffer[] = [];
  let headSize = 0;
  const check = (size: number) => {
    if (size > lineSize_bytes_max)
      throw new Error(`a line of the stream is longer than ${lineSize_bytes_max} bytes`);
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      check(headSize + to - from);
      const end = chunk.subarray(from, to);
      const line = headSize === 0 ? end : Buffer.concat([...head, end]);
      from = to + 1;
      head = [];
      headSize = 0;
      const text = line.toString('utf8');
      if (text.trim() !== '') yield parseJson(text);
    }
    if (from === chunk.length) continue;
    head.push(chunk.subarray(from));
    headSize += chunk.length - from;
    check(headSize);
  }
  const rest = Buffer.concat(head).toString('utf8');
  if (rest.trim() !== '') yield parseJson(rest);
}

async function* nothing(): AsyncGenerator<never> {}

function serverUrl(server: string): URL {
  const url = URL.parse(server);
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new Error(`server ${JSON.stringify(server)} is not a URL; write https://host:port`);
}

/** Throws for a proxy that we cannot speak to. */
export function checkedProxyUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  if (url?.protocol.startsWith('socks')) {
    throw new Error(`${url.protocol.slice(0, -1)} proxies are not supported; use http:// or https://`);
  }
  throw new Error(`${JSON.stringify(text)} is not a proxy URL; write http://host:port`);
}

function unbracketed(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function inflated(response: http.IncomingMessage): Readable {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  // The flush mode lets each event of a compressed stream out at once.
  const gunzip = createGunzip({ flush: zlib.Z_SYNC_FLUSH, finishFlush: zlib.Z_FINISH });
  pipeline(response, gunzip, () => {}); // errors reach whoever reads
  return gunzip;
}

function isJson(response: http.IncomingMessage): boolean {
  return /^application\/([\w.-]+\+)?json\b/.test(response.headers['content-type'] ?? '');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`the server's answer is not JSON: ${JSON.stringify(text.slice(0, 80))}`, { cause });
  }
}

function plainHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return plain;
}

function sameCredentials(a: Credentials, b: Credentials): boolean {
  return a.authorization === b.authorization && a.cert === b.cert && a.key === b.key;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function isReset(error: unknown): boolean {
  return codeOf(error) === 'ECONNRESET' || codeOf(error) === 'EPIPE';
}

/** In TLS 1.3 our side is done before the server has judged our certificate: its no comes as an alert. */
function isHandshakeRefusal(error: unknown): boolean {
  return /^ERR_SSL_\w*ALERT\w*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(codeOf(error));
}

/** A host with several addresses fails with an AggregateError, whose own message is empty. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message || codeOf(error) || error.name : String(error);
}
