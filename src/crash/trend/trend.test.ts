import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY } from '../../platform/clock/clock.ts';
import { seededRandom } from '../../platform/clock/random.ts';
import { countUpper } from '../statistics.ts';
import { type Point, type SourceRow, seriesOf, trend, watchMany } from './index.ts';
import { scoreOf } from './score.ts';
import { drawCount, drawPoisson, NULLS, pointsOf, type Story, SURGES } from './trials.ts';

const START = Date.UTC(2026, 0, 1);

/** Days from 1 January 2026 with these counts. */
function days(counts: readonly number[], exposure?: (day: number) => number) {
  const rows: SourceRow[] = counts.map((count, day) => ({
    where: `row ${day + 1}`,
    values: {
      date: new Date(START + day * DAY).toISOString().slice(0, 10),
      count,
      ...(exposure && { exposure: exposure(day) }),
    },
  }));
  return seriesOf(rows);
}

const zeros = (count: number) => Array<number>(count).fill(0);
const story = (name: string): Story => {
  const found = [...NULLS, ...SURGES].find((story) => story.name === name);
  assert.ok(found, name);
  return found;
};

describe('what is a surge', () => {
  it('one event after 300 days without is none; two or three in a day after a year of none is one', () => {
    assert.deepEqual(trend(days([...zeros(300), 1, 0, 0])).alarms, []);
    for (const events of [2, 3]) {
      const { alarms, points } = trend(days([...zeros(365), events, 0, 0, 0]));
      assert.equal(alarms.length, 1, `${events} events`);
      assert.equal(alarms[0]?.raisedAt, '2027-01-01');
      assert.equal(alarms[0]?.since, '2027-01-01');
      assert.equal(points[365]?.alarm, true);
    }
  });

  it('one event, then another a few days later after a year of none, is one by both together', () => {
    const { alarms } = trend(days([...zeros(365), 1, 0, 0, 1, 0, 1]));
    assert.equal(alarms.length, 1);
    assert.equal(alarms[0]?.rule, 'gradual');
    assert.equal(alarms[0]?.since, '2027-01-01');
  });

  it('a big jump is seen on its first point, also when there are only three days of history', () => {
    assert.equal(trend(days([9, 11, 10, 80])).alarms[0]?.raisedAt, '2026-01-04');
    assert.deepEqual(trend(days([9, 11, 10, 18])).alarms, []);
  });

  it('a fleet that doubles is a surge without an exposure and none with it', () => {
    const random = seededRandom(6);
    const counts = Array.from({ length: 200 }, (_, day) => drawCount(random, day < 120 ? 10 : 20, 1.3));
    const machines = (day: number) => (day < 120 ? 50_000 : 100_000);
    // Day 120 is 1 May.
    const around = ({ raisedAt }: { raisedAt: string }) =>
      raisedAt >= '2026-04-28' && raisedAt <= '2026-05-15';
    assert.equal(trend(days(counts)).alarms.filter(around).length, 1);
    assert.deepEqual(trend(days(counts, machines)).alarms.filter(around), []);
  });

  it('one surge is one alarm: from its onset until it is over, with what came above the expected', () => {
    const counts = [
      ...Array<number>(100).fill(10),
      ...Array<number>(12).fill(25),
      ...Array<number>(60).fill(10),
    ];
    const { alarms, points } = trend(days(counts));
    assert.equal(alarms.length, 1);
    const [alarm] = alarms;
    assert.equal(alarm?.since, '2026-04-11');
    assert.equal(alarm?.until, '2026-04-22');
    assert.equal(alarm?.ended, 'calm');
    assert.ok(Math.abs((alarm?.excess ?? 0) - 12 * 15) < 12, `${alarm?.excess}`);
    assert.ok((alarm?.p ?? 1) < 1e-6);
    // It lasts a few days longer than the surge: until calm is likelier than not by 12 to 1.
    const on = points.filter(({ alarm }) => alarm).map(({ date }) => date);
    assert.ok(on.length >= 12 && on.length <= 15, on.join());
  });

  it('a level that lasts four weeks is the new normal, and a second step on top of it is seen', () => {
    const counts = [
      ...Array<number>(100).fill(10),
      ...Array<number>(60).fill(20),
      ...Array<number>(10).fill(45),
    ];
    const { alarms, points } = trend(days(counts));
    assert.deepEqual(
      alarms.map(({ ended }) => ended),
      ['new level', null],
    );
    assert.equal(alarms[1]?.since, '2026-06-10');
    assert.ok(Math.abs((points[158]?.expected ?? 0) - 20) < 1.5);
  });

  it('expected and limit stay at what history says while a surge lasts', () => {
    const { points } = trend(days([...Array<number>(100).fill(10), ...Array<number>(20).fill(30)]));
    assert.ok(Math.abs((points[119]?.expected ?? 0) - 10) < 0.7);
  });

  it('a budget a hundred times smaller asks for more', () => {
    const series = days([...Array<number>(60).fill(10), 24, 10, 10]);
    assert.equal(trend(series, { falseAlarms: 1 }).alarms.length, 1);
    assert.equal(trend(series, { falseAlarms: 0.003 }).alarms.length, 0);
  });
});

describe('honesty', () => {
  it('a point is judged by those before it: cutting the series changes nothing that was said', () => {
    const random = seededRandom(11);
    const stories = [
      'second ×2, 40 days after a first',
      'hours: step ×4',
      'gaps',
      'small fleet, 0.1 to 1 a day',
    ];
    for (const name of stories) {
      const points = pointsOf({ ...story(name) }, random).slice(0, 2500);
      const series = { step: story(name).step ?? ('day' as const), points, hasExposure: false, notes: [] };
      const whole = trend(series).points;
      fc.assert(
        fc.property(fc.integer({ min: 0, max: points.length }), (cut) => {
          const part = trend({ ...series, points: points.slice(0, cut) });
          assert.deepEqual(part.points, whole.slice(0, cut));
        }),
        { numRuns: 20 },
      );
    }
  });

  it('when an alarm is raised its p is at most the budget', () => {
    for (const [seed, one] of SURGES.entries()) {
      const points = pointsOf(one, seededRandom(seed)).slice(0, 3000);
      const series = { step: one.step ?? ('day' as const), points, hasExposure: false, notes: [] };
      for (const { raisedAt } of trend(series, { falseAlarms: 0.2 }).alarms) {
        const until = points.findIndex(({ date }) => date === raisedAt) + 1;
        const alarm = trend({ ...series, points: points.slice(0, until) }, { falseAlarms: 0.2 }).alarms.at(
          -1,
        );
        assert.equal(alarm?.raisedAt, raisedAt);
        assert.ok(alarm.p <= 0.2 * (1 + 1e-9), `${one.name}: ${alarm.p}`);
      }
    }
  });

  it('numbers are finite and in order on any counts and exposures', () => {
    const point = fc.record({
      count: fc.oneof(fc.nat(3), fc.nat(1e6)),
      exposure: fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1e9, noNaN: true })),
      skip: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 80 }), fc.boolean(), (rows, hourly) => {
        let at = START;
        const points: Point[] = rows.map(({ count, exposure, skip }) => {
          at += (1 + skip) * (hourly ? 3_600_000 : DAY);
          return { date: new Date(at).toISOString(), at, local: at, count, exposure };
        });
        const result = trend({ step: hourly ? 'hour' : 'day', points, hasExposure: true, notes: [] });
        for (const { expected, upper } of result.points) {
          if (expected === null || upper === null) continue;
          assert.ok(Number.isFinite(expected) && expected >= 0, `${expected}`);
          assert.ok(Number.isFinite(upper) && upper >= 0, `${upper}`);
        }
        for (const { p, excess, since, raisedAt } of result.alarms) {
          assert.ok(p >= 0 && p <= 1 && Number.isFinite(excess));
          assert.ok(since <= raisedAt);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('the made-up counts have the mean and the scatter that they say', () => {
    const random = seededRandom(5);
    for (const [mean, dispersion] of [
      [0.1, 1.3],
      [10, 3],
      [200, 1],
    ] as const) {
      const counts = Array.from({ length: 40_000 }, () =>
        dispersion > 1 ? drawCount(random, mean, dispersion) : drawPoisson(random, mean),
      );
      const average = counts.reduce((sum, count) => sum + count, 0) / counts.length;
      const variance = counts.reduce((sum, count) => sum + (count - average) ** 2, 0) / counts.length;
      assert.ok(Math.abs(average / mean - 1) < 0.05, `${average}`);
      assert.ok(Math.abs(variance / average / dispersion - 1) < 0.06, `${variance / average}`);
      const limit = Math.ceil(mean + 2 * Math.sqrt(mean * dispersion));
      const above = counts.filter((count) => count >= limit).length / counts.length;
      assert.ok(Math.abs(above - countUpper(limit, mean, dispersion)) < 0.004);
    }
  });
});

describe('a year, many times', () => {
  it('keeps inside its budget of false alarms: at most 0.4 a month over all, and under 0.6 in each', () => {
    let sum = 0;
    for (const one of NULLS) {
      const { falseAlarmsPerMonth } = scoreOf(one, one.step === 'hour' ? 8 : 30, seededRandom(21));
      assert.ok(falseAlarmsPerMonth < 0.6, `${one.name}: ${falseAlarmsPerMonth}`);
      sum += falseAlarmsPerMonth;
    }
    assert.ok(sum / NULLS.length < 0.3, `${sum / NULLS.length}`);
  });

  const wanted: readonly [name: string, found: number, median_days: number][] = [
    ['step ×1.5', 0.75, 7],
    ['step ×2', 0.9, 3],
    ['step ×2, weekends −50 %', 0.9, 3],
    ['step ×2 after 20 days', 0.85, 3],
    ['step ×3', 0.9, 1],
    ['+8 a day on 10', 0.9, 3],
    ['slow rise to ×2 in 3 weeks', 0.95, 16],
    ['weekends only ×2.5', 0.9, 9],
    ['small fleet, 0.01 to 3 a day', 0.9, 1],
    ['second ×2, 40 days after a first', 0.9, 3],
    ['hours: step ×4', 0.8, 1],
  ];
  for (const [name, found, median_days] of wanted) {
    it(`finds ${name} in ${median_days} days`, () => {
      const score = scoreOf(story(name), name.startsWith('hours') ? 20 : 60, seededRandom(22));
      assert.ok(score.found >= found, `found ${score.found}`);
      assert.ok(score.delayMedian <= median_days, `median ${score.delayMedian}`);
    });
  }
});

describe('many series', () => {
  const at = (day: number) => ({
    date: new Date(START + day * DAY).toISOString().slice(0, 10),
    at: START + day * DAY,
    local: START + day * DAY,
  });

  it('200 cells share one budget; the one that surges is named, the others are quiet', () => {
    const random = seededRandom(31);
    const cells = Array.from({ length: 200 }, (_, cell) => {
      const machines = 50 + Math.floor(random() * 450);
      const rate = 0.0002 * (0.3 + 2 * random());
      const points = Array.from({ length: 150 }, (_, day): Point => {
        const surge = cell === 77 && day >= 120 ? 3 : 0;
        return { ...at(day), count: drawPoisson(random, machines * rate + surge), exposure: machines };
      });
      return { id: `cell-${cell}`, parent: 'fleet', points };
    });
    const fleet = {
      id: 'fleet',
      weight: 50,
      points: Array.from(
        { length: 150 },
        (_, day): Point => ({
          ...at(day),
          count: cells.reduce((sum, { points }) => sum + (points[day]?.count ?? 0), 0),
          exposure: cells.reduce((sum, { points }) => sum + (points[day]?.exposure ?? 0), 0),
        }),
      ),
    };
    const trends = watchMany([fleet, ...cells], { step: 'day', falseAlarms: 0.33 });
    assert.ok(Math.abs(trends.reduce((sum, { falseAlarms }) => sum + falseAlarms, 0) - 0.33) < 1e-9);
    const surged = trends.find(({ id }) => id === 'cell-77')?.alarms[0];
    assert.ok(surged && surged.raisedAt <= '2026-05-04', `${surged?.raisedAt}`);
    const others = trends.filter(({ id }) => id !== 'cell-77').flatMap(({ alarms }) => alarms);
    assert.ok(others.length <= 2, `${others.length} alarms elsewhere`);
  });

  it('a cell with no history is judged by its parent from its first point', () => {
    const fleet = Array.from(
      { length: 60 },
      (_, day): Point => ({ ...at(day), count: 10, exposure: 50_000 }),
    );
    const fresh = [{ ...at(59), count: 9, exposure: 500 }];
    const [, young] = watchMany(
      [
        { id: 'fleet', points: fleet },
        { id: 'young', parent: 'fleet', points: fresh },
      ],
      { step: 'day' },
    );
    assert.ok(Math.abs((young?.points[0]?.expected ?? 0) - 0.1) < 0.02, `${young?.points[0]?.expected}`);
    assert.equal(young?.alarms.length, 1);
  });

  it('a parent that is not there is an error', () => {
    assert.throws(() => watchMany([{ id: 'a', parent: 'b', points: [] }], { step: 'day' }), /parent b of a/);
  });
});
