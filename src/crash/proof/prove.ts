// Did the fix help? Crashes before and after, each with its machine-days; against machines not yet given the fix at
// the same time where there are any, since the calendar changes other things too.
//
// Two Poisson rates are compared exactly: given the total, the events after are binomial (Przyborowski and Wilenski
// 1940); the interval of the ratio is the mid-P one of that binomial (Rothman, Greenland and Lash, Modern
// Epidemiology, ch. 14). Clustered events are worth less: a dispersion above 1 divides them (quasi-Poisson).

import {
  binomialExactly,
  binomialLower,
  binomialUpper,
  normalCdf,
  normalQuantile,
  poissonLower,
  poissonMeanAtMost,
  solveShare,
} from '../statistics.ts';
import { judge } from './verdict.ts';

/** Events and the machine-days in which they were counted. */
export interface Observed {
  events: number;
  exposure: number;
}

export interface ProofInput {
  before: Observed;
  after: Observed;
  /** The same two times on machines that were not given the fix. */
  control?: { before: Observed; after: Observed };
  /** Variance over mean of the counts, 1 when events come one by one; trend's estimate, or `dispersionOf`. */
  dispersion?: number;
  /** 0.95 unless said. */
  confidence?: number;
}

export interface RateRatio {
  ratio: number;
  interval: [low: number, high: number];
  /** Two-sided mid-P of "no difference". */
  p: number;
}

export interface Proof {
  verdict: 'helped' | 'worse' | 'no difference seen yet' | 'too early';
  /** Rate after ÷ rate before, on the machines with the fix; null when there is nothing to compare. */
  treated: RateRatio | null;
  /** The same on the control group, and the first divided by the second: what the fix did beyond the calendar. */
  control: RateRatio | null;
  difference: RateRatio | null;
  /** What the verdict rests on: `difference` where there is a control group, else `treated`. */
  effect: RateRatio | null;
  /** The highest rate after the fix that the data leave room for, per machine-day (one-sided; −ln 0.05 ÷ n for none). */
  rateAfterMax: number | null;
  /** Machine-days after the fix that would show it, with a probability of 80 %, if it halves or ends the crashes. */
  exposureNeeded: { halved: number | null; ended: number | null };
  because: string;
}

const POWER = 0.8;

/**
 *     prove({ before: { events: 40, exposure: 90_000 }, after: { events: 2, exposure: 90_000 } }).verdict // 'helped'
 */
export function prove(input: ProofInput): Proof {
  const confidence = input.confidence ?? 0.95;
  const dispersion = Math.max(1, input.dispersion ?? 1);
  for (const [name, observed] of observedOf(input)) check(name, observed);
  const worth = ({ events, exposure }: Observed) => ({ events: events / dispersion, exposure });
  const before = worth(input.before);
  const after = worth(input.after);
  const treated = rateRatio(before, after, confidence);
  const control = input.control
    ? rateRatio(worth(input.control.before), worth(input.control.after), confidence)
    : null;
  const difference = input.control
    ? differenceOf([before, after, worth(input.control.before), worth(input.control.after)], confidence)
    : null;
  const effect = input.control ? difference : treated;
  const numbers = {
    treated,
    control,
    difference,
    effect,
    rateAfterMax:
      input.after.exposure > 0
        ? (poissonMeanAtMost(after.events, 1 - confidence) / after.exposure) * dispersion
        : null,
    exposureNeeded: {
      halved: exposureFor(before, 0.5, confidence),
      ended: exposureFor(before, 0, confidence),
    },
  };
  return { ...judge(input, numbers, confidence), ...numbers };
}

/** Variance over mean of counts per machine (or per day) with these exposures: Pearson's, at least 1. */
export function dispersionOf(cells: readonly Observed[]): number {
  const events = cells.reduce((sum, { events }) => sum + events, 0);
  const exposure = cells.reduce((sum, { exposure }) => sum + exposure, 0);
  if (events === 0 || cells.length < 2) return 1;
  let sum = 0;
  for (const cell of cells) {
    const mean = (events / exposure) * cell.exposure;
    if (mean > 0) sum += (cell.events - mean) ** 2 / mean;
  }
  return Math.max(1, sum / (cells.length - 1));
}

/** Rate of `after` over rate of `before`, with a mid-P interval. Events may be fractions (quasi-Poisson). */
export function rateRatio(before: Observed, after: Observed, confidence = 0.95): RateRatio | null {
  const total = before.events + after.events;
  if (total <= 0 || before.exposure <= 0 || after.exposure <= 0) return null;
  const odds = after.exposure / before.exposure;
  const share = odds / (1 + odds);
  const lowerTail = (p: number) => midLower(after.events, total, p);
  const upperTail = (p: number) => midUpper(after.events, total, p);
  const tail = (1 - confidence) / 2;
  const toRatio = (p: number) => (p >= 1 - 1e-14 ? Number.POSITIVE_INFINITY : p / (1 - p) / odds);
  return {
    ratio: after.events / after.exposure / (before.events / before.exposure),
    interval: [
      after.events <= 0 ? 0 : toRatio(solveShare(tail, true, upperTail)),
      before.events <= 0 ? Number.POSITIVE_INFINITY : toRatio(solveShare(tail, false, lowerTail)),
    ],
    p: Math.min(1, 2 * Math.min(lowerTail(share), upperTail(share))),
  };
}

function midLower(k: number, n: number, p: number): number {
  return binomialLower(k, n, p) - binomialExactly(k, n, p) / 2;
}

function midUpper(k: number, n: number, p: number): number {
  return binomialUpper(k, n, p) - binomialExactly(k, n, p) / 2;
}

/**
 * Difference in differences, on the logarithm: ratio of the treated over ratio of the control, by the normal
 * approximation with half an event added to each cell (Haldane and Anscombe), which keeps zeros finite.
 */
function differenceOf(cells: readonly Observed[], confidence: number): RateRatio | null {
  if (cells.some(({ exposure }) => exposure <= 0)) return null;
  const [before, after, controlBefore, controlAfter] = cells.map(({ events, exposure }) =>
    Math.log((events + 0.5) / exposure),
  ) as [number, number, number, number];
  const log = after - before - (controlAfter - controlBefore);
  const deviation = Math.sqrt(cells.reduce((sum, { events }) => sum + 1 / (events + 0.5), 0));
  const z = normalQuantile((1 + confidence) / 2);
  return {
    ratio: Math.exp(log),
    interval: [Math.exp(log - z * deviation), Math.exp(log + z * deviation)],
    p: Math.min(1, 2 * normalCdf(-Math.abs(log) / deviation)),
  };
}

/** Machine-days after the fix until a true ratio would show: least exposure with that power, or null. */
function exposureFor(before: Observed, ratio: number, confidence: number): number | null {
  if (before.events <= 0 || before.exposure <= 0) return null;
  const shows = (exposure: number) => powerOf(before, exposure, ratio, confidence) >= POWER;
  let high = before.exposure / 64;
  // A long enough time after cannot help when it is the time before that is too short.
  for (let round = 0; !shows(high); round++) {
    if (round > 24) return null;
    high *= 2;
  }
  let low = 0;
  for (let round = 0; round < 40; round++) {
    const middle = (low + high) / 2;
    if (shows(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Probability that the exact test finds a decrease, given the events before: summed over what may come after. */
function powerOf(before: Observed, exposure: number, ratio: number, confidence: number): number {
  const mean = (before.events / before.exposure) * exposure * ratio;
  const share = exposure / (exposure + before.exposure);
  const tail = (1 - confidence) / 2;
  if (ratio === 0) return midLower(0, before.events, share) <= tail ? 1 : 0;
  // The largest count after that still shows a decrease: the test is monotone in it.
  let low = -1;
  let high = Math.ceil(mean + 10 * Math.sqrt(mean) + 10);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (midLower(middle, before.events + middle, share) <= tail) low = middle;
    else high = middle;
  }
  return low < 0 ? 0 : poissonLower(low, mean);
}

function* observedOf({ before, after, control }: ProofInput): Generator<[string, Observed]> {
  yield ['before', before];
  yield ['after', after];
  if (control)
    yield* [['control before', control.before] as [string, Observed], ['control after', control.after]];
}

function check(name: string, { events, exposure }: Observed): void {
  if (!(events >= 0 && Number.isFinite(events))) throw new RangeError(`${name}: ${events} events`);
  if (!(exposure >= 0 && Number.isFinite(exposure)))
    throw new RangeError(`${name}: an exposure of ${exposure}`);
  if (exposure === 0 && events > 0) throw new RangeError(`${name}: ${events} events in no exposure`);
}
