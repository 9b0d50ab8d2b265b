// Three plans of about 500 machines, placed by a real kube-scheduler on a control plane of its own:
// node scripts/verify-plans.ts ['one class' 'eight types' 'three zones'] [--scheduler NAME] [--order largest|mixed] [--margin-max 50]

import { parseArgs } from 'node:util';

import { highs, makePlan, NO_WISHES, type Offer, type Plan, type Workload } from '../src/planning/index.ts';
import { fleetProblem } from '../src/planning/solve/test-problems.ts';
import type { Order } from '../src/planning/verify/margin.ts';
import { sceneOf } from '../src/planning/verify/scene.ts';
import { Stage } from '../src/planning/verify/stage.ts';
import { type TrialDone, verify } from '../src/planning/verify/verify.ts';
import { systemClock } from '../src/platform/clock/system.ts';
import { KubeClient } from '../src/platform/kube/client.ts';
import { NANO, parseQuantity, type Quantity } from '../src/platform/kube/quantity.ts';
import { PACKS } from '../test/control-plane/scheduler.ts';
import { startControlPlane } from '../test/control-plane/start.ts';

interface Input {
  workloads: Workload[];
  offers: Offer[];
}

function amounts(of: Record<string, string>): Map<string, Quantity> {
  return new Map(Object.entries(of).map(([name, text]) => [name, parseQuantity(text) ?? 0n]));
}

function workload(
  name: string,
  replicas: number,
  need: Record<string, string>,
  more: Partial<Workload> = {},
) {
  return {
    name,
    from: 'verify-plans.ts',
    replicas,
    need: amounts(need),
    part: 'Online' as const,
    apart: [],
    spread: false,
    ...more,
  };
}

function offer(name: string, price: number, room: Record<string, string>, more: Partial<Offer> = {}): Offer {
  return {
    name,
    from: 'verify-plans.ts',
    room: amounts(room),
    price: BigInt(price) * NANO,
    owned: false,
    ...more,
  };
}

const INPUTS: Record<string, () => Input> = {
  /** One class, limits of 64 interfaces and 40 cloud disks, Pods of a few sizes. */
  'one class': () => ({
    offers: [offer('ebm96', 10, { cpu: '96', memory: '527Gi', interfaces: '64', disks: '40', pods: '110' })],
    workloads: [
      workload('trade', 1800, { cpu: '16', memory: '60Gi', interfaces: '1', disks: '1', pods: '1' }),
      workload('search', 500, { cpu: '12', memory: '90Gi', interfaces: '1', disks: '2', pods: '1' }),
      workload('cart', 1200, { cpu: '6', memory: '24Gi', interfaces: '1', disks: '1', pods: '1' }),
      workload('cache', 250, { cpu: '5500m', memory: '120Gi', interfaces: '1', disks: '0', pods: '1' }),
      workload('jobs', 900, { cpu: '3', memory: '7Gi', interfaces: '1', disks: '1', pods: '1' }),
    ],
  }),
  /** 12 shapes by 8 types and 6 resources, as of the benchmark. */
  'eight types': () => {
    const { items, bins } = fleetProblem(1, { shapes: 12, types: 8, pods: 4500 });
    const units = ['cpu', 'memory', 'interfaces', 'disks', 'kpps', 'bandwidth'];
    const of = (values: readonly number[]) =>
      Object.fromEntries(
        units.map((unit, at) => [
          unit,
          unit === 'cpu'
            ? `${(values[at] ?? 0) * 500}m`
            : `${values[at] ?? 0}${unit === 'memory' ? 'Gi' : ''}`,
        ]),
      );
    return {
      offers: bins.map(({ name, price, room }) => offer(name, price, of(room))),
      workloads: items.map(({ name, count, need }) => workload(name, count, of(need))),
    };
  },
  /** Three zones, Pods spread over them, pairs apart, one a machine, a part for offline Pods, local NVMe. */
  'three zones': () => {
    const zones = ['a', 'b', 'c'].map((zone) => ({ zone }));
    const parts = (cpu: number) => ({
      online: amounts({ cpu: `${(cpu * 3) / 4}` }),
      offline: amounts({ cpu: `${cpu / 4}` }),
    });
    return {
      offers: [
        offer(
          'ebm96',
          10,
          { cpu: '96', memory: '527Gi', interfaces: '64', disks: '40' },
          { zones, parts: parts(96) },
        ),
        offer(
          'ebm64',
          7,
          { cpu: '64', memory: '256Gi', interfaces: '32', disks: '20' },
          { zones, parts: parts(64) },
        ),
        offer(
          'nvme96',
          14,
          { cpu: '96', memory: '768Gi', interfaces: '32', disks: '20', nvme: '8' },
          { zones, parts: parts(96) },
        ),
      ],
      workloads: [
        workload(
          'gateway',
          180,
          { cpu: '8', memory: '16Gi', interfaces: '2' },
          { spread: true, perMachine: 1 },
        ),
        workload('trade', 1500, { cpu: '12', memory: '48Gi', interfaces: '1', disks: '1' }, { spread: true }),
        workload(
          'cart',
          1200,
          { cpu: '6', memory: '24Gi', interfaces: '1', disks: '1' },
          { spread: true, perMachine: 6 },
        ),
        workload(
          'ledger',
          120,
          { cpu: '24', memory: '200Gi', interfaces: '1', disks: '2', nvme: '4' },
          { spread: true, perMachine: 1, apart: ['cache'] },
        ),
        workload(
          'cache',
          240,
          { cpu: '5', memory: '110Gi', interfaces: '1' },
          { spread: true, perMachine: 3 },
        ),
        workload(
          'batch',
          900,
          { cpu: '8', memory: '30Gi', interfaces: '1', disks: '1' },
          { part: 'Offline' },
        ),
      ],
    };
  },
};

async function planOf({ workloads, offers }: Input): Promise<Plan> {
  const solver = await highs();
  const startedAt = performance.now();
  const stop = () => performance.now() - startedAt > 60_000;
  const steps = makePlan(workloads, offers, { solver, wishes: NO_WISHES, gap: 0.001, limits: 0, stop });
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

const { positionals: names, values } = parseArgs({
  allowPositionals: true,
  options: {
    scheduler: { type: 'string', multiple: true, default: ['default-scheduler', PACKS] },
    order: { type: 'string', multiple: true, default: ['largest', 'mixed'] },
    'margin-max': { type: 'string', default: '50' },
  },
});
function tell({ percent, machines, placed, sufficed, seconds }: TrialDone): void {
  console.log(`    ${percent} % more: ${placed} on ${machines}${sufficed ? ', all' : ''}, ${seconds} s`);
}

const marginMax = Number(values['margin-max']);
const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('ended by SIGINT')));
await using plane = await startControlPlane();
for (const [name, make] of Object.entries(INPUTS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const input = make();
  const plan = await planOf(input);
  const scene = sceneOf({ ...input, wishes: NO_WISHES }, plan);
  const machines = plan.machines.reduce((sum, { count }) => sum + count, 0);
  console.log(`\n${name}: ${machines} machines, gap ${(plan.gap * 100).toFixed(2)} %`);
  for (const scheduler of values.scheduler)
    for (const order of values.order as Order[]) {
      const transport = plane.transport();
      const stage = new Stage(new KubeClient(transport, systemClock), stop.signal);
      await stage.check();
      const startedAt = performance.now();
      try {
        await stage.open();
        const done = await verify(scene, stage, { scheduler, order, marginMax }, tell);
        const { placed, pods, margin, trials } = done;
        const first = trials[0]?.seconds ?? 0;
        const needed = margin
          ? `${margin.percent} % (${margin.machines})`
          : placed === pods
            ? 'none'
            : `over ${marginMax} %`;
        console.log(
          `  ${scheduler}, ${order}: ${placed} of ${pods} placed in ${first} s; margin ${needed}; ${trials.length} trials, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`,
        );
      } finally {
        await stage.clear();
        transport.close();
      }
    }
}
