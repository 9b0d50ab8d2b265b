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
  /** Variance over mean: of one point, all uncertainty in it … */
  dispersion: number;
  /** … and of a point as one of several in a row, which share what we do not know of the level. */
  joint: number;
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
  /** What is learnt from it: a count over its limit teaches no more than the limit. */
  count: number;
}

/** In a row of points the error of the level is shared: it counts as if so many points had it at once. */
const JOINT_POINTS = 4;

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
    this.#hours = step === 'hour' ? new Rhythm(24, RHYTHM_MEMORY_DAYS) : undefined;
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
    const mean = level.rate * point.exposure * weekday.factor * hour.factor;
    this.#daily = Math.max(1e-6, level.rate * point.exposure * STEPS[this.#step].perDay);
    const variance = level.variance + weekday.variance + hour.variance + MISFIT;
    const joint = Math.max(own, this.#blocks?.careful ?? 1) + mean * JOINT_POINTS * variance;
    return {
      mean,
      dispersion: own + mean * variance,
      joint,
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

  /** The level starts anew from these points; rhythm and dispersion stay. */
  relearn(points: readonly Judged[]): void {
    this.#level.forget();
    for (const judged of points) this.#learnLevel(judged);
  }

  /** What the level rests on, for those who share it. */
  get known(): Prior {
    return { events: this.#level.events, exposure: this.#level.exposure };
  }

  #learn(judged: Judged): void {
    this.#learnLevel(judged);
    const { point, expected, count } = judged;
    if (!expected || point.exposure <= 0) return;
    const base = expected.rate * point.exposure;
    this.#weekdays.learn(weekdayOf(point.local), count, base * expected.hour);
    this.#hours?.learn(hourOf(point.local), count, base * expected.weekday);
    this.#dispersion.learn(count, expected.mean, expected.variance);
    if (this.#blocks) this.#learnBlock(this.#blocks, point, expected, count);
  }

  #learnLevel({ point, expected, count }: Judged): void {
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
