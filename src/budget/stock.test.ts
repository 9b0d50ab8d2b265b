import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allowanceOf } from '../api/fields.ts';
import type { Machine } from '../api/machine.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import { at, budget, machine, NOW, operation } from '../test-builders.ts';
import { admit } from './admit.ts';
import { charge, type Stock, takeStock, topologyOf } from './stock.ts';

const RUNNING = { admittedAt: at(-60), costsBudget: true };
const reboot = (of: string, status: Record<string, unknown> = RUNNING, spec: Record<string, unknown> = {}) =>
  operation({ machine: of, ...spec }, status, { name: `reboot-${of}` });

/** Eight machines, two in each of two racks of two zones. */
const FLEET = ['z1', 'z2'].flatMap((zone) =>
  ['r1', 'r2'].flatMap((rack) =>
    ['a', 'b'].map((name) => machine({ location: { zone, rack } }, { name: `${zone}-${rack}-${name}` })),
  ),
);
const [FIRST] = FLEET as [Machine];

function stockOf(
  spec: Record<string, unknown>,
  operations: NodeOperation[] = [],
  down: string[] = [],
): Stock {
  const takesPods = (name: string) => !down.includes(name);
  const [stock] = takeStock([budget(spec)], { machines: FLEET, operations, takesPods, now: NOW });
  return stock as Stock;
}

describe('taking stock', () => {
  it('counts what a budget selects, what takes Pods, what is disrupted and what is under way', () => {
    const operations = [
      reboot('z1-r1-a'),
      reboot('z2-r2-a', { ...RUNNING, costsBudget: false }),
      reboot('z1-r2-a', {}),
      reboot('z1-r2-b', { ...RUNNING, endedAt: at(-30) }),
      reboot('z2-r1-a', RUNNING, { type: 'RestartService', service: 'kubelet' }),
    ];
    const stock = stockOf({}, operations, ['z1-r1-a', 'z2-r2-a']);
    const { selected, schedulable, disrupted, inFlight } = stock;
    assert.deepEqual(
      { selected, schedulable, disrupted, inFlight },
      { selected: 8, schedulable: 6, disrupted: 1, inFlight: 2 },
    );
  });

  it('counts only what the selector names', () => {
    const stock = stockOf({ selector: { matchLabels: { 'drover.dev/zone': 'z2' } } }, [reboot('z1-r1-a')]);
    assert.deepEqual([stock.selected, stock.disrupted], [4, 0]);
  });

  it('tells racks of equal names in two zones apart', () => {
    const stock = stockOf({}, [reboot('z1-r1-a')]);
    const racks = [...stock.within].map(([name, { selected, disrupted }]) => [name, selected, disrupted]);
    assert.deepEqual(racks, [
      ['rack=z1/r1', 2, 1],
      ['rack=z1/r2', 2, 0],
      ['rack=z2/r1', 2, 0],
      ['rack=z2/r2', 2, 0],
    ]);
    assert.equal(topologyOf(machine({ location: { zone: 'z1' } }), 'rack'), undefined);
    assert.equal(topologyOf(machine({ model: 'g7' }), 'model'), 'g7');
    assert.equal(topologyOf(machine({ location: { powerFeed: 'A' } }), 'powerFeed'), 'A');
  });

  it('counts disruptions within the period of its rate, ended ones too', () => {
    const rate = { count: 9, per: '1h' };
    const ended = (ago: number) => ({ admittedAt: at(-ago), endedAt: at(-1), costsBudget: true });
    const operations = [reboot('z1-r1-a', ended(3599)), reboot('z1-r1-b', ended(3600)), reboot('z1-r2-a')];
    assert.equal(stockOf({ rate }, operations).recent, 2);
  });

  it('counts a node that was given out as away, though its cordon is not there yet', () => {
    assert.equal(stockOf({}, [reboot('z1-r1-a')]).schedulable, 7);
    const ended = { ...RUNNING, endedAt: at(-1) };
    assert.equal(stockOf({}, [reboot('z1-r1-a', ended)]).schedulable, 8);
  });
});

describe('charging an admission', () => {
  const numbers = ({ disrupted, inFlight, schedulable, recent }: Stock) => [
    disrupted,
    inFlight,
    schedulable,
    recent,
  ];

  it('comes to what the next count will find', () => {
    const rate = { count: 9, per: '1h' };
    const operations = [
      reboot(FIRST.metadata.name),
      reboot(FIRST.metadata.name, { ...RUNNING, costsBudget: false }),
      reboot(FIRST.metadata.name, RUNNING, { type: 'RestartService', service: 'kubelet' }),
    ];
    for (const admitted of operations) {
      const charged = stockOf({ rate });
      charge([charged], FIRST, admitted, NOW);
      const counted = stockOf({ rate }, [admitted]);
      assert.deepEqual(numbers(charged), numbers(counted), admitted.spec.type);
      assert.deepEqual(charged.within, counted.within);
    }
  });

  it('takes nothing from budgets that do not select the machine', () => {
    const other = stockOf({ selector: { matchLabels: { 'drover.dev/zone': 'z2' } } });
    const before = numbers(other);
    charge([other], FIRST, reboot(FIRST.metadata.name), NOW);
    assert.deepEqual(numbers(other), before);
  });
});

describe('whatever the fleet and its budgets', () => {
  const count = fc.oneof(
    fc.integer({ min: 0, max: 12 }).map(String),
    fc.integer({ min: 0, max: 90 }).map((share) => `${share}%`),
  );
  const machines = fc
    .array(
      fc.record({
        zone: fc.constantFrom('z1', 'z2'),
        rack: fc.constantFrom('r1', 'r2', 'r3'),
        model: fc.constantFrom('g7', 'g8', undefined),
        serves: fc.boolean(),
      }),
      { minLength: 1, maxLength: 40 },
    )
    .map((list) =>
      list.map(({ zone, rack, model, serves }, n) => ({
        machine: machine({ location: { zone, rack }, model }, { name: `m${n}` }),
        serves,
      })),
    );
  const budgets = fc.array(
    fc
      .record({
        selector: fc.constantFrom({}, { matchLabels: { 'drover.dev/zone': 'z1' } }),
        maxDisrupted: count,
        rack: count,
        model: count,
        minSchedulable: fc.integer({ min: 0, max: 80 }).map((share) => `${share}%`),
        maxInFlight: count,
      })
      .map(({ rack, model, ...spec }) => {
        const per = [
          { key: 'rack', maxDisrupted: rack },
          { key: 'model', maxDisrupted: model },
        ];
        return budget({ ...spec, per });
      }),
    { minLength: 1, maxLength: 3 },
  );

  it('no more serving machines are given out than each budget allows, in all and within each rack and model', () => {
    let admissions = 0;
    const property = fc.property(machines, budgets, (fleet, limits) => {
      const serves = new Map(fleet.map(({ machine: one, serves: yes }) => [one.metadata.name, yes]));
      const takesPods = (name: string) => serves.get(name) === true;
      const all = fleet.map(({ machine: one }) => one);
      const stocks = takeStock(limits, { machines: all, operations: [], takesPods, now: NOW });
      const before = stocks.map((stock) => stock.schedulable);
      const out: Machine[] = [];
      for (const one of all) {
        const { name } = one.metadata;
        const asked = operation({ machine: name });
        const refusal = admit({
          operation: asked,
          machine: one,
          takesPods: takesPods(name),
          other: undefined,
          stocks,
          notLeader: undefined,
          oldest: { what: 'nodes', age_ms: 0 },
          braked: undefined,
          now: NOW,
        });
        if (refusal) continue;
        const status = { admittedAt: at(0), costsBudget: takesPods(name) };
        charge(stocks, one, { ...asked, status }, NOW);
        if (takesPods(name)) out.push(one);
      }
      admissions += out.length;
      for (const [at, { budget: limit, selected, inFlight }] of stocks.entries()) {
        const inZone = (one: Machine) => !limit.spec.selector.matchLabels || one.spec.location.zone === 'z1';
        const mine = out.filter(inZone);
        assert.ok(mine.length <= allowanceOf(limit.spec.maxDisrupted, selected), 'maxDisrupted');
        assert.ok(inFlight <= allowanceOf(limit.spec.maxInFlight, selected), 'maxInFlight');
        for (const { key, maxDisrupted } of limit.spec.per) {
          for (const place of new Set(mine.map((one) => topologyOf(one, key)))) {
            if (place === undefined) continue;
            const there = (one: Machine) => topologyOf(one, key) === place;
            const allowed = allowanceOf(maxDisrupted, all.filter(inZone).filter(there).length);
            assert.ok(mine.filter(there).length <= allowed, `${key} ${place}`);
          }
        }
        const least = (selected * Number.parseInt(limit.spec.minSchedulable, 10)) / 100;
        const left = (before[at] as number) - mine.length;
        assert.ok(mine.length === 0 || left >= Math.min(least, selected - 1), 'minSchedulable');
      }
    });
    fc.assert(property, { numRuns: 400 });
    assert.ok(admissions > 100, `only ${admissions} admissions: the runs prove little`);
  });
});
