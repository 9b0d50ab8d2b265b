import { sumsByCode } from './counting.ts';
import {
  type Cell,
  type Codes,
  type Cube,
  cellOf,
  disjoint,
  emptySums,
  keyOf,
  MEASURES,
  type Sums,
} from './cube.ts';
import type { Explored } from './explore.ts';
import { productRates, type Rates, rateAt, rateWithout, sumRates } from './rates.ts';
import { type RowLists, sumsOf, sumsWhere } from './row-lists.ts';
import { expectedOf, type Level, penaltyOf, type Rest, restOf, shapeOf } from './score.ts';

/** More cells than bits of a number are no explanation. */
export const CELLS_MAX = 30;
/** Nor are cells that overlap in more ways than anyone could follow. */
const OVERLAPS_MAX = 256;

/** Rows that are in the same cells of a list: bit k of the mask for the k-th cell. */
export interface Atom {
  readonly mask: number;
  readonly sums: Sums;
  readonly expected: number;
}

/** What a set of cells has in common: bit k of the mask for the k-th cell. */
interface Shared {
  readonly mask: number;
  readonly cell: Cell;
  readonly sums: Sums;
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

/** What is seen in one cell of a fit, and what would be expected there without it: `mean`, known from `shape` events. */
export function withoutCell(
  { atoms, rates, base }: Fit,
  bit: number,
  prior: number | undefined,
): { events: number; mean: number; shape: number; exposed: number } {
  const seen = { events: 0, mean: 0, shape: 0, exposed: 0 };
  for (const { mask, sums, expected } of atoms) {
    if (!(mask & (1 << bit))) continue;
    seen.events += sums.events;
    seen.mean += base * expected * rateWithout(rates, mask, bit);
    seen.shape += shapeOf(sums, prior);
    seen.exposed += expected;
  }
  return seen;
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

  constructor(cube: Cube, level: Level, lists: RowLists) {
    this.cube = cube;
    this.level = level;
    this.lists = lists;
  }

  sums(cell: Cell): Sums {
    const key = keyOf(cell);
    let sums = this.#sums.get(key);
    if (!sums) {
      sums =
        cell.attributes.length === 1 ? this.#single(cell) : sumsOf(this.cube.blocks, this.lists.of(cell));
      this.#sums.set(key, sums);
    }
    return sums;
  }

  /** Sums that an exploration of the same cube has counted already. */
  know({ best, cuboids }: Explored): void {
    for (const { cell, sums } of best) this.#sums.set(keyOf(cell), sums);
    for (const { cells } of cuboids) for (const { cell, sums } of cells) this.#sums.set(keyOf(cell), sums);
  }

  #single({ attributes, codes }: Cell): Sums {
    const attribute = attributes[0] as number;
    const code = codes[0] as number;
    const size = this.cube.attributes[attribute]?.values.length ?? 0;
    const sums = emptySums();
    for (const { codes: columns, weights, unit = 1 } of this.cube.blocks)
      for (const measure of MEASURES)
        if (measure in weights)
          sums[measure] +=
            (sumsByCode(columns[attribute] as Codes, size, weights[measure])[code] as number) *
            (weights[measure] ? 1 : unit);
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
    const shared = this.#shared(cells);
    if (shared.length > OVERLAPS_MAX) return [];
    const overlaps = shared.filter(({ mask }) => (mask & (mask - 1)) !== 0);
    const atoms: Atom[] = [];
    for (const { mask, sums } of shared) {
      // Inclusion and exclusion: what is in these cells, less what is in more of them.
      const own = { ...sums };
      for (const more of overlaps) {
        if ((more.mask & mask) !== mask || more.mask === mask) continue;
        const sign = bitsOf(more.mask ^ mask) % 2 ? -1 : 1;
        for (const measure of MEASURES) own[measure] += sign * more.sums[measure];
      }
      let isEmpty = true;
      for (const measure of MEASURES) {
        // Nothing but the last digits of sums.
        if (own[measure] <= 1e-9 * sums[measure]) own[measure] = 0;
        else isEmpty = false;
      }
      if (!isEmpty) atoms.push(atom(mask, own));
    }
    return atoms;
  }

  /** What each set of the cells has in common, where that is anything. */
  #shared(cells: readonly Cell[]): Shared[] {
    const shared: Shared[] = [];
    for (const [bit, cell] of cells.entries()) {
      const before = shared.length;
      shared.push({ mask: 1 << bit, cell, sums: this.sums(cell) });
      for (let at = 0; at < before && shared.length <= OVERLAPS_MAX; at++) {
        const { mask, cell: other } = shared[at] as Shared;
        if (disjoint(cell, other)) continue;
        const both = joinedOf(cell, other);
        const sums = this.#both(both, cell, other);
        if (MEASURES.some((measure) => sums[measure] > 0))
          shared.push({ mask: mask | (1 << bit), cell: both, sums });
      }
    }
    return shared;
  }

  /** Sums of what two cells have in common: of the smaller one's rows, those that have the other's conditions. */
  #both(both: Cell, a: Cell, b: Cell): Sums {
    const key = keyOf(both);
    let sums = this.#sums.get(key);
    if (!sums) {
      const size = ({ events, expected }: Sums) => events + expected;
      const less = size(this.sums(a)) < size(this.sums(b)) ? a : b;
      const conditions = both.attributes
        .map((attribute, at) => ({ attribute, code: both.codes[at] as number }))
        .filter(({ attribute }) => !less.attributes.includes(attribute));
      sums = sumsWhere(this.cube.blocks, this.lists.of(less), conditions);
      this.#sums.set(key, sums);
    }
    return sums;
  }
}

function bitsOf(mask: number): number {
  let bits = 0;
  for (let left = mask; left !== 0; left &= left - 1) bits++;
  return bits;
}

function joinedOf(a: Cell, b: Cell): Cell {
  const pairs = [a, b].flatMap(({ attributes, codes }) =>
    attributes.map((attribute, at) => [attribute, codes[at] as number] as const),
  );
  return cellOf([...new Map(pairs)]);
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
