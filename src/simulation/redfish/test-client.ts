// For tests only: a made-up service on a clock that the test moves, and requests to it.

import { MINUTE } from '../../platform/clock/clock.ts';
import { VirtualClock } from '../../platform/clock/virtual.ts';
import {
  type Faults,
  MadeUpBoard,
  type RedfishService,
  serveRedfish,
  type User,
  type Vendor,
  type VendorName,
} from './index.ts';
import type { Json } from './route.ts';

export const USERS: readonly User[] = [
  { name: 'root', password: 'secret', role: 'Administrator' },
  { name: 'oper', password: 'secret', role: 'Operator' },
  { name: 'eye', password: 'secret', role: 'ReadOnly' },
];

export interface Reply {
  status: number;
  headers: Headers;
  json: Json;
  text: string;
}

export interface SendOptions {
  method?: string;
  body?: unknown;
  /** `root` without; `undefined`: nobody. */
  user?: string | undefined;
  token?: string;
  headers?: Record<string, string>;
}

export interface Scene extends AsyncDisposable {
  clock: VirtualClock;
  board: MadeUpBoard;
  boards: readonly MadeUpBoard[];
  service: RedfishService;
  /** `path` after `/redfish/v1`. */
  send(path: string, options?: SendOptions): Promise<Reply>;
  get(path: string): Promise<Json>;
  post(path: string, body: unknown, options?: SendOptions): Promise<Reply>;
}

export async function scene(
  vendor: VendorName | Vendor,
  names = ['node-1'],
  faults: Faults = {},
): Promise<Scene> {
  const clock = new VirtualClock();
  const boards = names.map((name) => new MadeUpBoard(clock, { name }));
  const [board] = boards;
  if (!board) throw new Error('names: is empty');
  const service = await serveRedfish({ boards, vendor, clock, users: USERS });
  service.faults = faults;
  const send = (path: string, options: SendOptions = {}) =>
    request(`${service.url}/redfish/v1${path}`, options);
  return {
    clock,
    board,
    boards,
    service,
    send,
    get: async (path) => (await send(path)).json,
    post: (path, body, options) => send(path, { method: 'POST', body, ...options }),
    [Symbol.asyncDispose]: () => service.close(),
  };
}

async function request(url: string, options: SendOptions): Promise<Reply> {
  const { method = 'GET', body, token } = options;
  const user = 'user' in options ? options.user : 'root';
  const basic = { authorization: `Basic ${Buffer.from(`${user}:secret`).toString('base64')}` };
  const headers = {
    ...(token !== undefined ? { 'x-auth-token': token } : user === undefined ? {} : basic),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    // Each on a connection of its own: a restart of the BMC cuts those that are kept.
    connection: 'close',
    ...options.headers,
  };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, { method, headers, ...(text === undefined ? {} : { body: text }) });
  const answered = await response.text();
  return { status: response.status, headers: response.headers, text: answered, json: parsed(answered) };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

/** Key and arguments of the first message of an error, wherever the vendor has put it. */
export function firstMessage(json: Json): { key: string; args: unknown; text: unknown } {
  const inside = (json.error as Json | undefined)?.['@Message.ExtendedInfo'];
  const [info = {}] = (inside ?? json['@Message.ExtendedInfo'] ?? []) as Json[];
  return { key: String(info.MessageId).split('.').at(-1) ?? '', args: info.MessageArgs, text: info.Message };
}

/** Follows `@odata.id` through properties: `linkOf(system, 'LogServices')`. */
export function linkOf(json: Json, ...names: string[]): string {
  let value: unknown = json;
  for (const name of names) value = (value as Json | undefined)?.[name];
  const path = String((value as Json | undefined)?.['@odata.id']);
  return path.replace('/redfish/v1', '');
}

const WAIT_MS_MAX = 10 * MINUTE;

/** What a promise gives, with time moved on until it does: sockets need turns of the event loop beside it. */
export async function moveUntil<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  if (!(await clock.advanceUntil(() => isSettled, WAIT_MS_MAX)))
    throw new Error('it does not come to an end');
  return promise;
}
