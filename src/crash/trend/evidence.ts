// Evidence that the rate has risen, gathered over points: for each of several sizes of surge the likelihood
// ratio "so many times the expected" against "as expected", summed over all possible days of onset.
//
// That is Shiryaev and Roberts' statistic R ← (1 + R)·L, as a mixture over sizes (Pollak 1987; "e-detector",
// Shin, Ramdas and Rinaldo 2023). Without a surge R grows by one a point on average whatever the sizes and
// weights are, so the mean time between false alarms at a limit c is at least c points, and the probability of
// any within n points is at most n ÷ c: a statement that holds for looking after each point. Beside it runs a
// CUSUM of each size (Page 1954, Lucas 1985), whose last zero is the best guess at the onset.
import { lgamma } from '../statistics.ts';
import type { Expected } from './baseline.ts';

/** Sizes of surge that are looked for, how much of the mixture each has, and the days on which it would show. */
const SHAPES: readonly { ratio: number; weight: number; weekend?: true }[] = [
  { ratio: 1.5, weight: 0.22 },
  { ratio: 2, weight: 0.25 },
  { ratio: 3, weight: 0.18 },
  { ratio: 5, weight: 0.1 },
  { ratio: 10, weight: 0.07 },
  { ratio: 50, weight: 0.03 },
  { ratio: 2, weight: 0.09, weekend: true },
  { ratio: 4, weight: 0.06, weekend: true },
];

export interface Onset {
  date: string;
  at: number;
  events: number;
  expected: number;
}

/** What is looked for is found a little later than its expected evidence reaches the limit. */
const LATE = 1.5;

/** How much evidence one expected event gives when the rate is so many times as high (Kullback and Leibler). */
function informationOf(ratio: number): number {
  return ratio * Math.log(ratio) - ratio + 1;
}

/**
 * What a point's evidence for this size of surge is worth: its log-likelihood counts by this share, as
 * quasi-likelihood divides by the dispersion. The error of the level is shared by all points of the window that it
 * takes to see such a surge: small ones take long, and are doubted most. A ratio raised to a power under 1 keeps
 * its mean at 1 or less, so the bound holds. (A larger dispersion would not do instead: it takes rare counts for
 * bursts, and evenly spread ones for a surge.)
 */
export function worthOf(ratio: number, limit: number, expected: Expected): number {
  const { mean, own, scatter, shared } = expected;
  const window_events = Math.max(mean, ((limit + LATE) * own) / informationOf(ratio));
  return own / (scatter + window_events * shared);
}

export class Evidence {
  readonly #limit: number;
  /** ln R of each shape, and its CUSUM with what it has seen since its last zero. */
  readonly #logR = new Float64Array(SHAPES.length).fill(-Infinity);
  readonly #cusum = new Float64Array(SHAPES.length);
  readonly #events = new Float64Array(SHAPES.length);
  readonly #expected = new Float64Array(SHAPES.length);
  readonly #since: { date: string; at: number }[] = SHAPES.map(() => ({ date: '', at: 0 }));

  /** `limit`: what ln of the mixture must reach. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  reset(): void {
    this.#logR.fill(-Infinity);
    this.#cusum.fill(0);
  }

  add(point: { date: string; at: number; weekend: boolean }, count: number, expected: Expected): void {
    const { mean, own } = expected;
    const likelihood = logRatioOf(count, mean, own);
    for (const [at, shape] of SHAPES.entries()) {
      const ratio =
        shape.weekend && !point.weekend
          ? 0
          : worthOf(shape.ratio, this.#limit, expected) * likelihood(shape.ratio);
      const before = this.#logR[at] as number;
      this.#logR[at] = ratio + (before > 30 ? before : Math.log1p(Math.exp(before)));
      const cusum = this.#cusum[at] as number;
      if (cusum <= 0) {
        this.#since[at] = point;
        this.#events[at] = 0;
        this.#expected[at] = 0;
      }
      this.#cusum[at] = Math.max(0, cusum) + ratio;
      (this.#events[at] as number) += count;
      (this.#expected[at] as number) += mean;
    }
  }

  /** ln of the mixture. */
  get log(): number {
    let sum = 0;
    let top = -Infinity;
    for (const log of this.#logR) if (log > top) top = log;
    if (top === -Infinity) return top;
    for (const [at, { weight }] of SHAPES.entries())
      sum += weight * Math.exp((this.#logR[at] as number) - top);
    return top + Math.log(sum);
  }

  /** Where the surge most likely began, by the size that explains best. */
  get onset(): Onset {
    let best = 0;
    for (let at = 1; at < SHAPES.length; at++)
      if ((this.#cusum[at] as number) > (this.#cusum[best] as number)) best = at;
    const { date, at } = this.#since[best] as { date: string; at: number };
    return { date, at, events: this.#events[best] as number, expected: this.#expected[best] as number };
  }
}

/** Up to this count the ratio of two Γ is a product of so many factors, above it is worth two logarithms. */
const PRODUCT_UP_TO = 24;

/** ln P(count | ratio × mean) − ln P(count | mean), both with this dispersion. */
export function logRatioOf(count: number, mean: number, dispersion: number): (ratio: number) => number {
  if (dispersion < 1 + 1e-6) return (ratio) => count * Math.log(ratio) - (ratio - 1) * mean;
  const size = mean / (dispersion - 1);
  const perSize = Math.log(dispersion);
  if (count <= PRODUCT_UP_TO) {
    return (ratio) => {
      const larger = size * ratio;
      let product = 1;
      for (let i = 0; i < count; i++) product *= (larger + i) / (size + i);
      return Math.log(product) - (ratio - 1) * size * perSize;
    };
  }
  const base = lgamma(count + size) - lgamma(size);
  return (ratio) => {
    const larger = size * ratio;
    return lgamma(count + larger) - lgamma(larger) - base - (ratio - 1) * size * perSize;
  };
}
