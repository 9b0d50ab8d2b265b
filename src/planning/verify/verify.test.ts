import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuantity } from '../../platform/kube/quantity.ts';
import { NO_WISHES, type Offer, PlanError, type Workload } from '../model.ts';
import type { Plan, PlannedMachines } from '../plan.ts';
import { grown, inOrder, leastMargin } from './margin.ts';
import { podObject } from './objects.ts';
import { isFinal, refusalOf } from './refusal.ts';
import { type NodeKind, type PodKind, sceneOf } from './scene.ts';

const amounts = (of: Record<string, string>) =>
  new Map(Object.entries(of).map(([name, text]) => [name, parseQuantity(text) ?? 0n]));

function workload(
  name: string,
  replicas: number,
  need: Record<string, string>,
  more: Partial<Workload> = {},
) {
  const part = 'Online' as const;
  return { name, from: 'test', replicas, need: amounts(need), part, apart: [], spread: false, ...more };
}

function offer(name: string, room: Record<string, string>, more: Partial<Offer> = {}): Offer {
  return { name, from: 'test', room: amounts(room), price: 10n, owned: false, ...more };
}

function planOf(machines: Partial<PlannedMachines>[], unplaced: Record<string, number> = {}): Plan {
  const whole = machines.map((each) => ({ class: 'm', count: 1, price: 1, cost: 1, patterns: [], ...each }));
  return {
    machines: whole,
    cost: 1,
    bound: 1,
    gap: 0,
    unplaced,
    waste: [],
    limits: [],
    changes: [],
    reasons: [],
    pods: [],
  };
}

const scene = (workloads: Workload[], offers: Offer[], plan: Plan, wishes = NO_WISHES) =>
  sceneOf({ workloads, offers, wishes }, plan);

test('what is no resource of a kubelet is an extended one, in whole numbers', () => {
  const { nodes, pods, resources } = scene(
    [
      workload('web', 2, { cpu: '1500m', memory: '2Gi', cards: '0.5' }),
      workload('db', 1, { cpu: '2', cards: '1.5' }),
    ],
    [offer('m', { cpu: '8', memory: '32Gi', cards: '4', unwanted: '7' })],
    planOf([{ count: 3 }], { web: 1 }),
  );
  assert.deepEqual(nodes[0]?.allocatable, {
    cpu: '8000m',
    memory: String(32 * 2 ** 30),
    'drover.dev/resource-1': '8',
    pods: '1000000',
  });
  assert.deepEqual(resources, [{ resource: 'cards', as: 'drover.dev/resource-1', unit: '500m' }]);
  assert.deepEqual(
    pods.map(({ workload: name, count, requests }) => [name, count, requests]),
    [
      ['web', 1, { cpu: '1500m', memory: String(2 * 2 ** 30), 'drover.dev/resource-1': '1' }],
      ['db', 1, { cpu: '2000m', 'drover.dev/resource-1': '3' }],
    ],
  );
});

test('a node has what the offload profile gives it, and the part for offline Pods beside the whole', () => {
  const parts = { online: amounts({ cpu: '6' }), offline: amounts({ cpu: '2' }) };
  const profiles = [{ name: '6+6', room: amounts({ pps: '900' }) }];
  const { nodes, pods } = scene(
    [workload('web', 1, { cpu: '1', pps: '10' }), workload('jobs', 1, { cpu: '2' }, { part: 'Offline' })],
    [offer('m', { cpu: '8', pps: '500' }, { parts, profiles })],
    planOf([{ profile: '6+6' }]),
  );
  // The last of the three is of the online part: its step is the one Pod's whole need.
  assert.deepEqual(nodes[0]?.allocatable, {
    cpu: '8000m',
    'drover.dev/resource-1': '6',
    'drover.dev/resource-2': '1',
    'drover.dev/resource-3': '90',
    pods: '1000000',
  });
  assert.deepEqual(pods[1]?.requests, { cpu: '2000m', 'drover.dev/resource-2': '1' });
});

test('spares stay out, and the fullest zone where a zone may be lost', () => {
  const machines = [
    { zone: 'a', count: 3 },
    { zone: 'b', count: 5, spare: 1 },
    { zone: 'c', count: 4, spare: 1 },
  ];
  const offers = [offer('m', { cpu: '8' }, { zones: ['a', 'b', 'c'].map((zone) => ({ zone })) })];
  const of = (loseZone: boolean) =>
    scene([workload('web', 4, { cpu: '1' })], offers, planOf(machines), { ...NO_WISHES, loseZone });
  assert.deepEqual(
    of(false).nodes.map(({ count }) => count),
    [3, 4, 3],
  );
  assert.equal(of(false).spares, 2);
  assert.equal(of(true).lostZone, 'b');
  assert.deepEqual(
    of(true).nodes.map(({ zone }) => zone),
    ['a', 'c'],
  );
});

test('names that are no labels become numbers, so that no two become one', () => {
  const { nodes } = scene(
    [workload('web', 1, { cpu: '1' }, { classes: ['große/1'] })],
    [offer('große/1', { cpu: '8' }), offer('gro_e_1', { cpu: '8' })],
    planOf([{ class: 'große/1' }, { class: 'gro_e_1' }]),
  );
  assert.deepEqual(
    nodes.map(({ labels }) => labels['drover.dev/class']),
    ['class-1', 'class-2'],
  );
});

test('more than a control plane holds is refused', () => {
  assert.throws(
    () => scene([workload('web', 200_000, { cpu: '1' })], [offer('m', { cpu: '8' })], planOf([{ count: 9 }])),
    (error: unknown) => error instanceof PlanError && /9 machines and 200000 Pods/.test(error.message),
  );
});

test('one on a machine keeps apart from itself; of more the machine has a count', () => {
  const { nodes, pods } = scene(
    [
      workload('one', 2, { cpu: '1' }, { perMachine: 1, apart: ['two'] }),
      workload('two', 2, { cpu: '1' }, { perMachine: 2 }),
    ],
    [offer('m', { cpu: '8' })],
    planOf([{ count: 2 }]),
  );
  assert.deepEqual(pods[0]?.apart, ['workload-1', 'workload-2']);
  assert.equal(nodes[0]?.allocatable['drover.dev/per-machine-2'], '2');
  assert.equal(pods[1]?.requests['drover.dev/per-machine-2'], '1');
  const spec = podObject(pods[1] as PodKind, 'two-1', 'default-scheduler').spec as {
    containers: { resources: { limits: unknown } }[];
  };
  assert.deepEqual(spec.containers[0]?.resources.limits, { 'drover.dev/per-machine-2': '1' });
});

const node = (count: number, owned = false): NodeKind => ({
  class: 'm',
  owned,
  count,
  price: 1,
  labels: {},
  allocatable: {},
});
const pod = (workload: string, count: number, share: number): PodKind => ({
  workload,
  label: workload,
  count,
  share,
  requests: {},
  apart: [],
  spread: false,
});

test('more machines are of each kind that can be bought, rounded up', () => {
  const counts = (nodes: NodeKind[]) => grown(nodes, 3).map(({ count }) => count);
  assert.deepEqual(counts([node(100), node(7), node(50, true)]), [103, 8, 50]);
  assert.deepEqual(counts([node(100, true)]), [103]);
});

test('the margin is the least that suffices, wherever the search begins', async () => {
  for (const needed of [1, 2, 5, 13, 50])
    for (const guess of [0, 3.2, 20, 80]) {
      const tried: number[] = [];
      const suffices = async (percent: number) => {
        tried.push(percent);
        return percent >= needed;
      };
      assert.equal(await leastMargin(suffices, 50, guess), needed);
      assert.equal(new Set(tried).size, tried.length, `twice among ${tried}`);
      assert.ok(tried.length <= 12, `${tried.length} tries for ${needed} from ${guess}`);
    }
  assert.equal(await leastMargin(async () => false, 50, 3), undefined);
  assert.equal(await leastMargin(async () => true, 0, 3), undefined);
});

test('the largest come first, or all evenly mixed', () => {
  const kinds = [pod('small', 4, 0.1), pod('large', 2, 0.5)];
  const names = (order: 'largest' | 'mixed') =>
    inOrder(kinds, order).map((batch) => batch.map(({ kind }) => kind.workload).join(' '));
  assert.deepEqual(names('largest'), ['large large', 'small small small small']);
  assert.deepEqual(names('mixed'), ['small large small small large small']);
});

const SAID =
  "0/30 nodes are available: 12 Insufficient cpu, 18 Insufficient drover.dev/resource-1, 2 node(s) didn't match pod anti-affinity rules. preemption: 0/30 nodes are available: 30 No preemption victims found for incoming pod.";

test('a refusal is told with the names of the plan', () => {
  const resources = [{ resource: 'disks', as: 'drover.dev/resource-1', unit: '1' }];
  assert.deepEqual(refusalOf(SAID, resources), {
    nodes: 30,
    reasons: [
      { reason: 'Insufficient disks', nodes: 18 },
      { reason: 'Insufficient cpu', nodes: 12 },
      { reason: "node(s) didn't match pod anti-affinity rules", nodes: 2 },
    ],
  });
  assert.equal(refusalOf('no nodes available to schedule pods', resources), undefined);
});

test('a refusal for want of room is final; one over the spread, or before all nodes are known, is not', () => {
  assert.equal(isFinal(SAID, 30), true);
  assert.equal(isFinal(SAID, 31), false);
  assert.equal(
    isFinal("0/30 nodes are available: 30 node(s) didn't match pod topology spread constraints.", 30),
    false,
  );
  assert.equal(isFinal('no nodes available to schedule pods', 30), false);
});
