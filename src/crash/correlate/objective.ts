import { type Block, type Cell, type Cube, disjoint, emptySums, keyOf, MEASURES, type Sums } from './cube.ts';
import type { Explored } from './explore.ts';
import { productRates, type Rates, rateAt, sumRates } from './rates.ts';
import { type RowLists, sumsOf } from './row-lists.ts';
import { expectedOf, type Level, penaltyOf, type Rest, restOf, shapeOf } from './score.ts';

/** More cells than bits of a number are no explanation. */
export const CELLS_MAX = 30;

/** Rows that are in the same cells of a list: bit k of the mask for the k-th cell. */
export interface Atom {
  readonly mask: number;
  readonly sums: Sums;
  readonly expected: number;
}

export interface Fit {
  readonly atoms: readonly Atom[];
  /** For each cell of the list, how many times its rate is raised. */
  readonly rates: Rates;
  /** Observed ÷ expected outside of all cells. */
  readonly base: number;
  readonly rest: Rest;
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
  readonly lists: RowLists;
  readonly #sums = new Map<string, Sums>();
  readonly #penalties = new Map<string, number>();
  readonly #inside = new Map<string, Explored>();
  readonly #values = new Map<string, number>();
  /** By block: which cells of a list each row is in, all 0 between uses. */
  readonly #masks: Int32Array[] = [];

  constructor(cube: Cube, level: Level, lists: RowLists) {
    this.cube = cube;
    this.level = level;
    this.lists = lists;
  }

  sums(cell: Cell): Sums {
    const key = keyOf(cell);
    let sums = this.#sums.get(key);
    if (!sums) {
      sums = sumsOf(this.cube.blocks, this.lists.of(cell));
      this.#sums.set(key, sums);
    }
    return sums;
  }

  /** What is inside of the first cell with the others taken away, looked for once. */
  inside(cells: readonly Cell[], look: () => Explored): Explored {
    const key = cells.map(keyOf).join(';');
    const known = this.#inside.get(key) ?? look();
    this.#inside.set(key, known);
    return known;
  }

  penalty(cell: Cell): number {
    const key = keyOf(cell);
    let penalty = this.#penalties.get(key);
    if (penalty === undefined) {
      const share = this.sums(cell).expected / this.level.total.expected;
      penalty = penaltyOf(this.cube, cell.attributes, share);
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
    const { gain, rates } = this.fit(cells);
    // A fall is no cause.
    const isRise = rates.ratios.every((ratio) => ratio > 1);
    const value = isRise ? gain / this.level.dispersion - cost : Number.NEGATIVE_INFINITY;
    this.#values.set(key, value);
    return value;
  }

  /** Rates of the cells by iterative proportional fitting over the atoms. */
  fit(cells: readonly Cell[]): Fit {
    const atoms = this.#atoms(cells);
    const { isFixed, isFloor } = this.level;
    const prior = this.cube.prior;
    const inside = emptySums();
    let covered = 0;
    for (const { sums, expected } of atoms) {
      for (const measure of MEASURES) inside[measure] += sums[measure];
      covered += expected;
    }
    const rest = restOf(this.level, inside, covered, prior);
    const base = isFixed ? this.level.base : baseOf(rest, this.level);
    const isRestWell = isFixed || (isFloor && base >= this.level.base);
    const restGain = isRestWell ? 0 : rise(rest.events, rest.expected, base, this.level.base, rest.shape);
    const gainOf = (rates: Rates) =>
      atoms.reduce((gain, { mask, sums, expected }) => {
        const to = base * rateAt(rates, mask);
        return gain + rise(sums.events, expected, to, this.level.base, shapeOf(sums, prior));
      }, restGain);
    const counted = atoms.map(({ mask, sums, expected }) => ({ mask, events: sums.events, expected }));
    const product = productRates(counted, cells.length, base);
    const gain = gainOf(product);
    if (atoms.every(({ mask }) => (mask & (mask - 1)) === 0))
      return { atoms, rates: product, base, rest, gain };
    const sum = sumRates(counted, cells.length, base);
    const gainOfSum = gainOf(sum);
    return gainOfSum > gain
      ? { atoms, rates: sum, base, rest, gain: gainOfSum }
      : { atoms, rates: product, base, rest, gain };
  }

  #atoms(cells: readonly Cell[]): Atom[] {
    const prior = this.cube.prior;
    const atom = (mask: number, sums: Sums) => ({ mask, sums, expected: expectedOf(sums, prior) });
    const areApart = cells.every((cell, at) => cells.every((other, k) => k <= at || disjoint(cell, other)));
    if (areApart) return cells.map((cell, bit) => atom(1 << bit, this.sums(cell)));
    const sums = new Map<number, Sums>();
    const lists = cells.map((cell) => this.lists.of(cell));
    for (const [at, block] of this.cube.blocks.entries()) this.#addBlock(block, at, lists, sums);
    return [...sums].map(([mask, each]) => atom(mask, each));
  }

  #addBlock(
    block: Block,
    at: number,
    lists: readonly (readonly Int32Array[])[],
    sums: Map<number, Sums>,
  ): void {
    this.#masks[at] ??= new Int32Array(block.rows);
    const masks = this.#masks[at] as Int32Array;
    for (const [bit, list] of lists.entries())
      for (const row of list[at] as Int32Array) masks[row] = (masks[row] as number) | (1 << bit);
    for (const measure of MEASURES) {
      if (!(measure in block.weights)) continue;
      const weights = block.weights[measure];
      for (const [bit, list] of lists.entries()) {
        const added = sumByMask(list[at] as Int32Array, masks, weights, (1 << bit) - 1);
        for (const [mask, sum] of added) {
          const into = sums.get(mask) ?? emptySums();
          into[measure] += sum;
          sums.set(mask, into);
        }
      }
    }
    for (const list of lists) for (const row of list[at] as Int32Array) masks[row] = 0;
  }
}

/** Sums of rows by their mask; a row is counted with the first of its cells, whose bits are not `below`. */
function sumByMask(
  rows: Int32Array,
  masks: Int32Array,
  weights: Float64Array | undefined,
  below: number,
): Map<number, number> {
  const places = new Map<number, number>();
  const sums: number[] = [];
  let last = 0;
  let place = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    const mask = masks[row] as number;
    if (mask & below) continue;
    if (mask !== last) {
      last = mask;
      place = places.get(mask) ?? sums.push(0) - 1;
      places.set(mask, place);
    }
    sums[place] = (sums[place] as number) + (weights ? (weights[row] as number) : 1);
  }
  return new Map([...places].map(([mask, at]) => [mask, sums[at] as number]));
}

/** Observed ÷ expected of the rest; a rest without events is taken for half an event. */
function baseOf({ events, expected }: Rest, level: Level): number {
  if (expected <= 1e-9) return level.base;
  const ratio = Math.max(events, 0.5) / expected;
  return level.isFloor ? Math.max(1, ratio) : ratio;
}

/** Log-likelihood at rate `to` less that at rate `from`. */
function rise(events: number, expected: number, to: number, from: number, shape: number): number {
  if (expected <= 0 || to <= 0 || from <= 0) return 0;
  const more = events > 0 ? events * Math.log(to / from) : 0;
  if (shape === Number.POSITIVE_INFINITY) return more - expected * (to - from);
  return more - (events + shape) * Math.log((expected * to + shape) / (expected * from + shape));
}
