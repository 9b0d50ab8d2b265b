import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Highs } from 'highs';
import { NANO, parseQuantity } from '../platform/kube/quantity.ts';
import { makePlan, type PlanOptions } from './make-plan.ts';
import { NO_WISHES, type Offer, PlanError, type Wishes, type Workload } from './model.ts';
import type { Plan } from './plan.ts';
import { highs } from './solve/highs.ts';
import { smallInput } from './test-inputs.ts';
import { wasteWords } from './waste.ts';

let solver: Highs;
before(async () => {
  solver = await highs();
});

const amounts = (written: Record<string, string | number>) =>
  new Map(Object.entries(written).map(([name, amount]) => [name, parseQuantity(String(amount)) as bigint]));

const pods = (
  name: string,
  replicas: number,
  need: Record<string, string | number>,
  more: Partial<Workload> = {},
): Workload => ({
  name,
  from: 'test',
  replicas,
  need: amounts(need),
  part: 'Online',
  apart: [],
  spread: false,
  ...more,
});

const machines = (
  name: string,
  price: number,
  room: Record<string, string | number>,
  more: Partial<Offer> = {},
): Offer => ({
  name,
  from: 'test',
  room: amounts(room),
  price: parseQuantity(String(price)) as bigint,
  owned: false,
  ...more,
});

function planned(
  workloads: Workload[],
  offers: Offer[],
  wishes: Partial<Wishes> = {},
  options: Partial<PlanOptions> = {},
): Plan {
  const steps = makePlan(workloads, offers, {
    solver,
    wishes: { ...NO_WISHES, ...wishes },
    gap: 0.001,
    limits: 0,
    ...options,
  });
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

const count = ({ machines: all }: Plan, of: Partial<Plan['machines'][number]> = {}) =>
  all
    .filter((each) => Object.entries(of).every(([key, value]) => each[key as keyof typeof each] === value))
    .reduce((sum, each) => sum + each.count, 0);

const EBM = { cpu: 96, memory: '527Gi', 'network-interfaces': 32, 'cloud-disks': 20 };
const POD = { cpu: 16, memory: '60Gi', 'network-interfaces': 1, 'cloud-disks': 1 };

test('six Pods of 16C/60G go on a machine of 96C: 10 machines for 60, and nothing costs less', () => {
  const plan = planned([pods('trade', 60, POD)], [machines('ebmc6', 12.5, EBM)]);
  assert.deepEqual(plan.machines, [
    { class: 'ebmc6', count: 10, price: 12.5, cost: 125, patterns: [{ count: 10, pods: { trade: 6 } }] },
  ]);
  assert.deepEqual([plan.cost, plan.bound, plan.gap, plan.unplaced], [125, 125, 0, {}]);
});

test('a limit strands CPU, is named as the cause, and what it is worth is confirmed by planning again', () => {
  const small = pods('web', 320, { cpu: 2, memory: '4Gi', 'network-interfaces': 1 });
  const plan = planned([small], [machines('ebmc6', 10, EBM)], {}, { limits: 1 });
  assert.equal(count(plan), 10);
  const cpu = plan.waste.find(({ resource }) => resource === 'cpu');
  assert.ok(cpu);
  assert.deepEqual(wasteWords(cpu), [
    '33 % of cpu stands idle on ebmc6 because network-interfaces run out at 32',
  ]);
  const [worth] = plan.limits;
  assert.deepEqual(
    [worth?.resource, worth?.has, worth?.tried, worth?.machines, worth?.cost],
    ['network-interfaces', 32, 64, { before: 10, after: 7 }, 70],
  );
  assert.ok(worth && worth.perUnit > 0);
});

test('where no more may be on one machine, and nothing runs out, that is why it stands idle', () => {
  const plan = planned([pods('db', 20, POD, { perMachine: 2 })], [machines('ebmc6', 10, EBM)]);
  const cpu = plan.waste.find(({ resource }) => resource === 'cpu');
  assert.ok(cpu);
  assert.deepEqual(wasteWords(cpu), [
    '67 % of cpu stands idle on ebmc6 because there are no more Pods that may be on it',
  ]);
});

test('a part that online Pods may use is a cause, and only the whole stands idle', () => {
  const parts = { online: new Map([['cpu', 48n * NANO]]), offline: new Map([['cpu', 48n * NANO]]) };
  const plan = planned([pods('a', 30, POD)], [machines('ebmc6', 10, EBM, { parts })]);
  assert.deepEqual(plan.waste.map(({ resource }) => resource).includes('cpu (online)'), false);
  const cpu = plan.waste.find(({ resource }) => resource === 'cpu');
  assert.ok(cpu);
  assert.deepEqual(wasteWords(cpu), ['50 % of cpu stands idle on ebmc6 because cpu (online) runs out at 48']);
});

test('a wish that leaves Pods without a place is said, and not more Pods than there are', () => {
  const only = pods('a', 60, POD, { classes: ['ebmc6'] });
  const two = [machines('ebmc6', 10, EBM), machines('other', 10, EBM, { max: 2 })];
  const plan = planned([only], two, { shareMax: 60, zones: ['x', 'y'], loseZone: true });
  const [missing = 0] = Object.values(plan.unplaced);
  assert.ok(missing > 0 && missing <= 60, String(missing));
  assert.match(
    plan.reasons.map(({ message }) => message).join(),
    /the wish that no class is more than 60 % of the machines leaves \d+ of a without a place; without it all have one/,
  );
});

test('no Pods need no machines', () => {
  const plan = planned([pods('a', 0, POD)], [machines('ebmc6', 10, EBM, { max: 3 })], { spares: 1 });
  assert.deepEqual([plan.machines, plan.cost, plan.bound, plan.gap, plan.reasons], [[], 0, 0, 0, []]);
});

test('headroom keeps a part of everything free', () => {
  const of = (headroom: number) =>
    count(planned([pods('a', 96, { cpu: 1 })], [machines('m', 1, { cpu: 96 })], { headroom }));
  assert.deepEqual([of(0), of(10)], [1, 2]);
});

test('spares hold every way of filling that may be lost', () => {
  const plan = planned(
    [pods('a', 60, POD)],
    [machines('ebmc6', 10, EBM), machines('tiny', 1, { cpu: 4, memory: '8Gi' })],
    { spares: 2 },
  );
  assert.deepEqual([count(plan), plan.machines[0]?.spare, plan.cost], [12, 2, 120]);
  assert.ok(plan.bound <= plan.cost && plan.bound >= 100);
});

test('spares count as machines do: where stock, a share or the number of classes forbids them, that is said', () => {
  const two = [machines('ebmc6', 10, EBM, { max: 11 }), machines('other', 30, EBM)];
  const of = (offers: Offer[], wishes: Partial<Wishes>) => {
    const plan = planned([pods('a', 60, POD)], offers, { spares: 2, ...wishes });
    const spares = Object.fromEntries(plan.machines.map((each) => [each.class, each.spare]));
    return { spares, reason: plan.reasons.find(({ reason }) => reason === 'SparesMissing')?.message };
  };
  assert.deepEqual(of(two, {}), { spares: { ebmc6: undefined, other: 2 }, reason: undefined });
  const { spares, reason } = of(two, { typesMax: 1 });
  assert.deepEqual(spares, { ebmc6: undefined });
  assert.match(reason ?? '', /no kind of machine of which 2 more could stand in for ebmc6 with 6 a/);
  // Ten machines: six and four, and with two more of either seven of twelve at most.
  const shared = of([machines('ebmc6', 10, EBM), machines('other', 30, EBM)], { shareMax: 60 });
  assert.deepEqual(shared, { spares: { ebmc6: undefined, other: 2 }, reason: undefined });
});

test('a quota over all zones is not used twice by spares', () => {
  const offer = machines('ebmc6', 10, EBM, { max: 12, zones: [{ zone: 'a' }, { zone: 'b' }] });
  const plan = planned([pods('a', 60, POD, { spread: true })], [offer], { spares: 2 });
  assert.equal(count(plan), 12);
  assert.match(plan.reasons[0]?.message ?? '', /2 more could stand in for ebmc6\/[ab] with 6 a/);
});

test('Pods are spread evenly over zones, and any zone may be lost where that is wished', () => {
  const spread = pods('a', 60, POD, { spread: true });
  const even = planned([spread], [machines('ebmc6', 10, EBM)], { zones: ['a', 'b', 'c'] });
  assert.deepEqual(
    ['a', 'b', 'c'].map((zone) => count(even, { zone })),
    [4, 4, 4],
  );
  const safe = planned([spread], [machines('ebmc6', 10, EBM)], { zones: ['a', 'b', 'c'], loseZone: true });
  assert.deepEqual(
    ['a', 'b', 'c'].map((zone) => count(safe, { zone })),
    [5, 5, 5],
  );
  assert.throws(
    () => planned([spread], [machines('ebmc6', 10, EBM)], { loseZone: true }),
    /losing a zone needs at least 2 zones/,
  );
});

test('stock binds by zone, and what the plan would cost without that is said', () => {
  const cheap = machines('cheap', 10, EBM, { zones: [{ zone: 'a', max: 3 }] });
  const dear = machines('dear', 20, EBM, { zones: [{ zone: 'a' }] });
  const plan = planned([pods('a', 60, POD)], [cheap, dear]);
  assert.deepEqual([count(plan, { class: 'cheap' }), count(plan, { class: 'dear' }), plan.cost], [3, 7, 170]);
  assert.match(
    plan.reasons[0]?.message ?? '',
    /all is used of cheap in a \(3\); without that limit the plan would cost 100 instead of 170/,
  );
});

test('what fits nowhere is named with what the nearest class lacks, and the rest is planned', () => {
  const plan = planned(
    [pods('huge', 2, { cpu: 128, memory: '60Gi' }), pods('a', 6, POD)],
    [machines('ebmc6', 10, EBM)],
  );
  assert.deepEqual(plan.unplaced, { huge: 2 });
  assert.equal(count(plan), 1);
  assert.deepEqual(plan.reasons, [
    {
      reason: 'FitsNowhere',
      message: 'huge fits on no class; the nearest lacks least: it needs 128 cpu, and ebmc6 has 96',
    },
  ]);
});

test('classes at most: the best of all choices, proven', () => {
  const offers = [machines('a', 10, { cpu: 10 }), machines('b', 7, { cpu: 6 }), machines('c', 4, { cpu: 3 })];
  const workloads = [pods('x', 7, { cpu: 6 }), pods('y', 5, { cpu: 3 })];
  const best = Math.min(
    ...offers.map((offer) =>
      planned(workloads, [offer]).machines.length > 0 &&
      Object.keys(planned(workloads, [offer]).unplaced).length === 0
        ? planned(workloads, [offer]).cost
        : Number.POSITIVE_INFINITY,
    ),
  );
  const plan = planned(workloads, offers, { typesMax: 1 });
  assert.equal(new Set(plan.machines.map((each) => each.class)).size, 1);
  assert.equal(plan.cost, best);
});

test('workloads that may not meet are on machines of their own', () => {
  const plan = planned(
    [pods('a', 4, { cpu: 2 }, { apart: ['b'] }), pods('b', 4, { cpu: 2 })],
    [machines('m', 1, { cpu: 16 })],
  );
  assert.equal(count(plan), 2);
  for (const { patterns } of plan.machines)
    for (const { pods: held } of patterns) assert.equal('a' in held && 'b' in held, false);
});

test('one offload profile is chosen for each machine, by what its Pods need', () => {
  const card = machines(
    'ebm',
    10,
    { cpu: 96, pps: '1M', iops: '1M' },
    {
      profiles: [
        { name: '4-8', room: amounts({ pps: '4M', iops: '800k' }) },
        { name: '6-6', room: amounts({ pps: '12M', iops: '400k' }) },
      ],
    },
  );
  const ingress = pods('ingress', 20, { cpu: 8, pps: '1M' });
  const database = pods('database', 12, { cpu: 8, iops: '100k' });
  const plan = planned([ingress, database], [card]);
  assert.ok(count(plan, { profile: '6-6' }) >= 1);
  for (const each of plan.machines)
    for (const { pods: held } of each.patterns) {
      assert.ok((held.ingress ?? 0) <= (each.profile === '6-6' ? 12 : 4));
      assert.ok((held.database ?? 0) <= (each.profile === '6-6' ? 4 : 8));
    }
});

test('offline Pods have the offline part of a machine, and not more', () => {
  const split = machines(
    'ebm',
    10,
    { cpu: 96 },
    { parts: { online: amounts({ cpu: 64 }), offline: amounts({ cpu: 32 }) } },
  );
  const plan = planned(
    [pods('web', 8, { cpu: 8 }), pods('batch', 8, { cpu: 8 }, { part: 'Offline' })],
    [split],
  );
  assert.equal(count(plan), 2);
});

test('shares that cannot be kept are refused', () => {
  assert.throws(
    () => planned([pods('a', 6, POD)], [machines('m', 1, EBM)], { shareMax: 40 }),
    /at most 40 % of each of 1 classes makes less than 100 %/,
  );
});

test('a share is kept', () => {
  const plan = planned(
    [pods('a', 600, POD)],
    [machines('a', 10, EBM), machines('b', 11, EBM), machines('c', 12, EBM)],
    { shareMax: 50 },
  );
  assert.deepEqual([count(plan, { class: 'a' }), count(plan, { class: 'b' })], [50, 50]);
});

test('a resource that no machine has is an error, by name', () => {
  assert.throws(
    () => planned([pods('a', 1, { cpus: 1 })], [machines('m', 1, EBM)]),
    /test, "cpus": a needs 1 of it, and no machine has any; machines have cpu, memory, network-interfaces, cloud-disks/,
  );
});

test('whatever is asked for, the plan keeps it: 80 inputs with all that they may say', () => {
  const seen = { planned: 0, refused: 0, unplaced: 0, lacking: 0 };
  for (let seed = 1; seed <= 80; seed++) {
    const { workloads, offers, wishes } = smallInput(seed);
    // A plan that its verifier finds wrong throws.
    const plan = either(() => planned(workloads, offers, wishes));
    if (!plan) seen.refused++;
    else {
      seen.planned++;
      assert.ok(plan.bound <= plan.cost, `seed ${seed}`);
      if (Object.keys(plan.unplaced).length > 0) seen.unplaced++;
      if (plan.reasons.some(({ reason }) => reason === 'SparesMissing')) seen.lacking++;
      if (Object.keys(plan.unplaced).length > 0) assert.notEqual(plan.reasons.length, 0, `seed ${seed}`);
    }
  }
  assert.ok(seen.planned > 60 && seen.unplaced > 5 && seen.lacking > 2, JSON.stringify(seen));
});

/** undefined: the input is refused. */
function either(make: () => Plan): Plan | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof PlanError) return undefined;
    throw error;
  }
}
