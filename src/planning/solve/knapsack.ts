// The knapsack with several constraints that prices patterns: which items are worth most together in one bin. Branch
// and bound, depth first; values are whole numbers, so that what it proves holds exactly.
import { type Relaxed, relax } from './knapsack-lp.ts';
import { SuffixBounds } from './suffix-bounds.ts';

export interface Knapsack {
  /** Whole numbers over 0. */
  values: Float64Array;
  /** Item after item, one number for each resource. */
  needs: Float64Array;
  /** Of each item, at least 1. */
  most: Float64Array;
  room: Float64Array;
  /** Items that may not meet, by index; undefined: none. */
  apart?: readonly (readonly number[])[] | undefined;
  /** Only fillings worth more than this matter: the others need not be told apart. */
  target: number;
  /** So many nodes at most. */
  nodes: number;
  /** Numbers in the table of bounds, at most, where two resources are to count in whole numbers in it. */
  grid?: number;
}

export interface Filling {
  value: number;
  counts: Int32Array;
}

export interface Answer {
  /** Worth more than the target, the best last; empty where none was found. */
  fillings: Filling[];
  /** No filling is worth more than the greater of this and the target. */
  upper: number;
  nodes: number;
}

const FILLINGS_MAX = 8;
/** What floating point may get wrong. */
const SLACK = 1e-9;

export function fillBest(knapsack: Knapsack): Answer {
  const relaxation = relax(knapsack);
  const kept = possibleItems(knapsack, relaxation.worth);
  if (kept.length === knapsack.values.length) return searched(knapsack, relaxation);
  const smaller = only(knapsack, kept);
  const { fillings, upper, nodes } = searched(smaller, relax(smaller));
  const widened = fillings.map(({ value, counts }) => {
    const all = new Int32Array(knapsack.values.length);
    kept.forEach((item, at) => {
      all[item] = counts[at] as number;
    });
    return { value, counts: all };
  });
  return { fillings: widened, upper, nodes };
}

function searched(knapsack: Knapsack, relaxation: Relaxed): Answer {
  const search = new Search(knapsack, relaxation);
  if (search.rootBound() <= knapsack.target) return { fillings: [], upper: knapsack.target, nodes: 0 };
  const start = dive(knapsack, relaxation.amounts);
  search.mustBeat(start.at(-1)?.value ?? 0);
  const answer = search.run();
  return { ...answer, fillings: [...start, ...answer.fillings] };
}

/** Items that may be in a filling worth more than the target: of the others one is too dear at the multipliers. */
function possibleItems({ values, needs, most, room, target }: Knapsack, worth: Float64Array): number[] {
  const gains = Float64Array.from(values, (value, item) => {
    let gain = value;
    for (let r = 0; r < room.length; r++)
      gain -= (worth[r] as number) * (needs[item * room.length + r] as number);
    return gain;
  });
  let bound = 0;
  for (let r = 0; r < room.length; r++) bound += (worth[r] as number) * (room[r] as number);
  gains.forEach((gain, item) => {
    if (gain > 0) bound += gain * (most[item] as number);
  });
  return Array.from(gains.keys()).filter(
    (item) => (bound + Math.min(0, gains[item] as number)) * (1 + SLACK) > target,
  );
}

function only({ values, needs, most, room, apart, ...rest }: Knapsack, kept: readonly number[]): Knapsack {
  const place = new Map(kept.map((item, at) => [item, at]));
  return {
    ...rest,
    room,
    values: Float64Array.from(kept, (item) => values[item] as number),
    needs: Float64Array.from(
      kept.flatMap((item) => [...needs.subarray(item * room.length, (item + 1) * room.length)]),
    ),
    most: Float64Array.from(kept, (item) => most[item] as number),
    ...(apart && {
      apart: kept.map((item) => (apart[item] ?? []).flatMap((other) => place.get(other) ?? [])),
    }),
  };
}

/** Every filling worth at least this to which nothing can be added; undefined where there are more than `max`, or too many nodes. */
export function allFillings(knapsack: Knapsack, max: number): Filling[] | undefined {
  const search = new Search({ ...knapsack, target: knapsack.target - 1 });
  return search.all(max);
}

/** Shares of the relaxation's filling that are kept, before the rest is searched through. */
const KEPT = [1, 0.75, 0.5, 0.25];
const DIVE_NODES = 400;

/** Part of the bin as the relaxation fills it, rounded down; the rest by a search of few nodes. */
function dive(knapsack: Knapsack, amounts: Float64Array): Filling[] {
  const { values, target } = knapsack;
  const fillings: Filling[] = [];
  let best = target;
  for (const kept of KEPT) {
    const fixed = Float64Array.from(amounts, (amount) => Math.floor(amount * kept + 1e-6));
    const { room, most, value } = rest(knapsack, fixed);
    const search = new Search({
      ...knapsack,
      room,
      most,
      target: Math.max(0, best - value),
      nodes: DIVE_NODES,
    });
    const found = search.run().fillings.at(-1);
    const total = value + (found?.value ?? 0);
    if (total <= best) continue;
    best = total;
    const counts = Int32Array.from(values, (_, item) => (fixed[item] as number) + (found?.counts[item] ?? 0));
    fillings.push({ value: total, counts });
  }
  return fillings;
}

/** What is left of the bin when these are in it. Of two that may not meet only the first stays. */
function rest({ values, needs, most, room, apart }: Knapsack, fixed: Float64Array) {
  const left = Float64Array.from(room);
  const free = Float64Array.from(most);
  let value = 0;
  for (let item = 0; item < values.length; item++) {
    if (free[item] === 0) fixed[item] = 0;
    const count = fixed[item] as number;
    if (count === 0) continue;
    value += count * (values[item] as number);
    free[item] = (free[item] as number) - count;
    for (let r = 0; r < room.length; r++)
      left[r] = (left[r] as number) - count * (needs[item * room.length + r] as number);
    for (const other of apart?.[item] ?? []) free[other] = 0;
  }
  return { room: left, most: free, value };
}

class Search {
  readonly #knapsack: Knapsack;
  readonly #rows: number;
  /** Items in the order in which they are decided: what is worth most for what it takes comes first. */
  readonly #order: number[];
  readonly #left: Float64Array;
  readonly #counts: Int32Array;
  readonly #banned: Int32Array;
  readonly #bounds: SuffixBounds;
  readonly #fillings: Filling[] = [];
  #best: number;
  #open = Number.NEGATIVE_INFINITY;
  #nodes = 0;

  constructor(knapsack: Knapsack, { worth }: Relaxed = relax(knapsack)) {
    const { values, room, target } = knapsack;
    this.#knapsack = knapsack;
    this.#rows = room.length;
    this.#left = Float64Array.from(room);
    this.#counts = new Int32Array(values.length);
    this.#banned = new Int32Array(values.length);
    this.#best = target;
    this.#order = byEfficiency(knapsack, worth);
    this.#bounds = new SuffixBounds({ ...knapsack, worth, order: this.#order, grid: knapsack.grid ?? 0 });
  }

  rootBound(): number {
    return this.#bounds.at(0, this.#left);
  }

  mustBeat(value: number): void {
    this.#best = Math.max(this.#best, value);
  }

  all(max: number): Filling[] | undefined {
    const found: Filling[] = [];
    const visit = (from: number, value: number): boolean => {
      this.#nodes++;
      const place = this.#nextFitting(from);
      if (place === this.#order.length) {
        if (value > this.#best && this.#isFull())
          found.push({ value, counts: Int32Array.from(this.#counts) });
        return found.length <= max;
      }
      if (value + this.#bounds.at(place, this.#left) <= this.#best) return true;
      if (this.#nodes >= this.#knapsack.nodes) return false;
      const item = this.#order[place] as number;
      for (let count = this.#fitting(item); count >= 0; count--) {
        this.#take(item, count);
        const goesOn = visit(place + 1, value + count * (this.#knapsack.values[item] as number));
        this.#take(item, -count);
        if (!goesOn) return false;
      }
      return true;
    };
    return visit(0, 0) ? found : undefined;
  }

  run(): Answer {
    this.#visit(0, 0);
    const upper = Math.max(this.#best, this.#open);
    return { fillings: this.#fillings, upper, nodes: this.#nodes };
  }

  #nextFitting(from: number): number {
    let place = from;
    while (place < this.#order.length && this.#fitting(this.#order[place] as number) === 0) place++;
    return place;
  }

  #isFull(): boolean {
    return this.#order.every((item) => this.#fitting(item) === 0);
  }

  /** How many more of it there may be. */
  #fitting(item: number): number {
    if (this.#banned[item]) return 0;
    const { needs, most } = this.#knapsack;
    let count = (most[item] as number) - (this.#counts[item] as number);
    for (let r = 0; r < this.#rows; r++) {
      const need = needs[item * this.#rows + r] as number;
      if (need > 0) count = Math.min(count, Math.floor((this.#left[r] as number) / need));
    }
    return count;
  }

  #take(item: number, count: number): void {
    const { needs, apart } = this.#knapsack;
    for (let r = 0; r < this.#rows; r++)
      this.#left[r] = (this.#left[r] as number) - count * (needs[item * this.#rows + r] as number);
    this.#counts[item] = (this.#counts[item] as number) + count;
    for (const other of apart?.[item] ?? [])
      this.#banned[other] = (this.#banned[other] as number) + Math.sign(count);
  }

  #visit(from: number, value: number): void {
    const { values, nodes } = this.#knapsack;
    this.#nodes++;
    if (value > this.#best) this.#keep(value);
    const place = this.#nextFitting(from);
    if (place === this.#order.length) return;
    const bound = value + this.#bounds.at(place, this.#left);
    if (bound <= this.#best) return;
    if (this.#nodes >= nodes) {
      this.#open = Math.max(this.#open, bound);
      return;
    }
    const item = this.#order[place] as number;
    for (let count = this.#fitting(item); count > 0; count--) {
      this.#take(item, count);
      this.#visit(place + 1, value + count * (values[item] as number));
      this.#take(item, -count);
    }
    this.#visit(place + 1, value);
  }

  #keep(value: number): void {
    this.#best = value;
    this.#fillings.push({ value, counts: Int32Array.from(this.#counts) });
    if (this.#fillings.length > FILLINGS_MAX) this.#fillings.shift();
  }
}

/** What is worth most for what it takes comes first. */
function byEfficiency({ values, needs }: Knapsack, worth: Float64Array): number[] {
  const efficiency = Float64Array.from(values, (value, item) => {
    let price = 1e-9 * value;
    for (let r = 0; r < worth.length; r++)
      price += (worth[r] as number) * (needs[item * worth.length + r] as number);
    return value / price;
  });
  return Array.from(values, (_, item) => item).sort(
    (a, b) => (efficiency[b] as number) - (efficiency[a] as number) || a - b,
  );
}
