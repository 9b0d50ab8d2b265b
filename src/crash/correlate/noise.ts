// How noisy leaves are, from the leaves themselves. Tables of large numbers (forecast and actual by leaf) differ
// everywhere by a few percent, and counting statistics would call each of these differences certain.
import { normalQuantile } from '../statistics.ts';
import type { Block } from './cube.ts';

/** The median of a χ² variable with one degree of freedom. */
const CHI2_MEDIAN = 0.4549;
/** A leaf with fewer expected events says nothing of noise. */
const LEAF_EVENTS = 5;
const LEAVES_LEAST = 12;
/** Up to so many times Poisson's variance, leaves are counts that cluster a little. */
const COUNTS_UP_TO = 3;
/** Variance of a number that was rounded, and some room for what no model of noise knows. */
const ROUNDING = 0.25;
const LEAST_SPREAD = 0.005 ** 2;
const BINS_MAX = 10;
const BIN_LEAVES = 40;
/** A level of the bulk over which "as before" may be told apart from it. */
const APART = 1.2;
/** Where in its tail a side is compared with a normal distribution. */
const TAIL_SHARES = [0.05, 0.02, 0.005];
const TAIL_LEAVES = 60;
/** Before causes are known, they and what falls may pass for tails. */
const TAIL_MAX_AT_FIRST = 3;
const TAIL_MAX = 6;
/** No leaf may say that it rose more than so many times: a forecast of 0 would otherwise outshout all. */
const RATIO_MAX = 50;

export interface Noise {
  /** Observed ÷ expected of the bulk of leaves. */
  readonly level: number;
  /** ln of means, ascending, and the variance of leaves of that size ÷ their mean². */
  readonly sizes: readonly number[];
  readonly spreads: readonly number[];
  /** How much farther than a normal distribution's the tails reach; spreads have it in them. */
  readonly heavy: number;
  /** Numbers were rounded to whole ones. */
  readonly isWhole: boolean;
}

export interface Leaves {
  /** What is expected is what was before. */
  readonly hasBefore: boolean;
  readonly observed: Float64Array;
  readonly expected: Float64Array;
}

/** Observed and expected of each leaf: by its own earlier count where there is one. */
export function leavesFrom(block: Block, hasBefore: boolean): Leaves {
  const observed = block.weights.events ?? new Float64Array(block.rows);
  const base = block.weights.expected ?? new Float64Array(block.rows);
  if (!hasBefore) return { hasBefore, observed, expected: base };
  const { beforeEvents, beforeExpected } = block.weights;
  const expected = base.map((each, row) => {
    const exposed = beforeExpected?.[row] ?? 0;
    return exposed > 0 ? (each * (beforeEvents?.[row] ?? 0)) / exposed : each;
  });
  return { hasBefore, observed, expected };
}

/**
 * What the noise is where the leaves are dense, else undefined: then they are counts, of this dispersion. Leaves
 * that a cause explains already are left out, and tails may then reach as far as they do.
 */
export function noiseOf(
  leaves: Leaves,
  isAbsolute: boolean,
  isExplained?: Uint8Array,
): { dense: Noise } | { dispersion: number } {
  const { rows: large, isWhole } = tellingRows(leaves, isExplained);
  if (large.length < LEAVES_LEAST) return { dispersion: 1 };
  const { observed, expected } = leaves;
  const level = levelOf(
    large.map((row) => (observed[row] as number) / (expected[row] as number)),
    large.map((row) => Math.sqrt(expected[row] as number)),
    isAbsolute,
    leaves.hasBefore,
  );
  if (!(level > 0)) return { dispersion: 1 };
  const pearson = large.map((row) => residual(leaves, row, level) ** 2 * (expected[row] as number) * level);
  const dispersion = median(pearson) / CHI2_MEDIAN;
  const ofLarge = median(pearson.slice(-Math.max(LEAVES_LEAST, Math.floor(large.length / 4)))) / CHI2_MEDIAN;
  const looksCounted = dispersion >= 0.4 && Math.max(dispersion, ofLarge) <= COUNTS_UP_TO;
  if (isWhole && looksCounted && !isExplained) return { dispersion: Math.max(1, dispersion) };
  return { dense: fitted(leaves, large, level, isExplained ? TAIL_MAX : TAIL_MAX_AT_FIRST, isWhole) };
}

/** Leaves that say something of noise, by size; none where most events are in leaves that do not. */
function tellingRows(
  { observed, expected }: Leaves,
  isExplained: Uint8Array | undefined,
): { rows: number[]; isWhole: boolean } {
  const isWhole = observed.every((each) => Number.isInteger(each));
  const rows: number[] = [];
  let inRows = 0;
  let total = 0;
  for (let row = 0; row < expected.length; row++) {
    if (isExplained?.[row]) continue;
    const size = expected[row] as number;
    total += observed[row] as number;
    if (size <= 0 || (isWhole && size < LEAF_EVENTS)) continue;
    rows.push(row);
    inRows += observed[row] as number;
  }
  if (inRows < total / 2) return { rows: [], isWhole };
  // Equals by what they observed: the order of rows has no say.
  const difference = (of: Float64Array, a: number, b: number) => (of[a] as number) - (of[b] as number);
  rows.sort((a, b) => difference(expected, a, b) || difference(observed, a, b));
  return { rows, isWhole };
}

function residual({ observed, expected }: Leaves, row: number, level: number): number {
  return (observed[row] as number) / (level * (expected[row] as number)) - 1;
}

/** The variance of what is not unusual: where far more leaves rise than fall, that of the falling ones. */
function spreadOf(residuals: readonly number[]): number {
  const falling = residuals.filter((each) => each <= 0);
  const isSkewed = residuals.length - falling.length > 1.3 * falling.length && falling.length >= 8;
  return median((isSkewed ? falling : residuals).map((each) => each * each)) / CHI2_MEDIAN;
}

/**
 * Observed ÷ expected of the bulk. Where more than half of all leaves rose, or fell, "as it was before" is still the
 * level if a crowd of leaves stands there, apart from those that moved.
 */
function levelOf(
  ratios: readonly number[],
  weights: readonly number[],
  isAbsolute: boolean,
  hasBefore: boolean,
): number {
  const level = weightedMedian(ratios, weights);
  const hasMoved = (isAbsolute && level >= APART) || (hasBefore && level <= 1 / APART);
  if (!hasMoved) return level;
  const near = (place: number) => ratios.filter((ratio) => ratio > place / 1.08 && ratio < place * 1.08);
  const crowd = near(1);
  const isCrowd = crowd.length >= 0.15 * ratios.length && crowd.length > 1.5 * near(Math.sqrt(level)).length;
  return isCrowd ? median(crowd) : level;
}

/** Relative noise by size: the median residual of bins of leaves that are alike in size, joined by lines. */
function fitted(
  leaves: Leaves,
  large: readonly number[],
  level: number,
  tailMax: number,
  isWhole: boolean,
): Noise {
  const count = Math.max(1, Math.min(BINS_MAX, Math.floor(large.length / BIN_LEAVES)));
  const sizes: number[] = [];
  const spreads: number[] = [];
  for (let bin = 0; bin < count; bin++) {
    const rows = large.slice(
      Math.floor((bin * large.length) / count),
      Math.floor(((bin + 1) * large.length) / count),
    );
    sizes.push(Math.log(level * median(rows.map((row) => leaves.expected[row] as number))));
    spreads.push(spreadOf(rows.map((row) => residual(leaves, row, level))));
  }
  // Small leaves are no quieter than large ones; rounding only makes them look so.
  for (let bin = count - 2; bin >= 0; bin--)
    spreads[bin] = Math.max(spreads[bin] as number, spreads[bin + 1] as number);
  const noise = { level, sizes, spreads, heavy: 1, isWhole };
  const heavy = Math.min(tailMax, tailOf(leaves, large, noise));
  return { ...noise, spreads: spreads.map((spread) => spread * heavy * heavy), heavy };
}

/**
 * How much farther than a normal distribution's the tails reach. Causes lengthen only the tail of what rises, and
 * falls elsewhere only the other: the shorter one is noise.
 */
function tailOf(leaves: Leaves, large: readonly number[], noise: Noise): number {
  const sides: [number[], number[]] = [[], []];
  for (const row of large) {
    const mean = noise.level * (leaves.expected[row] as number);
    const away = Math.log(Math.max(leaves.observed[row] as number, mean / RATIO_MAX) / mean);
    sides[away > 0 ? 1 : 0].push(Math.abs(away) / Math.sqrt(spreadAt(noise, mean)));
  }
  return Math.max(1, Math.min(...sides.map(reach)));
}

function reach(side: number[]): number {
  if (side.length < TAIL_LEAVES) return 1;
  side.sort((a, b) => a - b);
  return TAIL_SHARES.reduce((most, share) => {
    const at = side[Math.floor(side.length * (1 - share))] as number;
    return Math.max(most, at / normalQuantile(1 - share / 2));
  }, 1);
}

/** Variance of a leaf ÷ its mean², for its mean. Smaller leaves than were measured are as noisy as counts. */
export function spreadAt({ sizes, spreads, isWhole }: Noise, mean: number): number {
  const size = Math.log(mean);
  const first = sizes[0] ?? 0;
  const rounded = isWhole ? ROUNDING / mean ** 2 : 0;
  if (size <= first) return Math.max(rounded, LEAST_SPREAD, (spreads[0] ?? 0) * Math.exp(first - size));
  let at = 1;
  while (at < sizes.length && (sizes[at] as number) < size) at++;
  if (at >= sizes.length) return Math.max(rounded, LEAST_SPREAD, spreads.at(-1) ?? 0);
  const share = (size - (sizes[at - 1] as number)) / ((sizes[at] as number) - (sizes[at - 1] as number));
  return Math.max(
    rounded,
    LEAST_SPREAD,
    (spreads[at - 1] as number) * (1 - share) + (spreads[at] as number) * share,
  );
}

/**
 * The leaves as if they were counts of just the weight that their noise leaves them: one with 5 % of noise says
 * as much as 400 events. Observed ÷ expected stays, scaled to the bulk.
 */
export function effective(block: Block, leaves: Leaves, noise: Noise): Block {
  const events = new Float64Array(block.rows);
  const expected = new Float64Array(block.rows);
  for (let row = 0; row < block.rows; row++) {
    const observed = leaves.observed[row] as number;
    const mean = Math.max(noise.level * (leaves.expected[row] as number), observed / RATIO_MAX);
    if (mean <= 0) continue;
    const weight = 1 / spreadAt(noise, mean);
    expected[row] = weight;
    events[row] = (weight * observed) / mean;
  }
  return { rows: block.rows, codes: block.codes, weights: { events, expected } };
}

/**
 * Variance ÷ mean of events that come in clusters on machines: Σm² ÷ Σm of the machines' counts (compound Poisson),
 * less what chance repeats. The worst two are left out: one machine in a crash loop is a finding, not a habit.
 */
export function clustering(counts: readonly number[], machines: number): number {
  const usual = counts.toSorted((a, b) => b - a).slice(CLUSTER_WORST);
  const events = usual.reduce((sum, count) => sum + count, 0);
  if (events === 0 || machines === 0) return 1;
  const squares = usual.reduce((sum, count) => sum + count * count, 0);
  return Math.max(1, squares / events - events / machines);
}

const CLUSTER_WORST = 2;

export function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

function weightedMedian(values: readonly number[], weights: readonly number[]): number {
  const order = values.map((_, at) => at).sort((a, b) => (values[a] as number) - (values[b] as number));
  const half = weights.reduce((sum, weight) => sum + weight, 0) / 2;
  let sum = 0;
  for (const at of order) {
    sum += weights[at] as number;
    if (sum >= half) return values[at] as number;
  }
  return 1;
}
