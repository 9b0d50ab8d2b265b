import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run, start } from '../src/cli/test-io.ts';
import { highs, makePlan, NO_WISHES, type Offer, type Workload } from '../src/planning/index.ts';
import { LABELS, sceneOf } from '../src/planning/verify/scene.ts';
import { Stage } from '../src/planning/verify/stage.ts';
import type { Verification } from '../src/planning/verify/verify.ts';
import { MINUTE } from '../src/platform/clock/clock.ts';
import { systemClock } from '../src/platform/clock/system.ts';
import { KubeClient } from '../src/platform/kube/client.ts';
import { NODES, type Node, PODS, type Pod } from '../src/platform/kube/objects.ts';
import { parseQuantity } from '../src/platform/kube/quantity.ts';
import type { Transport } from '../src/platform/kube/transport.ts';
import { type ControlPlane, startControlPlane } from './control-plane/start.ts';

/**
 * Machines are full with two of `large` or three of `small`: 30 of them. Who spreads the large ones first, one to a
 * machine, has room for one small one more on each.
 */
const PODS_TABLE = 'name,replicas,cpu,cards\nlarge,30,6,1500m\nsmall,45,4,1\n';
const TYPES_TABLE = 'name,price,cpu,cards\nm12,10,12,3\n';

let plane: ControlPlane;
let transport: Transport;
let client: KubeClient;
let folder: string;

before(
  async () => {
    plane = await startControlPlane();
    transport = plane.transport();
    client = new KubeClient(transport, systemClock);
    folder = mkdtempSync(join(tmpdir(), 'drover-plan-verify-'));
    writeFileSync(join(folder, 'pods.csv'), PODS_TABLE);
    writeFileSync(join(folder, 'types.csv'), TYPES_TABLE);
  },
  { timeout: 30 * MINUTE }, // the first time it is built
);
after(async () => {
  transport?.close();
  await plane?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

function words(...more: string[]): string[] {
  const input = ['--pods', join(folder, 'pods.csv'), '--types', join(folder, 'types.csv')];
  return ['plan', 'verify', ...input, '--kubeconfig', plane.kubeconfigPath, ...more];
}

async function assertEmpty(): Promise<void> {
  for (const resource of [NODES, PODS]) assert.deepEqual((await client.list(resource)).items, []);
}

test('a scheduler that spreads strands what the plan packs, and the margin makes up for it', async () => {
  const { code, out, err } = await run(words('-o', 'json'));
  assert.equal(code, 1, err);
  const done = JSON.parse(out) as Verification;
  assert.equal(done.machines, 30);
  assert.equal(done.pods, 75);
  assert.equal(done.placed, 60);
  assert.deepEqual(done.unplaced, [
    {
      workload: 'small',
      pods: 15,
      why: {
        nodes: 30,
        reasons: [
          { reason: 'Insufficient cards', nodes: 30 },
          { reason: 'Insufficient cpu', nodes: 30 },
        ],
      },
    },
  ]);
  // 5 machines more have room for the 15; 13 % of 30 are 4.
  assert.deepEqual(done.margin, {
    percent: 14,
    machines: 5,
    cost: 50,
    kinds: [{ class: 'm12', more: 5 }],
  });
  assert.deepEqual(done.resources, [{ resource: 'cards', as: 'drover.dev/resource-1', unit: '500m' }]);
  await assertEmpty();
});

test('one that packs needs no margin', async () => {
  const { code, out, err } = await run(words('--scheduler', 'drover-pack'));
  assert.equal(code, 0, err);
  assert.match(out, /^75 of 75 Pods have a place on the 30 machines of the plan, by drover-pack/);
  assert.match(out, /^No margin is needed\.$/m);
  await assertEmpty();
});

test('a cluster in use is refused by name, and left alone', async () => {
  const node: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker-7' } };
  await client.create(NODES, node, 'test');
  const { code, out, err } = await run(words());
  assert.equal(code, 1);
  assert.equal(out, '');
  assert.match(err, /^error: this cluster is in use: it has the nodes worker-7\./);
  assert.ok(await client.get(NODES, 'worker-7'));
  await client.delete(NODES, 'worker-7');
});

test('Ctrl-C leaves nothing behind', async () => {
  const started = start(words());
  while ((await client.list(PODS)).items.length === 0) await systemClock.sleep(20);
  const { code, err } = await started.stop();
  assert.equal(code, 1);
  assert.equal(err, 'error: it was broken off; all that it had made is removed\n');
  await assertEmpty();
});

const amounts = (of: Record<string, string>) =>
  new Map(Object.entries(of).map(([name, text]) => [name, parseQuantity(text) ?? 0n]));
const offer = (name: string, room: Record<string, string>): Offer => ({
  name,
  from: 'test',
  room: amounts(room),
  parts: { online: amounts({ cpu: '12' }), offline: amounts({ cpu: '4' }) },
  price: 1_000_000_000n,
  owned: false,
  zones: ['a', 'b', 'c'].map((zone) => ({ zone })),
});
const workload = (name: string, replicas: number, cpu: string, more: Partial<Workload>): Workload => ({
  name,
  from: 'test',
  replicas,
  need: amounts({ cpu, ...(name === 'ledger' && { nvme: '1' }) }),
  part: 'Online',
  apart: [],
  spread: false,
  ...more,
});

test('spread, classes, pairs apart, the most on a machine and the offline part are kept', async () => {
  const offers = [offer('plain', { cpu: '16' }), offer('nvme', { cpu: '16', nvme: '2' })];
  const workloads = [
    workload('gateway', 10, '4', { spread: true, perMachine: 1 }),
    workload('cart', 20, '2', { spread: true, perMachine: 2, classes: ['plain'] }),
    workload('ledger', 7, '4', { spread: true, apart: ['cache'] }),
    workload('cache', 12, '3', { spread: true }),
    workload('batch', 6, '4', { part: 'Offline' }),
  ];
  const options = { solver: await highs(), wishes: NO_WISHES, gap: 0.01, limits: 0 };
  const steps = makePlan(workloads, offers, options);
  let step = steps.next();
  while (!step.done) step = steps.next();
  const scene = sceneOf({ workloads, offers, wishes: NO_WISHES }, step.value);
  // With room to spare, since it is the rules that are looked at.
  const nodes = scene.nodes.map((kind) => ({ ...kind, count: kind.count + 2 }));
  const stage = new Stage(client, new AbortController().signal);
  await stage.check();
  await stage.open();
  try {
    const trial = { ...scene, nodes, scheduler: 'default-scheduler', order: 'mixed' as const };
    const { placed } = await stage.run({ ...trial, untilRefused: false });
    assert.equal(placed, 55);
    const machines = new Map(
      (await client.list<Node>(NODES)).items.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]),
    );
    const pods = (await client.list<Pod>(PODS)).items;
    const on = (name: string) => {
      const label = scene.pods.find((kind) => kind.workload === name)?.label;
      return pods
        .filter(({ metadata }) => metadata.labels?.[LABELS.workload] === label)
        .map(({ spec }) => spec?.nodeName ?? '');
    };
    const most = (names: readonly string[]) => Math.max(...[...tally(names).values()]);
    for (const name of ['gateway', 'cart', 'ledger', 'cache']) {
      const zones = [
        ...tally(on(name).map((machine) => machines.get(machine)?.[LABELS.zone] ?? '')).values(),
      ];
      assert.equal(zones.length, 3, name);
      assert.ok(Math.max(...zones) - Math.min(...zones) <= 1, `${name}: ${zones}`);
    }
    assert.equal(most(on('gateway')), 1);
    assert.ok(most(on('cart')) <= 2);
    assert.ok(on('cart').every((machine) => machines.get(machine)?.[LABELS.class] === 'plain'));
    assert.ok(on('ledger').every((machine) => machines.get(machine)?.[LABELS.class] === 'nvme'));
    assert.deepEqual(
      on('ledger').filter((machine) => on('cache').includes(machine)),
      [],
    );
    assert.equal(most(on('batch')), 1, 'the offline part of a machine has room for one');
  } finally {
    await stage.clear();
  }
  await assertEmpty();
});

function tally(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
