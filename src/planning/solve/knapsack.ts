// The knapsack with several constraints that prices patterns: which items are worth most together in one bin. Branch
// and bound, depth first; values are whole numbers, so that what it proves holds exactly.
import { relax } from './knapsack-lp.ts';

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

/** Cells of the table of bounds along one resource, at most. */
const CELLS_MAX = 2_000;
/** Floating point may say too little by this share: bounds are raised by it. */
const SLACK = 1e-9;
const FILLINGS_MAX = 8;

export function fillBest(knapsack: Knapsack): Answer {
  const search = new Search(knapsack);
  if (search.rootBound() <= knapsack.target) return { fillings: [], upper: knapsack.target, nodes: 0 };
  const start = dive(knapsack, search.amounts);
  search.mustBeat(start.at(-1)?.value ?? 0);
  const answer = search.run();
  return { ...answer, fillings: [...start, ...answer.fillings] };
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
  /** As the relaxation fills the bin. */
  readonly amounts: Float64Array;
  readonly #worth: Float64Array;
  readonly #left: Float64Array;
  readonly #counts: Int32Array;
  readonly #banned: Int32Array;
  /** The resource along which whole numbers count in the bound. */
  readonly #exact: number;
  readonly #step: number;
  readonly #cells: number;
  /** What items from this place in the order on are worth at most, by what is left of that resource. */
  readonly #table: Float64Array;
  readonly #fillings: Filling[] = [];
  #best: number;
  #open = Number.NEGATIVE_INFINITY;
  #nodes = 0;

  constructor(knapsack: Knapsack) {
    const { values, needs, room, target } = knapsack;
    this.#knapsack = knapsack;
    this.#rows = room.length;
    this.#left = Float64Array.from(room);
    this.#counts = new Int32Array(values.length);
    this.#banned = new Int32Array(values.length);
    this.#best = target;
    const { worth, amounts } = relax(knapsack);
    this.#worth = worth;
    this.amounts = amounts;
    const rows = this.#rows;
    const price = (item: number) => {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += (this.#worth[r] as number) * (needs[item * rows + r] as number);
      return sum;
    };
    const efficiency = Float64Array.from(values, (value, item) => value / (price(item) + 1e-9 * value));
    this.#order = Array.from(values, (_, item) => item).sort(
      (a, b) => (efficiency[b] as number) - (efficiency[a] as number) || a - b,
    );
    this.#exact = mostBinding(this.#worth, room);
    const whole = room[this.#exact] ?? 0;
    this.#step = Math.max(1, Math.ceil(whole / CELLS_MAX));
    this.#cells = Math.ceil(whole / this.#step) + 1;
    this.#table = this.#bounds();
  }

  rootBound(): number {
    return this.#bound(0, 0);
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
      if (this.#bound(place, value) <= this.#best) return true;
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

  /** Suffix by suffix: the Lagrangian of all resources but one, and a dynamic program along that one. */
  #bounds(): Float64Array {
    const { values, needs, most } = this.#knapsack;
    const [rows, cells, exact] = [this.#rows, this.#cells, this.#exact];
    const table = new Float64Array((this.#order.length + 1) * cells);
    for (let place = this.#order.length - 1; place >= 0; place--) {
      const item = this.#order[place] as number;
      let gain = values[item] as number;
      for (let r = 0; r < rows; r++)
        if (r !== exact) gain -= (this.#worth[r] as number) * (needs[item * rows + r] as number);
      const [here, after] = [place * cells, (place + 1) * cells];
      // Rounded down: what is left is rounded up, so that nothing possible is left out.
      const size = Math.floor((needs[item * rows + exact] ?? 0) / this.#step);
      const count = most[item] as number;
      table.copyWithin(here, after, after + cells);
      if (gain <= 0) continue;
      if (size === 0) {
        for (let cell = 0; cell < cells; cell++)
          table[here + cell] = (table[here + cell] as number) + gain * count;
      } else if (count * size >= cells - 1) {
        for (let cell = size; cell < cells; cell++) {
          const taken = (table[here + cell - size] as number) + gain;
          if (taken > (table[here + cell] as number)) table[here + cell] = taken;
        }
      } else {
        for (let cell = size; cell < cells; cell++) {
          let best = table[here + cell] as number;
          for (let n = 1; n <= count && n * size <= cell; n++) {
            const taken = (table[after + cell - n * size] as number) + n * gain;
            if (taken > best) best = taken;
          }
          table[here + cell] = best;
        }
      }
    }
    return table;
  }

  #bound(place: number, value: number): number {
    let bound = value;
    for (let r = 0; r < this.#rows; r++)
      if (r !== this.#exact) bound += (this.#worth[r] as number) * (this.#left[r] as number);
    const cell = Math.ceil((this.#left[this.#exact] ?? 0) / this.#step);
    bound += this.#table[place * this.#cells + cell] as number;
    return bound * (1 + SLACK);
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
    const bound = this.#bound(place, value);
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

function mostBinding(worth: Float64Array, room: Float64Array): number {
  let most = 0;
  for (let r = 1; r < room.length; r++)
    if ((worth[r] as number) * (room[r] as number) > (worth[most] as number) * (room[most] as number))
      most = r;
  return most;
}
