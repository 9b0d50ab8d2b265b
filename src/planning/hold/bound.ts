// A lower bound of what any holding costs (Farley 1990, over all periods at once), in whole numbers, so that rounding
// never makes it too high: what the items are worth in all periods, divided by how much more than its cost the best that
// can be done with any one machine is worth.
import { tightestLimits } from '../solve/bound.ts';
import type { HoldDuals } from './model.ts';
import type { HoldProblem } from './problem.ts';

/** Prices as whole numbers of 1/scale. */
export interface WholeHoldDuals extends HoldDuals {
  scale: number;
}

export interface HoldProof {
  bound: number;
  duals: WholeHoldDuals;
  /** By period and bin: no filling is worth more. */
  worth: readonly Float64Array[];
  divisor: number;
}

/** The dearest machine costs about this. */
const DEAREST = 2 ** 30;
/** What floating point may have got wrong in a sum, or a quotient. */
const SLACK = 1e-12;

export function wholeHoldDuals(problem: HoldProblem, duals: HoldDuals): WholeHoldDuals {
  const scale = Math.max(1, Math.floor(DEAREST / dearestOf(problem)));
  const whole = (all: Float64Array[]) =>
    all.map((values) => values.map((value) => Math.floor(value * scale)));
  return { scale, items: whole(duals.items), bins: whole(duals.bins), limits: whole(duals.limits) };
}

export function dearestOf({ held, rentals }: HoldProblem): number {
  return Math.max(1, ...held.map((cost) => cost ?? 0), ...rentals.map(({ cost }) => cost));
}

/**
 * For any prices of items and stock, none negative: a machine that is held is worth no more than the sum of `worth` over
 * its periods. Where the divisor makes that no more than its cost and the stock it takes, what the items are worth less
 * the stock is no more than what any plan costs.
 */
export function proveHold(
  problem: HoldProblem,
  duals: WholeHoldDuals,
  worth: readonly Float64Array[],
): HoldProof {
  const { packing, counts, held, rentals } = problem;
  const { limits, bins } = packing;
  const stock = stockPrices(problem, duals, worth);
  // By bin, sums over the periods so far.
  const worthTo = bins.map((_, bin) => sums(worth.map((each) => each[bin] as number)));
  const stockTo = bins.map((_, bin) =>
    sums(
      counts.map((_, period) =>
        limits.reduce(
          (sum, limit, at) => sum + (limit.bins.includes(bin) ? (stock[period]?.[at] ?? 0) : 0),
          0,
        ),
      ),
    ),
  );
  const between = (to: readonly number[] | undefined, first: number, last: number) =>
    (to?.[last + 1] ?? 0) - (to?.[first] ?? 0);
  let divisor = 0;
  const charge = (
    cost: number,
    bin: number,
    [first, last]: readonly [number, number],
    touches: readonly [number, number],
  ) => {
    const its = between(worthTo[bin], first, last);
    if (its <= 0) return;
    const paid = cost * duals.scale + between(stockTo[bin], ...touches);
    divisor = Math.max(divisor, paid > 0 ? its / paid : Number.POSITIVE_INFINITY);
  };
  const all = [0, counts.length - 1] as const;
  held.forEach((cost, bin) => {
    if (cost !== undefined) charge(cost, bin, all, all);
  });
  for (const { bin, cost, first, last, touches } of rentals) charge(cost, bin, [first, last], touches);
  const value = counts.reduce(
    (sum, own, period) =>
      sum + own.reduce((total, count, item) => total + count * (duals.items[period]?.[item] ?? 0), 0),
    0,
  );
  const taken = stock.reduce(
    (sum, prices) => sum + limits.reduce((total, { max }, at) => total + max * (prices[at] ?? 0), 0),
    0,
  );
  if (divisor === 0 || divisor === Number.POSITIVE_INFINITY) return { bound: 0, duals, worth, divisor: 1 };
  const [gives, takes] = [value / divisor, taken];
  return {
    bound: Math.max(0, (gives * (1 - SLACK) - takes * (1 + SLACK)) / duals.scale),
    duals,
    worth,
    divisor,
  };
}

/** Machines that cost nothing must be worth nothing but their stock: that is priced at what they are worth. */
function stockPrices(
  { packing, held }: HoldProblem,
  duals: WholeHoldDuals,
  worth: readonly Float64Array[],
): readonly Float64Array[] {
  const limitOf = tightestLimits(packing);
  return duals.limits.map((prices, period) => {
    const own = Float64Array.from(prices);
    held.forEach((cost, bin) => {
      const limit = limitOf[bin];
      if (cost === 0 && limit !== undefined)
        own[limit] = Math.max(own[limit] as number, worth[period]?.[bin] ?? 0);
    });
    return own;
  });
}

function sums(values: readonly number[]): number[] {
  const all = [0];
  for (const value of values) all.push((all.at(-1) as number) + value);
  return all;
}
