// From so many held machines to a whole plan: each period is packed by itself, with the held ones at no price and any
// more at what a rental costs there; then what is used is held or rented as is cheapest.
import type { Highs } from 'highs';
import { type Packing, type Problem, sum, together } from '../solve/problem.ts';
import { solve } from '../solve/solve.ts';
import { type Holding, type HoldProblem, problemIn } from './problem.ts';
import { cheapestHolding } from './split.ts';

export interface WholeHolding {
  holding: Holding;
  /** By period. */
  packings: readonly Packing[];
}

export interface RoundOptions {
  solver: Highs;
  gap: number;
  stop: () => boolean;
}

/** One period by itself need not be the best possible: its search is broken off when it has asked so often whether to stop. */
const ASKED_MAX = 200;
/** Of the dearest rental, in whole numbers. */
const DEAREST = 1_000_000;

/** undefined: some Pods have no place, or the stock does not do. */
export function* roundHolding(
  problem: HoldProblem,
  held: readonly number[],
  { solver, gap, stop }: RoundOptions,
): Generator<undefined, WholeHolding | undefined> {
  const packings: Packing[] = [];
  const known = new Map<string, Packing>();
  for (const period of problem.counts.keys()) {
    const doubled = withHeld(problem, held, period);
    // Periods that differ in nothing but their length are packed alike.
    const key = JSON.stringify([problem.counts[period], doubled.bins.map(({ price }) => price)]);
    let packing = known.get(key);
    if (!packing) {
      let asked = 0;
      const steps = solve(doubled, { solver, gap, stop: () => ++asked > ASKED_MAX || stop() });
      for (;;) {
        const { done, value } = steps.next();
        if (!done) {
          yield;
          continue;
        }
        if (value.unplaced.some((count) => count > 0)) return undefined;
        packing = asOne(value.packing, problem.packing.bins.length);
        break;
      }
      known.set(key, packing);
    }
    packings.push(packing);
  }
  const holding = cheapestHolding(solver, problem, usedIn(problem, packings));
  return holding && { holding, packings };
}

/** By period and bin: machines that hold something. */
export function usedIn({ packing: { bins } }: HoldProblem, packings: readonly Packing[]): number[][] {
  return packings.map((packing) => {
    const used = bins.map(() => 0);
    for (const { pattern, count } of packing) used[pattern.bin] = (used[pattern.bin] as number) + count;
    return used;
  });
}

/** Every bin twice: held at no price, of which there are so many, and more. */
function withHeld(problem: HoldProblem, held: readonly number[], period: number): Problem {
  const own = problemIn(problem, period);
  const count = own.bins.length;
  const prices = extraPrices(problem, period);
  const dearest = Math.max(1e-9, ...prices.map((price) => price ?? 0));
  const everything = new Set(own.items.keys());
  return {
    ...own,
    bins: [
      ...own.bins.map((bin) => ({ ...bin, price: 0 })),
      ...own.bins.map((bin, at) => {
        const price = prices[at];
        if (price === undefined) return { ...bin, price: DEAREST, refuses: everything };
        return { ...bin, price: Math.max(1, Math.round((price / dearest) * DEAREST)) };
      }),
    ],
    limits: [
      ...own.limits.map((limit) => ({ ...limit, bins: limit.bins.flatMap((bin) => [bin, bin + count]) })),
      ...held.map((max, bin) => ({ name: `held ${own.bins[bin]?.name}`, bins: [bin], max })),
    ],
  };
}

/** By bin: what one more costs in an hour of this period, rented if it can be. */
function extraPrices({ packing, rentals, held, hours }: HoldProblem, period: number): (number | undefined)[] {
  const all = sum(hours);
  const prices: (number | undefined)[] = packing.bins.map(() => undefined);
  for (const { bin, cost, first, last } of rentals) {
    if (first > period || last < period) continue;
    const price = cost / sum(hours.slice(first, last + 1));
    const before = prices[bin];
    if (before === undefined || price < before) prices[bin] = price;
  }
  return prices.map((price, bin) => {
    const ofHeld = held[bin];
    return price ?? (ofHeld === undefined ? undefined : ofHeld / all);
  });
}

function asOne(packing: Packing, bins: number): Packing {
  return together(
    packing.map(({ pattern, count }) => ({ pattern: { ...pattern, bin: pattern.bin % bins }, count })),
  );
}
