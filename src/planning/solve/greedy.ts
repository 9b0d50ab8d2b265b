// What autoscalers do. `machineAfterMachine` gives the first plan, within a second at any size; the two others are
// what the planner is measured by (bench/plan.ts).
import { BinCounts } from './bin-counts.ts';
import { type Bin, type Item, mostIn, type Packing, type Pattern, type Problem } from './problem.ts';

/** By item and resource: the share that one of it takes of a bin that has the most of everything. */
function sharesOf({ items, bins }: Problem): number[][] {
  const largest = (items[0]?.need ?? []).map((_, resource) =>
    Math.max(1, ...bins.map(({ room }) => room[resource] ?? 0)),
  );
  return items.map(({ need }) => need.map((amount, resource) => amount / (largest[resource] as number)));
}

function dominantShares(problem: Problem): number[] {
  return sharesOf(problem).map((shares) => Math.max(...shares));
}

/** Items by index, the one that takes most first. */
function decreasing(problem: Problem): number[] {
  const shares = dominantShares(problem);
  return problem.items
    .map((_, item) => item)
    .sort((a, b) => (shares[b] as number) - (shares[a] as number) || a - b);
}

export interface Greedy {
  packing: Packing;
  /** By item. */
  unplaced: number[];
}

/**
 * One kind of bin after another is filled with what is left, largest first; the one whose price is least for what it
 * takes is bought, as often as the items last.
 */
export function machineAfterMachine(problem: Problem): Greedy {
  const { items, bins } = problem;
  const order = decreasing(problem);
  const shares = dominantShares(problem);
  const apart = apartOf(problem);
  const rest = items.map(({ count }) => count);
  const counts = new BinCounts(problem);
  const packing: { pattern: Pattern; count: number }[] = [];
  for (;;) {
    let best: { pattern: Pattern; ratio: number } | undefined;
    bins.forEach((bin, at) => {
      if (counts.left(at) === 0) return;
      const filled = fillLargestFirst(bin, items, order, rest, apart);
      const value = filled.reduce((sum, [item, count]) => sum + count * (shares[item] as number), 0);
      if (value > 0 && (!best || bin.price / value < best.ratio))
        best = { pattern: { bin: at, items: filled }, ratio: bin.price / value };
    });
    if (!best) return { packing, unplaced: rest };
    const { pattern } = best;
    const count = Math.min(
      counts.left(pattern.bin),
      ...pattern.items.map(([item, each]) => Math.floor((rest[item] as number) / each)),
    );
    for (const [item, each] of pattern.items) rest[item] = (rest[item] as number) - count * each;
    counts.add(pattern.bin, count);
    packing.push({ pattern, count });
  }
}

function fillLargestFirst(
  bin: Bin,
  items: readonly Item[],
  order: readonly number[],
  rest: readonly number[],
  apart: readonly ReadonlySet<number>[],
): [number, number][] {
  const left = [...bin.room];
  const filled: [number, number][] = [];
  for (const item of order) {
    const count = Math.min(fittingIn(bin, left, items, item), rest[item] as number);
    if (count === 0 || filled.some(([other]) => apart[item]?.has(other))) continue;
    take(left, items[item] as Item, count);
    filled.push([item, count]);
  }
  return filled.sort(([a], [b]) => a - b);
}

function fittingIn(bin: Bin, left: readonly number[], items: readonly Item[], at: number): number {
  const item = items[at] as Item;
  let count = mostIn(item, at, bin);
  item.need.forEach((need, resource) => {
    if (need > 0) count = Math.min(count, Math.floor((left[resource] as number) / need));
  });
  return count;
}

function take(left: number[], { need }: Item, count: number): void {
  need.forEach((amount, resource) => {
    left[resource] = (left[resource] as number) - count * amount;
  });
}

interface Open {
  bin: number;
  left: number[];
  held: Map<number, number>;
}

/**
 * Items by falling size, each into a machine that is there already, or into a new one of the kind that is cheapest for
 * its size. `First`: the first that has room; `Best`: the one in which least is left of what the item takes most of.
 */
export function decreasingFit(problem: Problem, rule: 'First' | 'Best'): Greedy {
  const { items, bins } = problem;
  const apart = apartOf(problem);
  const counts = new BinCounts(problem);
  const shares = sharesOf(problem);
  const unplaced = items.map(() => 0);
  const machines: Open[] = [];
  for (const at of decreasing(problem)) {
    const item = items[at] as Item;
    let rest = item.count;
    const put = (machine: Open): void => {
      const bin = bins[machine.bin] as Bin;
      if ([...machine.held.keys()].some((other) => apart[at]?.has(other))) return;
      const count = Math.min(rest, fittingIn(bin, machine.left, items, at));
      if (count === 0) return;
      take(machine.left, item, count);
      machine.held.set(at, count);
      rest -= count;
    };
    const ofItem = shares[at] as number[];
    const scarce = ofItem.indexOf(Math.max(...ofItem));
    const order =
      rule === 'First'
        ? machines
        : machines.toSorted((a, b) => (a.left[scarce] as number) - (b.left[scarce] as number));
    for (const machine of order) {
      if (rest === 0) break;
      put(machine);
    }
    while (rest > 0) {
      const bin = cheapestFor(problem, at, counts);
      if (bin === undefined) break;
      const machine: Open = { bin, left: [...(bins[bin] as Bin).room], held: new Map() };
      put(machine);
      counts.add(bin, 1);
      machines.push(machine);
    }
    unplaced[at] = rest;
  }
  const packing = machines.map(({ bin, held }) => ({
    pattern: { bin, items: [...held].sort(([a], [b]) => a - b) },
    count: 1,
  }));
  return { packing, unplaced };
}

function cheapestFor({ items, bins }: Problem, item: number, counts: BinCounts): number | undefined {
  let best: number | undefined;
  let cheapest = Number.POSITIVE_INFINITY;
  bins.forEach((bin, at) => {
    const count = mostIn(items[item] as Item, item, bin);
    if (count === 0 || counts.left(at) === 0 || bin.price / count >= cheapest) return;
    cheapest = bin.price / count;
    best = at;
  });
  return best;
}

/** By item: those that it may not meet. */
export function apartOf({ items, apart }: Problem): Set<number>[] {
  const sets = items.map(() => new Set<number>());
  for (const [a, b] of apart) {
    sets[a]?.add(b);
    sets[b]?.add(a);
  }
  return sets;
}

/** For each item alone the bin that is cheapest for it, filled: with these every item is in some pattern. */
export function singlePatterns(problem: Problem): Pattern[] {
  const free = new BinCounts({ ...problem, limits: [] });
  return problem.items.flatMap((item, at) => {
    const bin = cheapestFor(problem, at, free);
    if (bin === undefined) return [];
    return [{ bin, items: [[at, mostIn(item, at, problem.bins[bin] as Bin)]] as [number, number][] }];
  });
}
