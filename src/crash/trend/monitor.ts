// One series, point by point: what was expected, the limit, and whether a surge is on. Nothing here sees a
// later point.
import { DAY } from '../../platform/clock/clock.ts';
import { countLimit, countUpper } from '../statistics.ts';
import { Baseline, type Expected, type Judged, type Point } from './baseline.ts';
import { isWeekend, STEPS, type Step, weekdayOf } from './calendar.ts';
import { Evidence, logRatioOf, worthOf } from './evidence.ts';
import type { Prior } from './level.ts';

/** False alarms in 30 days without a surge. The promise is one; measured figures are in docs/crash-trend.md. */
export const FALSE_ALARMS_DEFAULT = 0.4;
/** How the budget is shared between one high point and evidence over several. */
const SUDDEN_SHARE = 0.4;
/**
 * The martingale bound is not tight: evidence overshoots its limit, and dispersion is estimated with caution. Half
 * the bound's limit keeps every null of scripts/trend-calibration.ts well inside the budget: the table is in
 * docs/crash-trend.md.
 */
const GRADUAL_FACTOR = 0.5;
/** One event is never a surge: there is nothing yet that two machines could have in common. */
const EVENTS_MIN = 2;
/** The surge is over when "as before" is so many times likelier than "still on". */
const CALM_ODDS = Math.log(12);
/**
 * A surge as short as this goes into history after all, at its limit: a history without its own extremes would
 * think itself calmer than it is, and alarm twice as often as it should.
 */
const SPIKE_POINTS = 2;
const WEEK_DAYS = 7;
/** A level that lasts this long after its alarm is the new normal. */
const RELEARN_DAYS = 28;

export interface JudgedPoint {
  date: string;
  count: number;
  exposure: number;
  /** Null at the start, when there is no history yet. */
  expected: number | null;
  /** A higher count is a surge by itself; a lower one may still end a row of points that is. */
  upper: number | null;
  alarm: boolean;
}

export interface Alarm {
  /** The most likely first point of the surge, and the point at which the rule fired. */
  since: string;
  raisedAt: string;
  /** Last point of the surge; null while it lasts. */
  until: string | null;
  ended: 'calm' | 'new level' | null;
  rule: 'sudden' | 'gradual';
  events: number;
  expected: number;
  excess: number;
  ratio: number;
  /**
   * At most this probable in 30 days without a surge: evidence as strong as the strongest seen up to now in this
   * alarm, at any point of those days. When the alarm is raised that is at most the budget.
   */
  p: number;
}

interface Raised {
  alarm: Alarm;
  sinceAt: number;
  raisedAt: number;
  held: Judged[];
  calm: number;
  calmSince: { at: number; events: number; expected: number } | undefined;
  last: string;
}

export interface MonitorOptions {
  step: Step;
  /** Expected false alarms in 30 days. */
  falseAlarms?: number;
}

export class Monitor {
  readonly alarms: Alarm[] = [];
  readonly #baseline: Baseline;
  readonly #evidence: Evidence;
  readonly #perMonth: number;
  readonly #suddenTail: number;
  readonly #gradualLimit: number;
  readonly #gradualMonth: number;
  #raised: Raised | undefined;

  constructor({ step, falseAlarms = FALSE_ALARMS_DEFAULT }: MonitorOptions) {
    this.#baseline = new Baseline(step);
    this.#perMonth = STEPS[step].perMonth;
    this.#suddenTail = Math.min(0.2, (falseAlarms * SUDDEN_SHARE) / this.#perMonth);
    this.#gradualMonth = (GRADUAL_FACTOR * this.#perMonth) / (1 - SUDDEN_SHARE);
    this.#gradualLimit = Math.log(this.#gradualMonth / falseAlarms);
    this.#evidence = new Evidence(this.#gradualLimit);
  }

  /** Judges the next point by those before it. Points come in order of time. */
  step(point: Point, prior?: Prior): JudgedPoint {
    const { date, count, exposure } = point;
    this.#baseline.advance(point.at);
    const expected = this.#baseline.expect(point, prior);
    const judged: JudgedPoint = { date, count, exposure, expected: null, upper: null, alarm: false };
    if (exposure <= 0) {
      judged.expected = judged.upper = 0;
      judged.alarm = this.#raised !== undefined;
      return judged;
    }
    if (!expected) {
      this.#baseline.remember({ point, expected, limit: Number.POSITIVE_INFINITY });
      return judged;
    }
    const upper = countLimit(this.#suddenTail, expected.mean, expected.dispersion);
    judged.expected = expected.mean;
    judged.upper = Math.max(upper, EVENTS_MIN - 1);
    if (expected.settled) this.#weigh(point, expected);
    if (this.#raised) this.#follow(this.#raised, point, expected, judged.upper);
    else this.#raise(point, expected, judged.upper);
    judged.alarm = this.#raised !== undefined;
    return judged;
  }

  /** What the level rests on, for those who share it. */
  get known(): Prior {
    return this.#baseline.known;
  }

  #weigh(point: Point, expected: Expected): void {
    const place = { date: point.date, at: point.at, weekend: isWeekend(weekdayOf(point.local)) };
    this.#evidence.add(place, point.count, expected);
  }

  #raise(point: Point, expected: Expected, upper: number): void {
    const { count } = point;
    this.#baseline.remember({ point, expected, limit: upper });
    const gradual = this.#evidence.log >= this.#gradualLimit;
    if (!gradual && count <= upper) return;
    const onset = this.#evidence.onset;
    const events = Math.max(onset.events, count);
    if (events < EVENTS_MIN) return;
    const single = onset.events < count;
    const alarm: Alarm = {
      since: single ? point.date : onset.date,
      raisedAt: point.date,
      until: null,
      ended: null,
      rule: count > upper ? 'sudden' : 'gradual',
      events: 0,
      expected: 0,
      excess: 0,
      ratio: 1,
      p: 1,
    };
    const sinceAt = single ? point.at : onset.at;
    this.alarms.push(alarm);
    this.#raised = {
      alarm,
      sinceAt,
      raisedAt: point.at,
      held: this.#baseline.takeBack(sinceAt),
      calm: 0,
      calmSince: undefined,
      last: point.date,
    };
    this.#count(alarm, single ? count : onset.events, single ? expected.mean : onset.expected);
    this.#sureness(alarm, count, expected);
  }

  #follow(raised: Raised, point: Point, expected: Expected, upper: number): void {
    const { alarm, held } = raised;
    const { count } = point;
    held.push({ point, expected, limit: upper });
    const still = Math.max(1.5, alarm.ratio * 0.7);
    raised.calm -=
      worthOf(still, CALM_ODDS, expected) * logRatioOf(count, expected.mean, expected.own)(still);
    if (raised.calm <= 0) {
      raised.calm = 0;
      raised.calmSince = undefined;
      raised.last = point.date;
    } else {
      raised.calmSince ??= { at: point.at, events: alarm.events, expected: alarm.expected };
    }
    this.#count(alarm, alarm.events + count, alarm.expected + expected.mean);
    this.#sureness(alarm, count, expected);
    if (raised.calm >= CALM_ODDS && raised.calmSince) {
      const { at, events, expected } = raised.calmSince;
      this.#count(alarm, events, expected);
      const surge = held.filter(({ point }) => point.at < at);
      // What was not on for a week may be the week itself: a series that begins on a weekend must learn its Mondays.
      const isWeek = at - raised.sinceAt >= WEEK_DAYS * DAY;
      if (surge.length > SPIKE_POINTS && alarm.ratio > 0)
        this.#baseline.learnRhythm(surge, isWeek ? alarm.ratio : 1);
      const back = surge.length <= SPIKE_POINTS ? held : held.filter(({ point }) => point.at >= at);
      for (const judged of back) this.#baseline.remember(judged);
      this.#end(raised, 'calm');
    } else if (point.at - raised.raisedAt >= RELEARN_DAYS * DAY) {
      this.#baseline.relearn(held);
      this.#baseline.learnRhythm(held, alarm.ratio);
      raised.last = point.date;
      this.#end(raised, 'new level');
    }
  }

  #end(raised: Raised, why: 'calm' | 'new level'): void {
    raised.alarm.until = raised.last;
    raised.alarm.ended = why;
    this.#raised = undefined;
    this.#evidence.reset();
  }

  #count(alarm: Alarm, events: number, expected: number): void {
    alarm.events = events;
    alarm.expected = expected;
    alarm.excess = events - expected;
    alarm.ratio = events / expected;
  }

  #sureness(alarm: Alarm, count: number, expected: Expected): void {
    const tail = countUpper(count, expected.mean, expected.dispersion);
    const sudden = (this.#perMonth * tail) / SUDDEN_SHARE;
    const gradual = this.#gradualMonth * Math.exp(-this.#evidence.log);
    alarm.p = Math.min(alarm.p, sudden, gradual);
  }
}
