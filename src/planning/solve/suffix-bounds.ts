// What the rest of the items can be worth at most, by what is left of a bin: a dynamic program in which one or two
// resources count in whole numbers, and the others by their multipliers (Lagrange).

export interface BoundsOf {
  values: Float64Array;
  /** Item after item, one number for each resource. */
  needs: Float64Array;
  most: Float64Array;
  room: Float64Array;
  /** What a unit of each resource is worth: any that are not negative give a valid bound. */
  worth: Float64Array;
  /** Items in the order in which they are decided. */
  order: readonly number[];
  /** Two resources count in whole numbers where the table has no more numbers than this; else one. */
  grid: number;
}

/** Cells along one resource, at most. */
const CELLS_MAX = 2_000;
/** Floating point may say too little by this share: bounds are raised by it. */
const SLACK = 1e-9;

/** A resource that counts in whole numbers, in steps. */
interface Axis {
  resource: number;
  step: number;
  cells: number;
}

/** So many cells further along the axes it is worth so much more. */
interface Step {
  rows: number;
  columns: number;
  gain: number;
}

export class SuffixBounds {
  readonly #of: BoundsOf;
  readonly #first: Axis;
  readonly #second: Axis;
  readonly #cells: number;
  readonly #table: Float64Array;
  /** What the multipliers charge: nothing for the resources of the axes. */
  readonly #charged: Float64Array;

  constructor(of: BoundsOf) {
    const { room, worth, order, grid } = of;
    this.#of = of;
    const weight = (resource: number) => (worth[resource] as number) * (room[resource] as number);
    const [first = 0, second = first] = Array.from(room.keys()).sort((a, b) => weight(b) - weight(a));
    // A coarse grid would be worse than none: needs are rounded down.
    const cells = ((room[first] as number) + 1) * ((room[second] as number) + 1);
    const hasTwo = second !== first && weight(second) > 0 && cells * (order.length + 1) <= grid;
    this.#first = axis(first, room[first] as number);
    this.#second = hasTwo
      ? axis(second, room[second] as number)
      : { resource: first, step: Number.POSITIVE_INFINITY, cells: 1 };
    this.#cells = this.#first.cells * this.#second.cells;
    this.#charged = worth.map((each, resource) =>
      resource === first || (hasTwo && resource === second) ? 0 : each,
    );
    this.#table = new Float64Array((order.length + 1) * this.#cells);
    for (let place = order.length - 1; place >= 0; place--) this.#fill(place);
  }

  /** No filling with items from this place in the order on, in what is left, is worth more. */
  at(place: number, left: Float64Array): number {
    let bound = 0;
    for (let r = 0; r < left.length; r++) bound += (this.#charged[r] as number) * (left[r] as number);
    const row = Math.ceil((left[this.#first.resource] as number) / this.#first.step);
    const column =
      this.#second.cells === 1 ? 0 : Math.ceil((left[this.#second.resource] as number) / this.#second.step);
    bound += this.#table[place * this.#cells + row * this.#second.cells + column] as number;
    return bound * (1 + SLACK);
  }

  #fill(place: number): void {
    const { values, needs, most, room, order } = this.#of;
    const table = this.#table;
    const item = order[place] as number;
    const [here, after] = [place * this.#cells, (place + 1) * this.#cells];
    table.copyWithin(here, after, after + this.#cells);
    let gain = values[item] as number;
    const need = needs.subarray(item * room.length, (item + 1) * room.length);
    for (let r = 0; r < room.length; r++) gain -= (this.#charged[r] as number) * (need[r] as number);
    if (gain <= 0) return;
    // Rounded down here, and what is left is rounded up: nothing that is possible is left out.
    const rows = Math.floor((need[this.#first.resource] as number) / this.#first.step);
    const columns =
      this.#second.cells === 1 ? 0 : Math.floor((need[this.#second.resource] as number) / this.#second.step);
    const count = most[item] as number;
    if (rows === 0 && columns === 0) {
      for (let cell = here; cell < here + this.#cells; cell++)
        table[cell] = (table[cell] as number) + gain * count;
      return;
    }
    const fitting = Math.min(
      rows > 0 ? Math.floor((this.#first.cells - 1) / rows) : Number.POSITIVE_INFINITY,
      columns > 0 ? Math.floor((this.#second.cells - 1) / columns) : Number.POSITIVE_INFINITY,
    );
    if (count >= fitting) this.#addAny(here, { rows, columns, gain });
    // In lots of 1, 2, 4, …, and what is left: together they make every number up to the count.
    else
      for (let [left, lot] = [count, 1]; left > 0; [left, lot] = [left - lot, Math.min(2 * lot, left - lot)])
        this.#addOnce(here, { rows: rows * lot, columns: columns * lot, gain: gain * lot });
  }

  /** As many as fit: one more than in the cell before. */
  #addAny(here: number, { rows, columns, gain }: Step): void {
    const table = this.#table;
    const width = this.#second.cells;
    for (let row = rows; row < this.#first.cells; row++) {
      const end = here + (row + 1) * width;
      for (let cell = here + row * width + columns; cell < end; cell++) {
        const more = (table[cell - rows * width - columns] as number) + gain;
        if (more > (table[cell] as number)) table[cell] = more;
      }
    }
  }

  /** From the end, so that no cell has it twice. */
  #addOnce(here: number, { rows, columns, gain }: Step): void {
    const table = this.#table;
    const width = this.#second.cells;
    for (let row = this.#first.cells - 1; row >= rows; row--) {
      const start = here + row * width + columns;
      for (let cell = here + (row + 1) * width - 1; cell >= start; cell--) {
        const more = (table[cell - rows * width - columns] as number) + gain;
        if (more > (table[cell] as number)) table[cell] = more;
      }
    }
  }
}

function axis(resource: number, room: number): Axis {
  const step = Math.max(1, Math.ceil(room / CELLS_MAX));
  return { resource, step, cells: Math.ceil(room / step) + 1 };
}
