// The faces of a simulated fleet over HTTP on loopback: platform/providers/simulated.ts is its client.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { DAY } from '../../platform/clock/clock.ts';
import { type ActionName, actionOf, actionsOf } from '../../platform/hosts/actions/table.ts';
import { HostError, type HostFailure } from '../../platform/hosts/host.ts';
import { ACTS, type Failure, ProviderError } from '../../platform/providers/provider.ts';
import { FAULT_KINDS, type Fault, type FaultKind, strike } from './faults.ts';
import type { SimulatedFleet } from './fleet.ts';

/** A probe names all machines of a fleet: 100,000 of them are some 2 MB. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;
const MACHINES_MAX = 200_000;

const STATUS: Readonly<Record<Failure, number>> = {
  BadCredentials: 401,
  NotFound: 404,
  Refused: 409,
  Throttled: 429,
  Broken: 500,
  TryAgain: 503,
  Unknown: 504,
  NoStock: 409,
  Quota: 403,
};

const ACTIONS = actionsOf();

const id = z.string().min(1).max(253);
const key = z.string().min(1).max(128);
const bodies = {
  describe: z.strictObject({ id }),
  act: z.strictObject({ act: z.enum(ACTS), id, key }),
  events: z.strictObject({}),
  accept: z.strictObject({ event: z.string().min(1).max(253) }),
  list: z.strictObject({ after: z.string().max(253) }),
  'event-log': z.strictObject({ id }),
  console: z.strictObject({ id }),
  run: z.strictObject({
    id,
    action: z.enum(Object.keys(ACTIONS) as [ActionName, ...ActionName[]]),
    params: z.record(z.string(), z.unknown()),
  }),
  probe: z.strictObject({ ids: z.array(id).max(MACHINES_MAX) }),
  fault: z.strictObject({
    machine: id,
    kind: z.enum(Object.keys(FAULT_KINDS) as [FaultKind, ...FaultKind[]]),
    lasts_ms: z.int().min(1).max(DAY).optional(),
    stubborn: z.boolean().optional(),
  }),
};

export interface ServedFleet {
  /** As in MachineProvider.spec.simulated.endpoint. */
  endpoint: string;
  close(): Promise<void>;
}

/** @param options port 0 takes any free one. */
export async function serveFleet(
  fleet: SimulatedFleet,
  options: { port: number; host?: string },
): Promise<ServedFleet> {
  const { port, host = '127.0.0.1' } = options;
  const server = createServer((request, response) => {
    answer(fleet, request).then(
      (value) => write(response, 200, value ?? null),
      (error: unknown) => write(response, ...refusalOf(error)),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return {
    endpoint: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

async function answer(fleet: SimulatedFleet, request: IncomingMessage): Promise<unknown> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const call = pathname.replace(/^\/v1\//, '');
  if (call === 'state' && request.method === 'GET') return stateOf(fleet);
  if (!Object.hasOwn(bodies, call) || request.method !== 'POST')
    throw new ProviderError('NotFound', `there is no ${request.method} ${pathname}`);
  const body = await bodyOf(request);
  switch (call as keyof typeof bodies) {
    case 'describe':
      return fleet.provider.describe(bodies.describe.parse(body).id);
    case 'act': {
      const { id, act, key } = bodies.act.parse(body);
      return fleet.provider.act(id, act, key);
    }
    case 'list':
      return fleet.page(bodies.list.parse(body).after);
    case 'events':
      return fleet.provider.maintenance?.open();
    case 'accept':
      return fleet.provider.maintenance?.accept(bodies.accept.parse(body).event);
    case 'event-log':
      return fleet.provider.eventLog(bodies['event-log'].parse(body).id);
    case 'console':
      return fleet.provider.console(bodies.console.parse(body).id);
    case 'run': {
      const { id, action, params } = bodies.run.parse(body);
      const checked = actionOf(ACTIONS, action).params.parse(params);
      return fleet.hosts.run({ id, ssh: id }, action, checked as never);
    }
    case 'probe':
      return bodies.probe.parse(body).ids.map((each) => {
        const machine = fleet.machines.get(each);
        return machine ? fleet.probeOne(machine) : null;
      });
    case 'fault':
      return fault(fleet, bodies.fault.parse(body));
  }
}

/** Faults of the software need software that runs; the others can strike at any time. */
const NEEDS_RUNNING: ReadonlySet<FaultKind> = new Set([
  'crash-dump',
  'crash',
  'hang',
  'kubelet',
  'runtime',
  'disk-full',
]);

function fault(
  fleet: SimulatedFleet,
  { machine, kind, lasts_ms, stubborn }: z.output<typeof bodies.fault>,
): Fault {
  const { phase } = fleet.get(machine);
  if (NEEDS_RUNNING.has(kind) && phase !== 'Running')
    throw new ProviderError(
      'Refused',
      `${machine} does not run (${phase}), so "${kind}" cannot happen to it`,
    );
  return strike(fleet, kind, machine, {
    ...(lasts_ms !== undefined && { lasts_ms }),
    ...(stubborn && { stubborn }),
  });
}

/** The truth, for tests that judge from outside. */
function stateOf(fleet: SimulatedFleet) {
  const machines = [...fleet.machines.values()].map((machine) => ({
    name: machine.name,
    phase: machine.phase,
    bootID: machine.bootID,
    connected: fleet.isConnected(machine),
    services: machine.services,
  }));
  return { now: fleet.clock.now(), acts: fleet.acts, boots: fleet.boots, machines };
}

class TooLarge extends Error {}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size_bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size_bytes += chunk.length;
    if (size_bytes > BODY_BYTES_MAX) throw new TooLarge(`a body may have ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

interface Refusal {
  failure: Failure;
  message: string;
  /** Of an action on a host. */
  host?: HostFailure;
}

function refusalOf(error: unknown): [number, Refusal] {
  const refusal = (status: number, failure: Failure, message: string): ReturnType<typeof refusalOf> => [
    status,
    { failure, message: message.slice(0, 4096) },
  ];
  if (error instanceof ProviderError) return refusal(STATUS[error.failure], error.failure, error.message);
  if (error instanceof HostError)
    return [500, { failure: 'Broken', message: error.message, host: error.failure }];
  if (error instanceof TooLarge) return refusal(413, 'Refused', error.message);
  if (error instanceof z.ZodError) return refusal(400, 'Refused', z.prettifyError(error));
  if (error instanceof SyntaxError) return refusal(400, 'Refused', `the body is not JSON: ${error.message}`);
  return refusal(500, 'Broken', error instanceof Error ? error.message : String(error));
}

function write(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(status === 413 && { connection: 'close' }),
  });
  response.end(JSON.stringify(value));
}
