// A lower bound of what any packing costs, from prices of the items that need not be the right ones (Farley 1990;
// Lagrange for bins of which there are only so many). In whole numbers, so that rounding never makes it too high.
import type { Duals } from './master.ts';
import type { Problem } from './problem.ts';

/** Prices of items, limits and shares, as whole numbers of 1/scale of a price unit. */
export interface WholeDuals {
  scale: number;
  items: Float64Array;
  limits: Float64Array;
  shares: Float64Array;
}

/** The dearest bin costs about this: sums over a million items stay exact. */
const DEAREST = 2 ** 30;

export function wholeDuals(duals: Duals, problem: Problem): WholeDuals {
  const dearest = Math.max(1, ...problem.bins.map(({ price }) => price));
  const scale = Math.max(1, Math.floor(DEAREST / dearest));
  const whole = (values: Float64Array) => values.map((value) => Math.floor(value * scale));
  return { scale, items: whole(duals.items), limits: whole(duals.limits), shares: whole(duals.shares) };
}

/** What a bin costs beside its price, because limits and shares bind: never more than it is. */
export function extraOf(problem: Problem, duals: WholeDuals): Float64Array {
  const extra = new Float64Array(problem.bins.length);
  problem.limits.forEach(({ bins }, at) => {
    for (const bin of bins) extra[bin] = (extra[bin] as number) + (duals.limits[at] as number);
  });
  problem.shares.forEach(({ bins, share }, at) => {
    const inside = new Set(bins);
    const dual = duals.shares[at] as number;
    for (let bin = 0; bin < extra.length; bin++)
      extra[bin] = Math.floor((extra[bin] as number) + dual * ((inside.has(bin) ? 1 : 0) - share) - 1e-6);
  });
  return extra;
}

/** What floating point may have got wrong in a sum over all items. */
const SLACK = 1e-12;

export interface Proof {
  /** No packing that places every item costs less. */
  bound: number;
  duals: WholeDuals;
  /** By bin: no filling is worth more at these duals. */
  worth: Float64Array;
  /** By what the duals are to be divided, so that no filling of any bin is worth more than `ceilings` says of it. */
  divisor: number;
  /** By bin, in the units of the duals. */
  ceilings: Float64Array;
}

/**
 * `worth` says for each bin what its best filling is worth at these duals at most. Duals that are too high are scaled
 * down, or paid for by the bins of which there are only so many.
 */
export function prove(problem: Problem, duals: WholeDuals, worth: Float64Array): Proof {
  const { items, bins, limits } = problem;
  const extra = extraOf(problem, duals);
  const price = (bin: number) => (bins[bin]?.price ?? 0) * duals.scale;
  const over = bins.map((_, bin) => (worth[bin] as number) - (extra[bin] as number));
  const limitOf = tightestLimits(problem);
  let value = 0;
  items.forEach(({ count }, item) => {
    value += count * (duals.items[item] as number);
  });
  limits.forEach(({ max }, at) => {
    value -= max * (duals.limits[at] as number);
  });
  const proofAt = (divisor: number): Proof => {
    const charges = new Float64Array(limits.length);
    over.forEach((each, bin) => {
      const limit = limitOf[bin];
      if (limit !== undefined)
        charges[limit] = Math.max(charges[limit] as number, each / divisor - price(bin));
    });
    const charged = limits.reduce((sum, { max }, at) => sum + max * (charges[at] as number), 0);
    const ceilings = Float64Array.from(bins, (_, bin) => {
      const charge = limits.reduce(
        (sum, limit, at) => (limit.bins.includes(bin) ? sum + (charges[at] as number) : sum),
        0,
      );
      return divisor * (price(bin) + charge) + (extra[bin] as number);
    });
    return {
      bound: ((value / divisor - charged) / duals.scale) * (1 - SLACK),
      duals,
      worth,
      divisor,
      ceilings,
    };
  };
  /** By how much the duals would have to be divided, for no bin to be worth more than it costs. */
  const divisorOf = (of: (bin: number) => boolean) =>
    over.reduce((most, each, bin) => (each > 0 && of(bin) ? Math.max(most, each / price(bin)) : most), 0);
  const unlimited = divisorOf((bin) => limitOf[bin] === undefined);
  const proofs = [unlimited, Math.max(unlimited, 1), divisorOf(() => true)]
    .filter((divisor) => divisor > 0 && divisor !== Number.POSITIVE_INFINITY)
    .map(proofAt);
  // Items that are worth nothing prove only that no machine costs less than nothing.
  const none = (values: Float64Array) => new Float64Array(values.length);
  const nothing: Proof = {
    bound: 0,
    duals: {
      ...duals,
      items: none(duals.items),
      limits: none(duals.limits),
      shares: none(duals.shares),
    },
    worth: none(worth),
    divisor: 1,
    ceilings: Float64Array.from(bins, (_, bin) => price(bin)),
  };
  return proofs.reduce((best, proof) => (proof.bound > best.bound ? proof : best), nothing);
}

/** By bin the limit that leaves the fewest; undefined where there may be any number. */
export function tightestLimits({ bins, limits }: Problem): (number | undefined)[] {
  const tightest: (number | undefined)[] = bins.map(() => undefined);
  limits.forEach(({ bins: some, max }, at) => {
    for (const bin of some) {
      const before = tightest[bin];
      if (before === undefined || max < (limits[before]?.max ?? 0)) tightest[bin] = at;
    }
  });
  return tightest;
}
