// Whole machines out of fractions, and better ones: rounded down, the rest packed machine by machine at the relaxation's
// prices; then some machines are emptied and packed anew, as long as that pays (ruin and recreate, Schrimpf et al. 2000).
import { seededRandom } from '../../platform/clock/random.ts';
import { BinCounts } from './bin-counts.ts';
import { wholeDuals } from './bound.ts';
import type { Relaxed } from './columns.ts';
import type { Pricer } from './pricing.ts';
import {
  type Bin,
  type Item,
  mostIn,
  type Packing,
  type Pattern,
  type Problem,
  ROUNDING,
  sum,
  together,
} from './problem.ts';

export interface Refined {
  packing: Packing;
  /** By item. */
  unplaced: readonly number[];
  cost: number;
}

/** On the way to a better packing it may be dearer than the best by this share of the cheapest machine (Dueck 1993). */
const WORSE = [0.3, 1];
/** So many steps with the one, then as many with the other. */
const STEPS_EACH = 500;
/** Machines emptied in one step: from 2 to this. */
const EMPTIED_MAX = 6;
/** Nodes of one knapsack: there are few items left to choose from. */
const NODES = 200;
/** Prices are moved by up to this share, so that another packing comes out. */
const SHAKE = 0.1;

/** The same input gives the same machines: what is drawn is drawn from a seed. */
export class Refiner {
  readonly #of: { problem: Problem; pricer: Pricer; relaxed: Relaxed; values: Float64Array };
  readonly #random = seededRandom(1);
  readonly #counts: BinCounts;
  /** Each with what it holds: never more than is asked for. */
  readonly #machines: Pattern[] = [];
  #unplaced: number[];
  #cost: number;
  #steps = 0;
  #best: Refined;
  readonly #priceMin: number;

  constructor(whole: Problem, pricer: Pricer, relaxed: Relaxed) {
    const problem = withLimits(whole, relaxed);
    this.#of = { problem, pricer, relaxed, values: wholeDuals(relaxed.duals, whole).items };
    this.#counts = new BinCounts(problem);
    this.#unplaced = problem.items.map(({ count }) => count);
    this.#roundDown();
    this.#pack(this.#unplaced, 0);
    this.#cost = this.#costFrom(0);
    this.#best = this.#copy();
    this.#priceMin = Math.min(...problem.bins.map(({ price }) => price).filter((price) => price > 0));
  }

  #copy(): Refined {
    return {
      packing: together(this.#machines.map((pattern) => ({ pattern, count: 1 }))),
      unplaced: [...this.#unplaced],
      cost: this.#cost,
    };
  }

  /** The best so far. */
  get best(): Refined {
    return this.#best;
  }

  /** Empties some machines and packs them anew; true where that made a new best. */
  step(): boolean {
    const removed = this.#remove(this.#chosen());
    const rest = [...this.#unplaced];
    for (const { items } of removed)
      for (const [item, count] of items) rest[item] = (rest[item] as number) + count;
    const kept = this.#machines.length;
    this.#pack(rest, SHAKE);
    const [before, after] = [costOf(this.#of.problem, removed), this.#costFrom(kept)];
    const [leftBefore, left] = [sum(this.#unplaced), sum(rest)];
    const cost = this.#cost - before + after;
    const worse = (WORSE[Math.floor(this.#steps++ / STEPS_EACH) % WORSE.length] as number) * this.#priceMin;
    if (left < leftBefore || (left === leftBefore && cost <= this.#best.cost + worse)) {
      this.#unplaced = rest;
      this.#cost = cost;
      if (left >= sum(this.#best.unplaced) && cost >= this.#best.cost) return false;
      this.#best = this.#copy();
      return true;
    }
    for (const { bin } of this.#machines.splice(kept)) this.#counts.add(bin, -1);
    for (const machine of removed) this.#add(machine);
    return false;
  }

  #roundDown(): void {
    const { patterns, amounts } = this.#of.relaxed;
    patterns.forEach((pattern, at) => {
      for (let n = Math.floor((amounts[at] as number) + ROUNDING); n > 0; n--) {
        const items = pattern.items
          .map(([item, count]): [number, number] => [item, Math.min(count, this.#unplaced[item] as number)])
          .filter(([, count]) => count > 0);
        if (items.length === 0 || this.#counts.left(pattern.bin) === 0) return;
        this.#take({ bin: pattern.bin, items }, this.#unplaced);
      }
    });
  }

  /** Places in the list; rather those of machines that cost much for what they hold. */
  #chosen(): number[] {
    const all = this.#machines.length;
    const count = Math.min(all, 2 + Math.floor(this.#random() * (EMPTIED_MAX - 1)));
    const draw = () => Math.floor(this.#random() * all);
    const chosen = new Set<number>();
    while (chosen.size < count) {
      const [a, b] = [draw(), draw()];
      chosen.add(this.#waste(a) > this.#waste(b) ? a : b);
      // Of few machines the worst would be drawn again and again.
      if (all <= 2 * EMPTIED_MAX) chosen.add(draw());
    }
    return [...chosen].sort((a, b) => b - a);
  }

  #waste(place: number): number {
    const { bin, items } = this.#machines[place] as Pattern;
    const held = items.reduce((total, [item, count]) => total + count * (this.#of.values[item] as number), 0);
    return held === 0 ? Number.POSITIVE_INFINITY : this.#price(bin) / held;
  }

  /** `places` fall. */
  #remove(places: readonly number[]): Pattern[] {
    return places.map((place) => {
      const machine = this.#machines[place] as Pattern;
      const last = this.#machines.pop() as Pattern;
      if (place < this.#machines.length) this.#machines[place] = last;
      this.#counts.add(machine.bin, -1);
      return machine;
    });
  }

  /** Machine after machine, the one whose price is least for what it takes in; the last is the cheapest that takes all. */
  #pack(rest: number[], shake: number): void {
    const values = this.#of.values.map((value) =>
      Math.max(1, Math.floor(value * (1 + shake * (2 * this.#random() - 1)))),
    );
    while (rest.some((count) => count > 0)) {
      const machine = this.#closing(rest) ?? this.#bestFilled(values, rest);
      if (!machine) return;
      this.#take(machine, rest);
    }
  }

  #bestFilled(values: Float64Array, rest: readonly number[]): Pattern | undefined {
    let best: Pattern | undefined;
    let ratio = Number.POSITIVE_INFINITY;
    for (const group of this.#of.pricer.groups) {
      const bin = this.#cheapest(group.bins);
      if (bin === undefined) continue;
      const target = Math.floor(this.#price(bin) / ratio);
      const filling = this.#of.pricer.fill(group, values, { target, nodes: NODES, rest }).fillings.at(-1);
      if (!filling) continue;
      best = { bin, items: filling.items };
      ratio = this.#price(bin) / filling.value;
      if (ratio === 0) break;
    }
    return best;
  }

  #closing(rest: readonly number[]): Pattern | undefined {
    const { problem } = this.#of;
    const able = problem.bins.flatMap((bin, at) =>
      this.#counts.left(at) > 0 && takesAll(problem, bin, rest) ? [at] : [],
    );
    const bin = this.#cheapest(able);
    if (bin === undefined) return undefined;
    return {
      bin,
      items: rest.flatMap((count, item): [number, number][] => (count > 0 ? [[item, count]] : [])),
    };
  }

  #cheapest(bins: readonly number[]): number | undefined {
    let best: number | undefined;
    for (const bin of bins)
      if (this.#counts.left(bin) > 0 && (best === undefined || this.#price(bin) < this.#price(best)))
        best = bin;
    return best;
  }

  #take(machine: Pattern, rest: number[]): void {
    for (const [item, count] of machine.items) rest[item] = (rest[item] as number) - count;
    this.#add(machine);
  }

  #add(machine: Pattern): void {
    this.#machines.push(machine);
    this.#counts.add(machine.bin, 1);
  }

  #price(bin: number): number {
    return this.#of.problem.bins[bin]?.price ?? 0;
  }

  #costFrom(place: number): number {
    let cost = 0;
    for (let at = place; at < this.#machines.length; at++)
      cost += this.#price(this.#machines[at]?.bin as number);
    return cost;
  }
}

/** Shares as limits, at as many machines as the fractions have: to count on more would break them. */
function withLimits(problem: Problem, { amounts }: Relaxed): Problem {
  const all = amounts.reduce((total, amount) => total + amount, 0);
  const shares = problem.shares.map(({ name, bins, share }) => ({
    name,
    bins,
    max: Math.floor(share * all + ROUNDING),
  }));
  return { ...problem, limits: [...problem.limits, ...shares] };
}

function takesAll({ items, apart }: Problem, bin: Bin, rest: readonly number[]): boolean {
  const left = [...bin.room];
  for (const [at, count] of rest.entries()) {
    if (count === 0) continue;
    const item = items[at] as Item;
    if (mostIn(item, at, bin) < count) return false;
    for (const [resource, need] of item.need.entries()) {
      left[resource] = (left[resource] as number) - count * need;
      if ((left[resource] as number) < 0) return false;
    }
  }
  return !apart.some(([a, b]) => (rest[a] as number) > 0 && (rest[b] as number) > 0);
}

function costOf({ bins }: Problem, machines: readonly Pattern[]): number {
  return machines.reduce((cost, { bin }) => cost + (bins[bin]?.price ?? 0), 0);
}
