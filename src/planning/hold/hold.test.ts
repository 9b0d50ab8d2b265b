import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY, HOUR } from '../../platform/clock/clock.ts';
import { seededRandom } from '../../platform/clock/random.ts';
import { NANO } from '../../platform/kube/quantity.ts';
import type { Series } from '../by-date.ts';
import { type Offer, PlanError, type Workload } from '../model.ts';
import { highs } from '../solve/highs.ts';
import type { HoldPlan } from './answer.ts';
import { dateWords, midnight, monthsBetween } from './calendar.ts';
import { brokenHolding } from './check.ts';
import { type HoldRequest, makeHoldPlan } from './make-hold-plan.ts';
import { horizonOf, periodsOf, usualOf } from './periods.ts';
import type { HoldProblem } from './problem.ts';
import { holdProblemOf, type TierRates } from './problem-of.ts';
import { costFor, usefulRentals } from './rentals.ts';
import { type HoldSolution, solveHold } from './solve.ts';
import { bestByTrying, smallHolding } from './test-holdings.ts';

const solver = await highs();
const amount = (value: number) => BigInt(Math.round(value * 1e9));
const cpus = (count: number) => new Map([['cpu', BigInt(count) * NANO]]);
const web: Workload = {
  name: 'web',
  from: 'test',
  replicas: 0,
  need: cpus(5),
  part: 'Online',
  apart: [],
  spread: false,
};
const big: Offer = { name: 'big', from: 'test', room: cpus(10), price: 0n, owned: false };
const hourly = (daily: number, promotion: number): TierRates => ({
  daily: { hour: amount(daily) },
  promotion: { hour: amount(promotion) },
});

/** One workload of which two fit on a machine. */
const request = (more: Partial<HoldRequest>): HoldRequest => ({
  workloads: [web],
  offers: [big],
  rates: new Map([['big', hourly(1, 3)]]),
  wishes: { headroom: 0, spares: 0, loseZone: false, zones: [] },
  series: [],
  shortestRental_ms: DAY,
  leadTime_ms: HOUR,
  ...more,
});
const series = (...all: [string, number][]): Series[] => [
  { name: 'web', series: all.map(([date, replicas]) => ({ date, replicas })) },
];
/** 20 Pods for 30 days, and 40 on so many of them. */
const november = (days: number) =>
  series(['2026-11-01', 20], ['2026-11-11', 40], [`2026-11-${11 + days}`, 20], ['2026-12-01', 20]);

function made(more: Partial<HoldRequest>, gap = 0): HoldPlan {
  const steps = makeHoldPlan(request(more), { solver, gap });
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function solved(problem: HoldProblem): HoldSolution | undefined {
  const steps = solveHold(problem, { solver, gap: 0, stop: () => false });
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

const refuses = (more: Partial<HoldRequest>, message: RegExp) =>
  assert.throws(
    () => made(more),
    (error) => error instanceof PlanError && message.test(error.message),
  );

describe('held or rented', () => {
  it('rents for an event that is short: 9 days at three times the price are less than 30', () => {
    const plan = made({ series: november(9) });
    assert.deepEqual(plan.held, [{ class: 'big', count: 10, cost: 10 * 720 }]);
    assert.deepEqual(plan.rented, [
      {
        class: 'big',
        count: 10,
        from: '2026-11-11',
        to: '2026-11-20',
        orderBy: '2026-11-10T23:00Z',
        cost: 10 * 9 * 24 * 3,
      },
    ]);
    assert.equal(plan.cost, 7200 + 6480);
    assert.deepEqual([plan.bound, plan.gap], [plan.cost, 0]);
  });

  it('holds for an event that is long: 11 days at three times the price are more than 30', () => {
    const plan = made({ series: november(11) });
    assert.deepEqual(plan.held, [{ class: 'big', count: 20, cost: 14_400 }]);
    assert.deepEqual(plan.rented, []);
    assert.equal(plan.bound, 14_400);
  });

  it('says what the event costs by itself, and what holding or renting everything would', () => {
    const { event, comparison } = made({ series: november(9) });
    assert.deepEqual(event, { cost: 6480, least: 6480, most: 6480, usual: { web: 20 }, peak: { web: 40 } });
    assert.deepEqual(comparison, {
      withoutEvent: { cost: 7200, bound: 7200 },
      allHeld: { cost: 14_400, bound: 14_400 },
      allRented: { cost: 3 * (7200 + 2160), bound: 3 * (7200 + 2160) },
    });
  });

  it('shows each time by itself, with the Pods on its machines', () => {
    const { periods } = made({ series: november(9) });
    const short = periods.map(({ from, to, held, rented, used }) => [from, to, held, rented, used]);
    assert.deepEqual(short, [
      ['2026-11-01', '2026-11-11', 10, 0, 10],
      ['2026-11-11', '2026-11-20', 10, 10, 20],
      ['2026-11-20', '2026-12-01', 10, 0, 10],
    ]);
    assert.deepEqual(periods[1]?.machines, [
      { class: 'big', count: 20, patterns: [{ count: 20, pods: { web: 2 } }] },
    ]);
  });

  it('costs nothing more where there is no event', () => {
    const plan = made({ series: series(['2026-11-01', 20], ['2026-12-01', 20]) });
    assert.deepEqual(plan.event, { cost: 0, least: 0, most: 0, usual: {}, peak: {} });
    assert.equal(plan.cost, 7200);
  });

  it('holds spares all the time, so that machines may fail on any day, and proves that too', () => {
    const wishes = { headroom: 0, spares: 2, loseZone: false, zones: [] };
    const plan = made({ series: november(9), wishes });
    assert.deepEqual(plan.held, [{ class: 'big', count: 12, spare: 2, cost: 12 * 720 }]);
    assert.deepEqual([plan.cost, plan.bound], [12 * 720 + 6480, 12 * 720 + 6480]);
    assert.deepEqual(
      plan.periods.map(({ held, rented, used }) => [held, rented, used]),
      [
        [12, 0, 10],
        [12, 10, 20],
        [12, 0, 10],
      ],
    );
    // Rented from the first day to the last.
    assert.equal(plan.comparison.allRented?.cost, 3 * (7200 + 2160) + 2 * 3 * 720);
    assert.deepEqual(plan.reasons, []);
  });

  it('rents spares from the first day to the last where that is less, or nothing can be held', () => {
    const wishes = { headroom: 0, spares: 1, loseZone: false, zones: [] };
    const rates = new Map([
      ['big', { daily: { hour: amount(1) }, promotion: { hour: amount(3), month: amount(500) } }],
    ]);
    const plan = made({ series: november(9), rates, wishes });
    const all = { from: '2026-11-01', to: '2026-12-01', orderBy: '2026-10-31T23:00Z' };
    assert.deepEqual(
      plan.rented.filter(({ spare }) => spare),
      [{ class: 'big', count: 1, spare: 1, ...all, cost: 500 }],
    );
    assert.ok(plan.held.every(({ spare }) => spare === undefined));
    assert.deepEqual([plan.bound, plan.gap], [plan.cost, 0]);
  });

  it('says where stock leaves no spares, in whichever period', () => {
    const wishes = { headroom: 0, spares: 2, loseZone: false, zones: [] };
    const offers = [{ ...big, max: 21 }];
    const plan = made({ series: november(9), offers, wishes });
    assert.equal(plan.cost, 7200 + 6480);
    assert.match(plan.reasons[0]?.message ?? '', /2 more could stand in for big with 2 web/);
  });

  it('has spares of the class that takes what is on any machine', () => {
    const small: Offer = { ...big, name: 'small', room: cpus(5) };
    const wide: Workload = { ...web, name: 'wide', need: cpus(10) };
    const all: Series[] = [...november(9), { name: 'wide', series: [{ date: '2026-11-01', replicas: 3 }] }];
    const rates = new Map([
      ['big', hourly(3, 9)],
      ['small', hourly(1, 3)],
    ]);
    const wishes = { headroom: 0, spares: 1, loseZone: false, zones: [] };
    const plan = made({ workloads: [web, wide], offers: [big, small], series: all, rates, wishes });
    const spares = Object.fromEntries(plan.held.map((each) => [each.class, each.spare]));
    assert.deepEqual(spares, { big: 1, small: undefined });
    assert.ok(plan.bound <= plan.cost && plan.bound >= plan.cost - 2 * 720);
  });

  it('pays the shortest rental, and keeps the machine as long', () => {
    const plan = made({ series: november(1), shortestRental_ms: 7 * DAY });
    assert.deepEqual(
      plan.rented.map(({ from, to, cost }) => [from, to, cost]),
      [['2026-11-11', '2026-11-18', 10 * 7 * 24 * 3]],
    );
  });

  it('lets one rental do for two peaks that are nearer than the shortest', () => {
    const plan = made({
      series: series(
        ['2026-11-01', 2],
        ['2026-11-11', 4],
        ['2026-11-12', 2],
        ['2026-11-15', 4],
        ['2026-11-16', 2],
        ['2026-12-01', 2],
      ),
      shortestRental_ms: 5 * DAY,
    });
    assert.deepEqual(
      plan.rented.map(({ from, to, count }) => [from, to, count]),
      [['2026-11-11', '2026-11-16', 1]],
    );
  });

  it('begins earlier where the time ends before the shortest rental does', () => {
    const plan = made({
      series: series(['2026-11-01', 2], ['2026-11-30', 4], ['2026-12-01', 2]),
      shortestRental_ms: 36 * HOUR,
    });
    const [rental] = plan.rented;
    assert.deepEqual([rental?.from, rental?.to, rental?.cost], ['2026-11-29T12:00Z', '2026-12-01', 108]);
    assert.equal(rental?.orderBy, '2026-11-29T11:00Z');
  });

  it('takes by the month what is cheaper so: 20 days are one month, of 400 and not of 1440', () => {
    const rates = new Map([
      ['big', { daily: { month: amount(300) }, promotion: { hour: amount(3), month: amount(400) } }],
    ]);
    const plan = made({
      rates,
      series: series(['2026-10-01', 20], ['2026-11-05', 40], ['2026-11-25', 20], ['2027-10-01', 20]),
    });
    assert.deepEqual(plan.held, [{ class: 'big', count: 10, cost: 10 * 12 * 300 }]);
    assert.deepEqual(
      plan.rented.map(({ cost, from, to }) => [cost, from, to]),
      // A month: the days after the event are paid for.
      [[4000, '2026-11-05', '2026-11-25']],
    );
  });

  it('buys what is cheaper bought', () => {
    const rates = new Map([
      ['big', { daily: { hour: amount(1), oneOff: amount(500) }, promotion: { hour: amount(3) } }],
    ]);
    assert.equal(made({ rates, series: november(9) }).cost, 20 * 500);
  });

  it('fills what is owned first', () => {
    const owned: Offer = { ...big, owned: true, max: 12 };
    const plan = made({ offers: [owned, big], series: november(9) });
    assert.deepEqual(plan.held, [{ class: 'big', owned: true, count: 12, cost: 0 }]);
    assert.equal(plan.cost, 8 * 9 * 24 * 3);
    assert.equal(plan.bound, plan.cost);
  });

  it('packs otherwise from date to date', () => {
    // On small ones only db fits; for the event there are fewer of db and more of web.
    const db: Workload = { ...web, name: 'db', need: cpus(10) };
    const plan = made({
      workloads: [web, db],
      series: [
        ...series(['2026-11-01', 4], ['2026-11-11', 8], ['2026-11-12', 4], ['2026-12-01', 4]),
        {
          name: 'db',
          series: [
            { date: '2026-11-01', replicas: 3 },
            { date: '2026-11-11', replicas: 1 },
            { date: '2026-11-12', replicas: 3 },
          ],
        },
      ],
    });
    assert.deepEqual(plan.held, [{ class: 'big', count: 5, cost: 3600 }]);
    assert.deepEqual(plan.rented, []);
  });

  it('keeps to the stock of held and rented machines together', () => {
    const offers: Offer[] = [
      { ...big, max: 12 },
      { ...big, name: 'dear' },
    ];
    const rates = new Map([
      ['big', hourly(1, 3)],
      ['dear', hourly(2, 5)],
    ]);
    const plan = made({ offers, rates, series: november(9) });
    const of = (name: string) =>
      [...plan.held, ...plan.rented]
        .filter((each) => each.class === name)
        .reduce((sum, { count }) => sum + count, 0);
    assert.deepEqual([of('big'), of('dear')], [12, 8]);
    assert.equal(plan.bound, plan.cost);
    refuses(
      { offers: [{ ...big, max: 12 }], series: november(9) },
      /2026-11-11 on there is no place for 16 of web/,
    );
  });

  it('gives the same plan for the same input', () => {
    assert.deepEqual(made({ series: november(9) }), made({ series: november(9) }));
  });

  it('says of classes with one price only that they are only held, or only rented', () => {
    const rates = new Map<string, TierRates>([
      ['big', { daily: { hour: amount(1) } }],
      ['other', { promotion: { hour: amount(3) } }],
    ]);
    const plan = made({ offers: [big, { ...big, name: 'other' }], rates, series: november(9) });
    assert.deepEqual(
      plan.reasons.map(({ reason }) => reason),
      ['OnlyHeld', 'OnlyRented'],
    );
    assert.deepEqual([plan.held[0]?.class, plan.rented[0]?.class], ['big', 'other']);
  });
});

describe('any plan', () => {
  /** Worked out from nothing but what is asked for and the answer. */
  const wrongIn = (asked: HoldRequest, plan: HoldPlan): string[] => {
    const wrong: string[] = [];
    const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);
    const hours = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / HOUR;
    const hour = (name: string, tier: 'daily' | 'promotion') =>
      Number(asked.rates.get(name)?.[tier]?.hour ?? 0n) / 1e9;
    const { from, to } = plan.horizon;
    const costs = [
      ...plan.held.map((each) => each.count * hour(each.class, 'daily') * hours(from, to)),
      ...plan.rented.map((each) => each.count * hour(each.class, 'promotion') * hours(each.from, each.to)),
    ];
    if (Math.abs(sum(costs) - plan.cost) > 1e-6) wrong.push(`costs ${sum(costs)}, not ${plan.cost}`);
    if (plan.bound > plan.cost) wrong.push('the bound is over the cost');
    for (const each of plan.rented)
      if (hours(each.from, each.to) * HOUR < asked.shortestRental_ms) wrong.push(`${each.from} is too short`);
    for (const period of plan.periods) {
      for (const { name, series: its } of asked.series) {
        const wanted = its.filter(({ date }) => date <= period.from).at(-1)?.replicas ?? 0;
        const placed = period.machines.flatMap(({ patterns }) =>
          patterns.map(({ count, pods }) => count * (pods[name] ?? 0)),
        );
        if (sum(placed) !== wanted) wrong.push(`${period.from}: ${sum(placed)} of ${wanted} ${name}`);
      }
      for (const { class: name, count, patterns } of period.machines) {
        const there = [
          ...plan.held.filter((each) => each.class === name),
          ...plan.rented.filter(
            (each) => each.class === name && each.from <= period.from && each.to >= period.to,
          ),
        ];
        if (sum(there.map((each) => each.count)) < count) wrong.push(`${period.from}: too few ${name}`);
        const cpu = Number(asked.offers.find((offer) => offer.name === name)?.room.get('cpu') ?? 0n);
        for (const { pods } of patterns) {
          const used = asked.workloads.map((each) => (pods[each.name] ?? 0) * Number(each.need.get('cpu')));
          if (sum(used) > cpu) wrong.push(`${period.from}: ${name} is too full`);
        }
      }
    }
    return wrong;
  };

  it('places all Pods in every period on machines that are there, and costs what they cost', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const random = seededRandom(seed);
      const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
      const workloads = [0, 1, 2].map(
        (at): Workload => ({ ...web, name: `w${at}`, need: cpus(between(1, 9)) }),
      );
      const offers = [0, 1].map((at): Offer => ({ ...big, name: `t${at}`, room: cpus(between(9, 30)) }));
      const asked = request({
        workloads,
        offers,
        rates: new Map(
          offers.map(({ name, room }) => {
            const daily = (Number(room.get('cpu') ?? 0n) / 1e9) * between(8, 12);
            return [name, hourly(daily, daily * between(1, 4))];
          }),
        ),
        series: workloads.map(({ name }) => ({
          name,
          series: [1, 5, 9, 13, 17].map((day) => ({
            date: `2026-11-${String(day).padStart(2, '0')}`,
            replicas: day === 17 ? 0 : between(0, 60),
          })),
        })),
        shortestRental_ms: between(1, 6) * DAY,
      });
      assert.deepEqual(wrongIn(asked, made(asked, 0.01)), [], `seed ${seed}`);
    }
  });
});

describe('what is refused', () => {
  for (const [what, more, message] of [
    [
      'no price to rent',
      { rates: new Map([['big', { daily: { hour: NANO } }]]) },
      /no class has a price of the tier Promotion/,
    ],
    [
      'no price to hold',
      { rates: new Map([['big', { promotion: { hour: NANO } }]]) },
      /no class has a price of the tier Daily/,
    ],
    [
      'a rental longer than the time',
      { shortestRental_ms: 31 * DAY },
      /shortest rental is longer than the time from 2026-11-01 to 2026-12-01/,
    ],
    [
      'an end before the beginning',
      { from: '2026-12-01', to: '2026-11-01' },
      /the end must come after the beginning/,
    ],
    ['one date only', { series: series(['2026-11-01', 3]) }, /only one date; say until when/],
    ['no date at all', { series: [{ name: 'web', replicas: 3, series: [] }] }, /no series has a date/],
    [
      'an event without an end',
      { series: series(['2026-11-01', 3], ['2026-11-11', 9]) },
      /web ends on 2026-11-11 with more Pods than the day before/,
    ],
    [
      'Pods that fit nowhere',
      { workloads: [{ ...web, need: cpus(11) }] },
      /from 2026-11-01 on there is no place for 20 of web/,
    ],
  ] as [string, Partial<HoldRequest>, RegExp][])
    it(what, () => refuses({ series: november(9), ...more }, message));

  it('more changes than can be planned with', () => {
    const days = Array.from({ length: 421 }, (_, at): [string, number] => [
      dateWords(midnight('2026-01-01') + at * DAY),
      at % 2,
    ]);
    refuses({ series: series(...days) }, /changes 4\d\d times; 399 times at most/);
  });
});

describe('small problems', () => {
  it('cost what the best of all plans costs, and no bound on the way is higher', () => {
    for (let seed = 1000; seed < 1025; seed++) {
      const problem = smallHolding(seed);
      const best = bestByTrying(problem);
      const steps = solveHold(problem, { solver, gap: 0, stop: () => false });
      let step = steps.next();
      for (; !step.done; step = steps.next())
        if (best !== undefined)
          assert.ok(step.value.bound <= best, `seed ${seed}: ${step.value.bound} > ${best}`);
      assert.equal(step.value?.cost, best, `seed ${seed}`);
      assert.equal(step.value?.bound, best, `seed ${seed} is not proven`);
    }
  });
});

describe('the check of a holding', () => {
  const periods = periodsOf(november(9), horizonOf(november(9), {}));
  const { problem } = holdProblemOf(request({}), periods);
  const good = solved(problem) as HoldSolution;
  const broken = (holding: HoldSolution['holding'], packings = good.packings) =>
    brokenHolding(problem, periods, DAY, { holding, packings }).join('; ');

  it('finds nothing wrong with a good one', () => assert.equal(broken(good.holding), ''));
  it('finds a machine too few', () =>
    assert.match(broken({ ...good.holding, held: [9] }), /10 of big that are there, 9 at most/));
  it('finds a rental that is not there', () =>
    assert.match(
      broken({ ...good.holding, rented: good.holding.rented.map(() => 0) }),
      /period 1: 20 of big/,
    ));
  it('finds Pods that are left out', () =>
    assert.match(broken(good.holding, [[], ...good.packings.slice(1)]), /0 of 20 of web/));
  it('finds a rental that is too short', () =>
    assert.match(
      brokenHolding(problem, periods, 20 * DAY, good).join('; '),
      /rented for less than the shortest/,
    ));
  it('finds counts that are none', () =>
    assert.match(broken({ ...good.holding, held: [10.5] }), /10.5 of big are held/));
});

describe('time and price', () => {
  it('counts months as the calendar does', () => {
    const months = (from: string, to: string) => monthsBetween(midnight(from), midnight(to));
    assert.equal(months('2026-01-01', '2027-01-01'), 12);
    assert.equal(months('2026-01-15', '2026-02-15'), 1);
    assert.equal(months('2026-01-15', '2026-02-16'), 2);
    assert.equal(months('2026-01-31', '2026-02-28'), 1);
    assert.equal(months('2026-11-10', '2026-11-12'), 1);
  });

  it('takes the cheapest of what the rates allow', () => {
    const span = { from_ms: midnight('2026-11-10'), to_ms: midnight('2026-11-12') };
    assert.equal(costFor({ hour: 10n, month: 400n }, span), 400n);
    assert.equal(costFor({ hour: 10n, month: 500n }, span), 480n);
    assert.equal(costFor({}, span), undefined);
  });

  it('keeps of rentals by the hour those that are not two others', () => {
    const days = [10, 2, 3].map((length, at, all) => {
      const from_ms = all.slice(0, at).reduce((sum, each) => sum + each, 0) * DAY;
      return { from_ms, to_ms: from_ms + length * DAY };
    });
    const useful = (shortest: number, held?: bigint) =>
      usefulRentals(days, { hour: 1n }, { shortest_ms: shortest * DAY, isLimited: false, held }).map(
        ({ first, last, cost }) => [first, last, Number(cost) / 24],
      );
    assert.deepEqual(useful(1), [
      [0, 0, 10],
      [1, 1, 2],
      [2, 2, 3],
    ]);
    // Those of 2 and of 3 days cost 5 each: together they do for both.
    assert.deepEqual(useful(5), [
      [0, 0, 10],
      [0, 1, 12],
      [1, 2, 5],
    ]);
    const free = usefulRentals(days, { hour: 0n }, { shortest_ms: DAY, isLimited: false, held: undefined });
    assert.deepEqual(
      free.map(({ first, last }) => [first, last]),
      [[0, 2]],
    );
    assert.deepEqual(useful(1, 60n), [[1, 1, 2]]);
  });

  it('takes for usual what is there half the time', () => {
    const periods = periodsOf(november(9), horizonOf(november(9), {}));
    assert.deepEqual([...usualOf(periods)], [['web', 20]]);
  });
});
