// The ECS API of one region on a loopback port.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Action } from './action.ts';
import { ApiError } from './api-error.ts';
import { Cloud, type CloudOptions, type Instance, type OrderMade, ownerOf } from './cloud.ts';
import {
  describeInvocationResults,
  getInstanceConsoleOutput,
  runCommand,
  stopInvocation,
} from './commands.ts';
import { describeAvailableResource, describeInstances, describeInstanceTypes } from './describe.ts';
import * as events from './events.ts';
import type { Faults } from './faults.ts';
import { type Identities, identityAnswer } from './metadata.ts';
import { Parameters } from './parameters.ts';
import * as power from './power.ts';
import { createAutoProvisioningGroup } from './provisioning-group.ts';
import { runInstances } from './run-instances.ts';
import { type Account, Signatures } from './signature.ts';
import { Throttle } from './throttle.ts';

/** 32 KB of user data in base64, each `/`, `+` and `=` of it escaped, stand in the request line. */
const HEADER_BYTES_MAX = 256 * 1024;
const BODY_BYTES_MAX = 64 * 1024;
const CALLS_MAX = 100_000;

export interface EcsOptions extends CloudOptions {
  accounts: readonly Account[];
  /** Any free one without. */
  port?: number;
  /** Calls a minute by action. */
  limits?: Readonly<Record<string, number>>;
  identities?: Identities;
}

/** One call that came, and what it was answered. */
export interface Call {
  at: number;
  action: string;
  /** `OK`, an error's code, or `Lost` where the answer never left. */
  answer: string;
  /** As it says itself; undefined before the signature was looked at. */
  accessKeyId: string | undefined;
  parameters: ReadonlyMap<string, string>;
}

export interface EcsService extends AsyncDisposable {
  /** `127.0.0.1:PORT`, as an endpoint. */
  readonly endpoint: string;
  readonly cloud: Cloud;
  /** Settable at any time; {} heals all. */
  faults: Faults;
  /** Oldest first; bounded. */
  readonly calls: readonly Call[];
  /** What was made and not given back: the truth, seen by nobody's account. */
  instances(): Instance[];
  readonly orders: readonly OrderMade[];
  setStock(zone: string, type: string, count: number): void;
  announce(announcement: events.Announcement): events.SystemEvent;
  /** Connections are cut and refused until it comes back. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export async function serveEcs(options: EcsOptions): Promise<EcsService> {
  const api = new Api(options);
  const host = new Host(
    (message, response) => void api.answer(message, response).catch(() => response.destroy()),
  );
  await host.listen(options.port ?? 0);
  const close = async () => {
    api.cloud.end();
    await host.goAway();
  };
  return {
    endpoint: `127.0.0.1:${host.port}`,
    cloud: api.cloud,
    get faults() {
      return api.faults;
    },
    set faults(faults) {
      api.faults = faults;
    },
    calls: api.calls,
    instances: () => [...api.cloud.instances.values()],
    orders: api.cloud.orders,
    setStock: (zone, type, count) => api.cloud.setStock(zone, type, count),
    announce: (announcement) => events.announce(api.cloud, announcement),
    goAway: () => host.goAway(),
    comeBack: () => host.listen(host.port),
    close,
    [Symbol.asyncDispose]: close,
  };
}

class Api {
  readonly cloud: Cloud;
  readonly calls: Call[] = [];
  faults: Faults = {};
  readonly #accounts: Account[];
  readonly #identities: Identities;
  readonly #signatures = new Signatures();
  readonly #throttle: Throttle;
  readonly #actions: Readonly<Record<string, Action>>;
  #requests = 0;

  constructor(options: EcsOptions) {
    this.cloud = new Cloud(options);
    this.#accounts = [...options.accounts];
    this.#identities = options.identities ?? {};
    this.#throttle = new Throttle(options.clock, options.limits ?? {});
    this.#actions = {
      RunInstances: runInstances,
      CreateAutoProvisioningGroup: createAutoProvisioningGroup,
      DescribeInstances: describeInstances(() => this.faults.overlap ?? 0),
      DescribeInstanceTypes: describeInstanceTypes,
      DescribeAvailableResource: describeAvailableResource,
      RebootInstances: power.rebootInstances,
      StartInstances: power.startInstances,
      StopInstances: power.stopInstances,
      RedeployInstance: power.redeployInstance,
      SendDiagnosticInterrupt: power.sendDiagnosticInterrupt,
      DeleteInstances: power.deleteInstances,
      DescribeInstanceHistoryEvents: events.describeInstanceHistoryEvents,
      AcceptInquiredSystemEvent: events.acceptInquiredSystemEvent,
      CreateSimulatedSystemEvents: events.createSimulatedSystemEvents,
      ReportInstancesStatus: events.reportInstancesStatus,
      GetInstanceConsoleOutput: getInstanceConsoleOutput,
      RunCommand: runCommand,
      DescribeInvocationResults: describeInvocationResults,
      StopInvocation: stopInvocation,
    };
  }

  async answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(message);
    const [path = '/', search = ''] = (message.url ?? '/').split('?', 2);
    const query = pairsOf(search);
    const values = new Map(query);
    const headers = message.headers as Readonly<Record<string, string | undefined>>;
    const method = message.method ?? 'GET';
    const identity = identityAnswer(this.#identities, this.#accounts, {
      method,
      path,
      query: values,
      headers,
      body,
    });
    if (identity) {
      response.writeHead(identity.status).end(identity.body);
      return;
    }
    const action = headers['x-acs-action'] ?? '';
    const faults = this.faults.only?.(action, values) === false ? {} : this.faults;
    const call: Call = {
      at: this.cloud.clock.now(),
      action,
      answer: 'Lost',
      accessKeyId: undefined,
      parameters: values,
    };
    if (this.calls.length < CALLS_MAX) this.calls.push(call);
    if (faults.hang) return;
    if (faults.slow_ms !== undefined) await this.cloud.clock.sleep(faults.slow_ms);
    if (faults.notJson) {
      call.answer = 'NotJson';
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html>502 Bad Gateway</html>');
      return;
    }
    const bodySha256 = createHash('sha256').update(body).digest('hex');
    let status = 200;
    let answer: object;
    try {
      const account = this.#admit(action, faults, () =>
        this.#signatures.check(
          { method, path, query, headers, bodySha256 },
          this.#accounts,
          faults.skew_ms ?? 0,
        ),
      );
      call.accessKeyId = account.accessKeyId;
      const act = this.#actions[action];
      if (!act)
        throw new ApiError('InvalidAction.NotFound', `The stand-in does not know the action ${action}.`);
      const parameters = new Parameters(values);
      answer =
        faults.emptyWithoutRights && !mayCall(account, action) && !parameters.flag('DryRun')
          ? { NextToken: '', Instances: { Instance: [] } }
          : await act(this.cloud, { account, parameters: mustMay(account, action, parameters) });
      call.answer = 'OK';
    } catch (error) {
      const refusal = error instanceof ApiError ? error : new ApiError('InternalError', String(error));
      if (!(error instanceof ApiError)) console.error(error);
      status = refusal.status;
      call.answer = refusal.code;
      answer = { Code: refusal.code, Message: refusal.message, HostId: 'ecs.loopback', Recommend: '' };
    }
    if (faults.lostAnswers) {
      call.answer = 'Lost';
      response.destroy();
      return;
    }
    const text = JSON.stringify({ RequestId: `request-${++this.#requests}`, ...answer });
    response.writeHead(status, { 'content-type': 'application/json;charset=utf-8' }).end(text);
  }

  #admit(action: string, faults: Faults, check: () => Account): Account {
    if (faults.down)
      throw new ApiError(
        'ServiceUnavailable',
        'The request has failed due to a temporary failure of the server.',
      );
    if (faults.badCredentials)
      throw new ApiError('InvalidAccessKeyId.Inactive', 'The Access Key is disabled.');
    const account = check();
    if (faults.throttled)
      throw new ApiError('Throttling.User', 'Request was denied due to user flow control.');
    this.#throttle.take(ownerOf(account), action);
    return account;
  }
}

const mayCall = ({ actions }: Account, action: string) => actions === undefined || actions.includes(action);

function mustMay(account: Account, action: string, parameters: Parameters): Parameters {
  if (mayCall(account, action)) return parameters;
  throw new ApiError(
    'Forbidden.RAM',
    `User not authorized to operate on the specified resource, or this API doesn't support RAM: ecs:${action}.`,
  );
}

/** The listener, which goes away and comes back on the same port. */
class Host {
  readonly #onRequest: (message: IncomingMessage, response: ServerResponse) => void;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  port = 0;

  constructor(onRequest: (message: IncomingMessage, response: ServerResponse) => void) {
    this.#onRequest = onRequest;
  }

  async listen(port: number): Promise<void> {
    const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX }, this.#onRequest);
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  async goAway(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size_bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size_bytes += chunk.length;
    if (size_bytes > BODY_BYTES_MAX) throw new Error('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function pairsOf(search: string): [string, string][] {
  if (search === '') return [];
  return search.split('&').map((pair) => {
    const at = pair.indexOf('=');
    const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));
    return at < 0 ? [decode(pair), ''] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
  });
}
