import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { HoldPlan } from '../../planning/hold/answer.ts';
import { run } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-hold-'));
after(() => rmSync(folder, { recursive: true }));
const fileOf = (name: string, text: string) => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const classOf = (prices: string) => `
apiVersion: drover.dev/v1alpha1
kind: MachineClass
metadata: { name: ebmc6 }
spec:
  resources: { cpu: 96, memory: 512Gi }
  prices: ${prices}
`;
const PRICES = '[{ tier: Daily, hour: "1" }, { tier: Promotion, hour: "3" }]';
const PROFILE = `
apiVersion: drover.dev/v1alpha1
kind: WorkloadProfile
metadata: { name: trade }
spec:
  kind: Core
  resources: { cpu: 16, memory: 60Gi }
  series:
    - { date: "2026-11-01", replicas: 60 }
    - { date: "2026-11-10", replicas: 120 }
    - { date: "2026-11-12", replicas: 60 }
    - { date: "2026-12-01", replicas: 60 }
`;
const classes = fileOf('classes.yaml', classOf(PRICES));
const profiles = fileOf('profiles.yaml', PROFILE);
const hold = (...args: string[]) => run(['plan', 'hold', ...args]);

describe('drover plan hold', () => {
  it('shows what is held, what is rented, the machines over time and what else it would cost', async () => {
    const { code, out, err } = await hold('-f', classes, '-f', profiles);
    assert.equal(`${code}${err}`, '0');
    assert.equal(
      out,
      `From 2026-11-01 to 2026-12-01: 10 machines held, 10 rented for a part of it,
cost 8640: no plan costs less.
The event costs 1440 by itself: the part of the Pods that is over the usual.

HELD    COUNT   COST
ebmc6   10      7200

RENTED   COUNT   FROM         TO           ORDER BY            COST
ebmc6    10      2026-11-10   2026-11-12   2026-11-09T23:00Z   1440

FROM         TO           HELD   RENTED   FILLED
2026-11-01   2026-11-10   10     0        10       ██████████████
2026-11-10   2026-11-12   10     10       20       ██████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒
2026-11-12   2026-12-01   10     0        10       ██████████████
█ held, ▒ rented

COMPARED            COST    AT LEAST   DIFFERENCE
this plan           8640    8640
all held            14400   14400      +5760 (+66.7 %)
all rented          23040   23040      +14400 (+166.7 %)
without the event   7200    7200       −1440 (−16.7 %)
`,
    );
  });

  it('gives it as data, with the shortest rental and the time of the order', async () => {
    const { out } = await hold(
      '-f',
      classes,
      '-f',
      profiles,
      '-o',
      'json',
      '--shortest-rental',
      '7d',
      '--lead-time',
      '14d',
    );
    const plan = JSON.parse(out) as HoldPlan;
    assert.deepEqual(plan.rented, [
      { class: 'ebmc6', count: 10, from: '2026-11-10', to: '2026-11-17', orderBy: '2026-10-27', cost: 5040 },
    ]);
    assert.deepEqual(plan.horizon, { from: '2026-11-01', to: '2026-12-01' });
    assert.deepEqual(plan.event.peak, { trade: 120 });
  });

  it('reads tables, in which a date is a column', async () => {
    const pods = fileOf(
      'pods.csv',
      'name,cpu,memory,2026-11-01,2026-11-10,2026-11-12,2026-12-01\ntrade,16,60Gi,60,120,60,60\n',
    );
    const types = fileOf('types.csv', 'name,price,rented,cpu,memory\nebmc6,1,3,96,512Gi\n');
    const [tables, resources] = [
      await hold('--pods', pods, '--types', types),
      await hold('-f', classes, '-f', profiles),
    ];
    assert.deepEqual(tables, resources);
    const { out } = await hold('--pods', pods, '--types', types, '--spares', '2');
    assert.match(out, /^HELD {4}COUNT {3}SPARE {3}COST\nebmc6 {3}12 {6}2 {7}8640$/m);
    const few = fileOf('few.csv', 'name,price,rented,cpu,memory,max\nebmc6,1,3,96,512Gi,21\n');
    const none = await hold('--pods', pods, '--types', few, '--spares', '2');
    assert.equal(none.code, 1);
    assert.match(none.out, /which 2 more could stand in for ebmc6 with 6 trade/);
  });

  it('gives it as a table for other programs, and for documents', async () => {
    const csv = await hold('-f', classes, '-f', profiles, '-o', 'csv');
    assert.equal(csv.out.split('\n')[0], 'how,class,zone,profile,owned,count,spare,from,to,orderBy,cost');
    assert.match(csv.out, /^rented,ebmc6,,,false,10,0,2026-11-10,2026-11-12,2026-11-09T23:00Z,1440$/m);
    const { out } = await hold('-f', classes, '-f', profiles, '-o', 'markdown');
    assert.match(out, /^\| ebmc6 \| 10 \| 7200 \|$/m);
  });

  it('takes the time that is asked for', async () => {
    const { out } = await hold(
      '-f',
      classes,
      '-f',
      profiles,
      '--from',
      '2026-11-08',
      '--to',
      '2026-11-13',
      '-o',
      'json',
    );
    const plan = JSON.parse(out) as HoldPlan;
    // Of 5 days 2 at three times the price are dearer than all at one.
    assert.deepEqual(plan.held, [{ class: 'ebmc6', count: 20, cost: 20 * 120 }]);
  });

  it('fills machines that are owned first', async () => {
    const owned = fileOf('owned.csv', 'class,count\nebmc6,15\n');
    const { out } = await hold('-f', classes, '-f', profiles, '--owned', owned, '-o', 'json');
    const plan = JSON.parse(out) as HoldPlan;
    assert.deepEqual(plan.held, [{ class: 'ebmc6', owned: true, count: 15, cost: 0 }]);
    assert.equal(plan.cost, 5 * 48 * 3);
  });

  it('gives a plan, and says so, when its time is over at once', async () => {
    const { code, out } = await hold('-f', classes, '-f', profiles, '--time-limit', '0s', '-o', 'json');
    const plan = JSON.parse(out) as HoldPlan;
    assert.equal(code, 0);
    assert.ok(plan.bound <= 8640 && plan.cost >= 8640);
    assert.deepEqual(
      plan.reasons.map(({ reason }) => reason),
      ['Stopped'],
    );
  });

  const only = (prices: string) => fileOf(`${prices.replaceAll(/\W+/g, '-')}.yaml`, classOf(prices));
  for (const [what, args, code, message] of [
    ['no files', [], 2, /there are no Pods to plan for: give --pods or -f/],
    ['a share', ['-f', classes, '--share-at-most', '60'], 2, /unknown option '--share-at-most'/],
    ['a picture', ['-f', classes, '-o', 'svg'], 2, /Allowed choices are json, yaml, csv, markdown/],
    ['no date', ['-f', classes, '--from', 'soon'], 2, /--from: "soon" is no date; write it like 2026-11-11/],
    ['no duration', ['-f', classes, '--shortest-rental', 'long'], 2, /shortest-rental/],
    ['no profile', ['-f', classes], 2, /there are no Pods to plan for/],
    [
      'no price to rent',
      ['-f', only('[{ tier: Daily, hour: "1" }]'), '-f', profiles],
      1,
      /no class has a price of the tier Promotion/,
    ],
    [
      'no price at all',
      ['-f', only('[]'), '-f', profiles],
      1,
      /MachineClass\/ebmc6: spec.prices: there is no price of any tier/,
    ],
    [
      'a rental of no time',
      ['-f', only('[{ tier: Daily, hour: "1" }, { tier: Promotion, oneOff: "3" }]'), '-f', profiles],
      1,
      /spec.prices\[1\].hour: what is rented needs a price by hour or month/,
    ],
    [
      'a rental longer than the time',
      ['-f', classes, '-f', profiles, '--shortest-rental', '40d'],
      1,
      /shortest rental is longer than the time from 2026-11-01 to 2026-12-01/,
    ],
    [
      'an end before the beginning',
      ['-f', classes, '-f', profiles, '--to', '2026-10-01'],
      1,
      /the end must come after the beginning/,
    ],
  ] as [string, string[], number, RegExp][])
    it(`refuses ${what}`, async () => {
      const ran = await hold(...args);
      assert.equal(ran.code, code);
      assert.match(ran.err, message);
      assert.equal(ran.out, '');
    });
});
