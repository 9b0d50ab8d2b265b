// What history says about the next point, and how sure it is: level × weekday × hour of the day.
//
// Points join the history some days late (`DELAY_DAYS`), so that the first days of a surge do not teach it that
// they are normal (Farrington et al. 1996 and Noufaily et al. 2013 leave out the last weeks for the same reason).
import { DAY } from '../../platform/clock/clock.ts';
import { hourOf, STEPS, type Step, weekdayOf } from './calendar.ts';
import { Dispersion } from './dispersion.ts';
import { Level, type Prior } from './level.ts';
import { Rhythm } from './rhythm.ts';

const DELAY_DAYS = 10;
/** A short history cannot wait: the delay is at most this share of it. */
const DELAY_SHARE = 1 / 3;
const RHYTHM_MEMORY_DAYS = 120;
const DISPERSION_MEMORY_DAYS = 240;
/** No model of a rate is better than this: NB2's part of the variance, which matters from 1,000 events a day. */
const MISFIT = 0.03 ** 2;

export interface Point {
  date: string;
  /** Milliseconds since the epoch, and the same by the wall clock that the date was written by. */
  at: number;
  local: number;
  count: number;
  exposure: number;
}

export interface Expected {
  mean: number;
  /** Variance over mean of the next point, with all that we do not know of its mean. */
  dispersion: number;
  /** For weighing points in a row: the scatter of days, the part that hours or weekdays share, … */
  scatter: number;
  /** … and the relative variance of the level, an error that all of them share. */
  shared: number;
  /** Whether history is long enough to weigh points together. */
  settled: boolean;
  /** Relative variance of the mean's estimate, and the dispersion without it. */
  variance: number;
  own: number;
  /** Events per exposure before the rhythm, and the two factors of it. */
  rate: number;
  weekday: number;
  hour: number;
}

/** A point that was judged, waiting to become history. */
export interface Judged {
  point: Point;
  expected: Expected | undefined;
  /** A count over its limit teaches no more than the limit. */
  limit: number;
}

/** Points in a row share the error of a weekday's factor for so many days, of an hour's for so many hours. */
const JOINT_WEEKDAYS = 2;
const JOINT_HOURS = 8;
const HOUR_SPREAD = [1, 2 / 3, 1 / 3];
/** Points are weighed together, and teach a rhythm, only when so much history has shown a level. */
const GRADUAL_FROM_DAYS: Readonly<Record<Step, number>> = { day: 2, hour: 2 };

export class Baseline {
  readonly #step: Step;
  readonly #level = new Level();
  readonly #weekdays = new Rhythm(7, RHYTHM_MEMORY_DAYS);
  readonly #hours: Rhythm | undefined;
  readonly #dispersion = new Dispersion(DISPERSION_MEMORY_DAYS);
  /** Hours of one day share their luck: how whole days scatter. */
  readonly #blocks: Dispersion | undefined;
  #block = { day: Number.NaN, count: 0, mean: 0, variance: 0, points: 0 };
  #waiting: Judged[] = [];
  #head = 0;
  #firstAt = Number.NaN;
  #now = Number.NaN;
  #daily = 1;

  constructor(step: Step) {
    this.#step = step;
    this.#hours = step === 'hour' ? new Rhythm(24, RHYTHM_MEMORY_DAYS, HOUR_SPREAD) : undefined;
    this.#blocks = step === 'hour' ? new Dispersion(DISPERSION_MEMORY_DAYS) : undefined;
  }

  /** Lets time pass until this moment: what has waited long enough becomes history. */
  advance(at: number): void {
    if (Number.isNaN(this.#now)) this.#firstAt = this.#now = at;
    const days = (at - this.#now) / DAY;
    this.#now = at;
    this.#level.age(days, this.#daily);
    this.#weekdays.age(days);
    this.#hours?.age(days);
    this.#dispersion.age(days);
    this.#blocks?.age(days);
    const delay = Math.min(DELAY_DAYS * DAY, (at - this.#firstAt) * DELAY_SHARE);
    for (
      let next = this.#waiting[this.#head];
      next && at - next.point.at >= delay;
      next = this.#waiting[this.#head]
    ) {
      this.#head++;
      this.#learn(next);
    }
    if (this.#head > 1024) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Undefined before the first point, when no prior helps. */
  expect(point: Point, prior: Prior | undefined): Expected | undefined {
    const own = this.#dispersion.careful;
    const level = this.#level.forecast(own, prior);
    if (!level) return undefined;
    const weekday = this.#weekdays.factor(weekdayOf(point.local), own);
    const hour = this.#hours?.factor(hourOf(point.local), own) ?? { factor: 1, variance: 0 };
    const perDay = STEPS[this.#step].perDay;
    const mean = level.rate * point.exposure * weekday.factor * hour.factor;
    this.#daily = Math.max(1e-6, level.rate * point.exposure * perDay);
    const variance = level.variance + weekday.variance + hour.variance + MISFIT;
    const local = JOINT_WEEKDAYS * perDay * weekday.variance + JOINT_HOURS * hour.variance;
    return {
      mean,
      dispersion: own + mean * variance,
      scatter: Math.max(own, this.#blocks?.careful ?? 1) + mean * local,
      shared: level.variance + MISFIT,
      settled: point.at - this.#firstAt >= GRADUAL_FROM_DAYS[this.#step] * DAY,
      variance,
      own,
      rate: level.rate,
      weekday: weekday.factor,
      hour: hour.factor,
    };
  }

  /** Queues a point that was judged: points come in order of time. */
  remember(judged: Judged): void {
    this.#waiting.push(judged);
  }

  /** Takes back what waits from this moment on: it belongs to a surge. */
  takeBack(from: number): Judged[] {
    let at = this.#waiting.length;
    while (at > this.#head && (this.#waiting[at - 1] as Judged).point.at >= from) at--;
    return this.#waiting.splice(at);
  }

  /** The level starts anew from these points. */
  relearn(points: readonly Judged[]): void {
    this.#level.forget();
    for (const { point, expected } of points) this.#learnLevel(point, expected, point.count);
  }

  /** A surge has its week and its day as well: only their pattern is taken from points at so many times the level. */
  learnRhythm(points: readonly Judged[], ratio: number): void {
    for (const { point, expected, limit } of points)
      this.#learnRhythm(point, expected, Math.min(point.count, limit * ratio), ratio);
  }

  /** What the level rests on, for those who share it. */
  get known(): Prior {
    return { events: this.#level.events, exposure: this.#level.exposure };
  }

  #learn(judged: Judged): void {
    const { point, expected, limit } = judged;
    const count = Math.min(point.count, limit);
    this.#learnLevel(point, expected, count);
    if (!expected || point.exposure <= 0) return;
    this.#learnRhythm(point, expected, count, 1);
    this.#dispersion.learn(count, expected.mean, expected.variance);
    if (this.#blocks) this.#learnBlock(this.#blocks, point, expected, count);
  }

  #learnRhythm(point: Point, expected: Expected | undefined, count: number, ratio: number): void {
    // Before the level is settled each hour would be measured by another yardstick.
    if (!expected?.settled) return;
    const base = expected.rate * point.exposure * ratio;
    this.#weekdays.learn(weekdayOf(point.local), count, base * expected.hour);
    this.#hours?.learn(hourOf(point.local), count, base * expected.weekday);
  }

  #learnLevel(point: Point, expected: Expected | undefined, count: number): void {
    const rhythm = expected ? expected.weekday * expected.hour : 1;
    this.#level.learn((this.#now - point.at) / DAY, point.exposure * rhythm, count);
  }

  #learnBlock(blocks: Dispersion, point: Point, expected: Expected, count: number): void {
    const day = Math.floor(point.local / DAY);
    if (day !== this.#block.day) {
      const { points, count, mean, variance } = this.#block;
      if (points > 0) blocks.learn(count, mean, variance / points);
      this.#block = { day, count: 0, mean: 0, variance: 0, points: 0 };
    }
    this.#block.count += count;
    this.#block.mean += expected.mean;
    this.#block.variance += expected.variance;
    this.#block.points++;
  }
}
