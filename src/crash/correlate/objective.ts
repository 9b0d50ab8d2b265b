import { type Cell, type Cube, emptySums, keyOf, MEASURES, rowsIn, type Sums, sumRows } from './cube.ts';
import { expectedOf, type Level, penaltyOf, shapeOf, totalExpected } from './score.ts';

/** More cells than bits of a number are no explanation. */
export const CELLS_MAX = 30;
const FIT_ROUNDS = 12;

/** Rows that are in the same cells of a list: bit k of the mask for the k-th cell. */
export interface Atom {
  readonly mask: number;
  readonly sums: Sums;
  readonly expected: number;
}

export interface Fit {
  readonly atoms: readonly Atom[];
  /** For each cell of the list, how many times its rate is raised; where cells overlap, rates multiply. */
  readonly ratios: readonly number[];
  /** Observed ÷ expected outside of all cells. */
  readonly base: number;
  /** Log-likelihood gained against the level. */
  readonly gain: number;
}

/**
 * How well a list of cells explains a cube: the log-likelihood that rates of their own gain, less what it costs
 * to name them.
 */
export class Objective {
  readonly cube: Cube;
  readonly level: Level;
  readonly usable: number;
  readonly #rows = new Map<string, Int32Array[]>();
  readonly #penalties = new Map<string, number>();
  readonly #values = new Map<string, number>();

  constructor(cube: Cube, level: Level, usable: number) {
    this.cube = cube;
    this.level = level;
    this.usable = usable;
  }

  rows(cell: Cell): Int32Array[] {
    const key = keyOf(cell);
    let rows = this.#rows.get(key);
    if (!rows) {
      rows = this.cube.blocks.map((block) => rowsIn(block, cell));
      this.#rows.set(key, rows);
    }
    return rows;
  }

  penalty(cell: Cell): number {
    const key = keyOf(cell);
    let penalty = this.#penalties.get(key);
    if (penalty === undefined) {
      const sums = emptySums();
      for (const [at, block] of this.cube.blocks.entries()) sumRows(block, this.rows(cell)[at], sums);
      penalty = penaltyOf(this.cube, cell.attributes, this.usable, sums.expected / this.level.total.expected);
      this.#penalties.set(key, penalty);
    }
    return penalty;
  }

  value(cells: readonly Cell[]): number {
    if (cells.length === 0) return 0;
    if (cells.length > CELLS_MAX) return Number.NEGATIVE_INFINITY;
    const key = cells.map(keyOf).sort().join(';');
    const known = this.#values.get(key);
    if (known !== undefined) return known;
    let cost = 0;
    for (const cell of cells) cost += this.penalty(cell);
    const { gain, ratios, base } = this.fit(cells);
    // A fall is no cause.
    const isRise = ratios.every((ratio) => ratio * base > base);
    const value = isRise ? gain / this.level.dispersion - cost : Number.NEGATIVE_INFINITY;
    this.#values.set(key, value);
    return value;
  }

  /** Rates of the cells by iterative proportional fitting over the atoms. */
  fit(cells: readonly Cell[]): Fit {
    const atoms = this.#atoms(cells);
    const { total, isFixed, isFloor } = this.level;
    const prior = this.cube.prior;
    let restEvents = total.events;
    let restExpected = totalExpected(this.level, prior);
    for (const { sums, expected } of atoms) {
      restEvents -= sums.events;
      restExpected -= expected;
    }
    const base = isFixed ? this.level.base : baseOf(restEvents, restExpected, this.level);
    const ratios = ratiosOf(atoms, cells.length, base);
    let gain =
      isFixed || (isFloor && base >= this.level.base)
        ? 0
        : rise(restEvents, restExpected, base, this.level.base, Number.POSITIVE_INFINITY);
    for (const { mask, sums, expected } of atoms)
      gain += rise(
        sums.events,
        expected,
        base * productOf(ratios, mask),
        this.level.base,
        shapeOf(sums, prior),
      );
    return { atoms, ratios, base, gain };
  }

  #atoms(cells: readonly Cell[]): Atom[] {
    const sums = new Map<number, Sums>();
    this.cube.blocks.forEach((block, at) => {
      const lists = cells.map((cell) => this.rows(cell)[at] as Int32Array);
      if (lists.length === 1) {
        addRows(block.weights, lists[0] as Int32Array, undefined, 1, sums);
        return;
      }
      const masks = new Int32Array(block.rows);
      lists.forEach((rows, bit) => {
        for (const row of rows) masks[row] = (masks[row] as number) | (1 << bit);
      });
      const done = new Uint8Array(block.rows);
      for (const rows of lists) addRows(block.weights, rows, masks, 0, sums, done);
    });
    return [...sums].map(([mask, each]) => ({
      mask,
      sums: each,
      expected: expectedOf(each, this.cube.prior),
    }));
  }
}

function addRows(
  weights: Cube['blocks'][number]['weights'],
  rows: Int32Array,
  masks: Int32Array | undefined,
  only: number,
  sums: Map<number, Sums>,
  done?: Uint8Array,
): void {
  for (const row of rows) {
    if (done?.[row]) continue;
    if (done) done[row] = 1;
    const mask = masks ? (masks[row] as number) : only;
    let into = sums.get(mask);
    if (!into) {
      into = emptySums();
      sums.set(mask, into);
    }
    for (const measure of MEASURES) {
      if (!(measure in weights)) continue;
      into[measure] += weights[measure]?.[row] ?? 1;
    }
  }
}

/** Observed ÷ expected of the rest; a rest without events is taken for half an event. */
function baseOf(events: number, expected: number, level: Level): number {
  if (expected <= 1e-9) return level.base;
  const ratio = Math.max(events, 0.5) / expected;
  return level.isFloor ? Math.max(1, ratio) : ratio;
}

function ratiosOf(atoms: readonly Atom[], count: number, base: number): number[] {
  const ratios = Array<number>(count).fill(1);
  const rounds = atoms.length <= count ? 2 : FIT_ROUNDS;
  for (let round = 0; round < rounds; round++) {
    for (let bit = 0; bit < count; bit++) {
      let events = 0;
      let expected = 0;
      for (const atom of atoms) {
        if (!(atom.mask & (1 << bit))) continue;
        events += atom.sums.events;
        expected += (base * atom.expected * productOf(ratios, atom.mask)) / (ratios[bit] as number);
      }
      ratios[bit] = expected > 0 ? Math.max(1e-6, events / expected) : 1;
    }
  }
  return ratios;
}

export function productOf(ratios: readonly number[], mask: number): number {
  let product = 1;
  for (let bit = 0; bit < ratios.length; bit++) if (mask & (1 << bit)) product *= ratios[bit] as number;
  return product;
}

/** Log-likelihood at rate `to` less that at rate `from`. */
function rise(events: number, expected: number, to: number, from: number, shape: number): number {
  if (expected <= 0 || to <= 0 || from <= 0) return 0;
  const more = events > 0 ? events * Math.log(to / from) : 0;
  if (shape === Number.POSITIVE_INFINITY) return more - expected * (to - from);
  return more - (events + shape) * Math.log((expected * to + shape) / (expected * from + shape));
}
