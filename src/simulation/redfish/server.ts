// A Redfish service on a loopback port: one BMC, or an enclosure of several.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../../platform/clock/clock.ts';
import { systemClock } from '../../platform/clock/system.ts';
import { credentialsOf } from './authenticate.ts';
import type { Board } from './board.ts';
import { type Faults, faultsFor } from './faults.ts';
import { handle } from './handle.ts';
import type { Seen } from './journal.ts';
import { errorBody, message } from './messages.ts';
import type { Answer, Ask, Json } from './route.ts';
import { Service, type User } from './service.ts';
import { VENDORS, type Vendor, type VendorName } from './vendors.ts';

/** BMCs are small. */
const BODY_SIZE_BYTES_MAX = 64 * 1024;

export interface RedfishOptions {
  boards: readonly Board[];
  /** A name, or a row of the table with changes of your own. */
  vendor: VendorName | Vendor;
  /** Without: `root`, `secret`, Administrator. */
  users?: readonly User[];
  /** HTTPS where it is given, else HTTP. */
  tls?: { cert: string; key: string };
  /** Any free one without. */
  port?: number;
  clock?: Clock;
}

export interface RedfishService extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  /** Settable at any time; {} heals all. */
  faults: Faults;
  /** Every request, oldest first; bounded. */
  readonly requests: readonly Seen[];
  /** Most requests that were under way at one time. Event streams do not count. */
  readonly concurrentMost: number;
  readonly sessionsOpen: number;
  readonly sessionsMost: number;
  /** Forgets requests and what was most of them. */
  forgetRequests(): void;
  /** Every token is unknown from now on. */
  dropSessions(): void;
  /**
   * The BMC reboots its own firmware: connections are cut, new ones refused for `down_ms` (the vendor's time
   * without), sessions and tasks are gone. Resolves when it answers again.
   */
  restart(down_ms?: number): Promise<void>;
  close(): Promise<void>;
}

export async function serveRedfish(options: RedfishOptions): Promise<RedfishService> {
  const {
    boards,
    clock = systemClock,
    users = [{ name: 'root', password: 'secret', role: 'Administrator' }],
  } = options;
  const vendor = typeof options.vendor === 'string' ? VENDORS[options.vendor] : options.vendor;
  if (boards.length === 0) throw new Error('boards: is empty, must hold at least one');
  const service = new Service(clock, vendor, boards, users);
  const host = new Host(service, options.tls);
  const port = await host.listen(options.port ?? 0);
  const restart = (down_ms = vendor.restart_ms) => host.restart(down_ms);
  service.restartSoon = () => clock.timer(0, () => void restart().catch(() => {}));
  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    get faults() {
      return service.faults;
    },
    set faults(faults) {
      service.faults = faults;
    },
    get requests() {
      return service.journal.requests;
    },
    get concurrentMost() {
      return service.journal.concurrentMost;
    },
    get sessionsOpen() {
      return service.sessions.open().length;
    },
    get sessionsMost() {
      return service.sessions.most;
    },
    forgetRequests: () => service.journal.forget(),
    dropSessions: () => service.sessions.clear(),
    restart,
    close: () => host.end(),
    [Symbol.asyncDispose]: () => host.end(),
  };
}

/** The listener, which goes away and comes back on the same port. */
class Host {
  readonly #service: Service;
  readonly #tls: RedfishOptions['tls'];
  readonly #sockets = new Set<Socket>();
  readonly #ended = new AbortController();
  #restarting: Promise<void> | undefined;
  #server: Server | undefined;
  #port = 0;

  constructor(service: Service, tls: RedfishOptions['tls']) {
    this.#service = service;
    this.#tls = tls;
  }

  async listen(port: number): Promise<number> {
    const onRequest = (message: IncomingMessage, response: ServerResponse) => {
      answer(this.#service, message, response).catch(() => response.destroy());
    };
    const server = this.#tls ? createTlsServer(this.#tls, onRequest) : createServer(onRequest);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (socket.writable) socket.end(unreadable(this.#service.vendor, error.code));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    return this.#port;
  }

  /** A BMC that is already down is not restarted again. */
  restart(down_ms: number): Promise<void> {
    this.#restarting ??= this.#goAndComeBack(down_ms).finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  async #goAndComeBack(down_ms: number): Promise<void> {
    this.#service.isAway = true;
    await this.#goAway();
    this.#service.forget();
    await this.#service.clock.sleep(down_ms, this.#ended.signal);
    this.#service.note('The BMC was restarted');
    await this.listen(this.#port);
    this.#service.isAway = false;
    if (this.#ended.signal.aborted) await this.#goAway();
  }

  async #goAway(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async end(): Promise<void> {
    this.#ended.abort(new Error('the Redfish service was closed'));
    this.#service.end();
    await this.#goAway();
  }
}

/** Node's parser stops at methods that it does not know; the specification wants 501 for them. */
function unreadable(vendor: Vendor, code: string | undefined): string {
  const status = code === 'HPE_INVALID_METHOD' ? '501 Not Implemented' : '400 Bad Request';
  const body = JSON.stringify(errorBody(vendor, [message('GeneralError')]));
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json',
    'odata-version: 4.0',
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

async function answer(service: Service, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const { journal, clock } = service;
  const seen = seenOf(service, message);
  const end = journal.begin(seen);
  response.once('close', end);
  const ask = await askOf(message, seen);
  const faults = faultsFor(service.faults, seen);
  if (faults.hang) return;
  if (faults.slow_ms !== undefined) await clock.sleep(faults.slow_ms);
  const result = await answerTo(service, ask, faults);
  const token = ask !== 'TooLarge' && ask.headers['x-auth-token'];
  if (faults.dropSessions && token) dropSession(service, token);
  if (faults.lostAnswers) {
    response.destroy();
    return;
  }
  seen.status = result.status;
  send(response, result, faults);
  if (!result.stream) return;
  end();
  result.stream(response);
}

async function answerTo(service: Service, ask: Ask | 'TooLarge', faults: Faults): Promise<Answer> {
  const { vendor } = service;
  const wrong = (status: number, key: 'PayloadTooLarge' | 'InternalError' | 'GeneralError'): Answer => ({
    status,
    body: errorBody(vendor, [message(key)]) as Json,
  });
  if (ask === 'TooLarge') return wrong(413, 'PayloadTooLarge');
  if (faults.errorWith200) return wrong(200, 'GeneralError');
  return handle(service, ask, faults).catch((error: unknown) => {
    console.error(error);
    return wrong(500, 'InternalError');
  });
}

function dropSession({ sessions }: Service, token: string): void {
  const session = sessions.use(token);
  if (session) sessions.drop(session.id);
}

function seenOf(service: Service, { method = 'GET', url = '/', headers }: IncomingMessage): Seen {
  const credentials = credentialsOf(headers as Ask['headers']);
  const session = credentials.token === undefined ? undefined : service.sessions.use(credentials.token);
  const user = session?.userName ?? credentials.user;
  const ifMatch = headers['if-match'];
  return {
    at_ms: service.clock.now(),
    method,
    path: url,
    auth: credentials.kind,
    ...(user === undefined ? {} : { user }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
  };
}

async function askOf(message: IncomingMessage, seen: Seen): Promise<Ask | 'TooLarge'> {
  const chunks: Buffer[] = [];
  let size_bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size_bytes += chunk.length;
    if (size_bytes <= BODY_SIZE_BYTES_MAX) chunks.push(chunk);
  }
  if (size_bytes > BODY_SIZE_BYTES_MAX) return 'TooLarge';
  const text = Buffer.concat(chunks).toString();
  if (text !== '') seen.body = withoutPassword(text);
  const url = new URL(message.url ?? '/', 'http://localhost');
  return {
    method: message.method ?? 'GET',
    path: decoded(url.pathname).replace(/\/+$/, ''),
    query: url.searchParams,
    headers: message.headers as Ask['headers'],
    text,
  };
}

/** A path that cannot be decoded names nothing that there is. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function withoutPassword(text: string): unknown {
  try {
    return JSON.parse(text, (key, value: unknown) => (key === 'Password' ? '***' : value));
  } catch {
    return 'not JSON';
  }
}

function send(response: ServerResponse, { status, headers, body, stream }: Answer, faults: Faults): void {
  const isHead = response.req.method === 'HEAD';
  response.statusCode = status;
  response.setHeader('odata-version', '4.0');
  response.setHeader('cache-control', 'no-cache');
  if (typeof body === 'object') response.setHeader('content-type', 'application/json');
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  if (stream) {
    response.flushHeaders();
    return;
  }
  let text = typeof body === 'object' ? JSON.stringify(body) : (body ?? '');
  if (faults.badBody) text = text.slice(0, Math.ceil(text.length / 2));
  if (text !== '') response.setHeader('content-length', Buffer.byteLength(text));
  response.end(isHead ? undefined : text);
}
