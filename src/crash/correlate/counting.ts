// The inner loops: sums by cell over rows, and rows handed down. All that is dear happens here.
import type { Block, Codes, Cube } from './cube.ts';

/** Some rows of a block, and the cell of the parent cuboid that each is in. */
export interface Rows {
  readonly block: Block;
  /** undefined: all. */
  readonly rows: Int32Array | undefined;
  /** By place in `rows`: which cell of the parent; undefined: all are in cell 0. */
  readonly parents: Int32Array | undefined;
  readonly length: number;
}

export function allRows(cube: Cube): Rows[] {
  return cube.blocks.map((block) => ({ block, rows: undefined, parents: undefined, length: block.rows }));
}

export function rowsOf(block: Block, rows: Int32Array): Rows {
  return { block, rows, parents: undefined, length: rows.length };
}

/** Cells that hold events, where there are too many cells for an array. Keys are exact. */
export interface Slots {
  readonly keys: readonly number[];
  /** The place of a key in `keys`, or -1. */
  find(key: number): number;
}

/** A key is the cell of the parent times `size`, plus the code. */
export function slotsOf(rows: readonly Rows[], attribute: number, size: number): Slots {
  const places = new Map<number, number>();
  const keys: number[] = [];
  for (const { block, rows: list, parents, length } of rows) {
    if (!('events' in block.weights)) continue;
    const weights = block.weights.events;
    const codes = block.codes[attribute] as Codes;
    for (let at = 0; at < length; at++) {
      const row = list ? (list[at] as number) : at;
      if (weights && weights[row] === 0) continue;
      const key = (parents ? (parents[at] as number) * size : 0) + (codes[row] as number);
      if (places.has(key)) continue;
      places.set(key, keys.length);
      keys.push(key);
    }
  }
  return { keys, find: (key) => places.get(key) ?? -1 };
}

const singles = new WeakMap<Codes, Map<Float64Array | undefined, Float64Array>>();

/** Sums by value of a column over all its rows, each counted once: rounds that share columns and weights share them. */
export function sumsByCode(codes: Codes, size: number, weights: Float64Array | undefined): Float64Array {
  let known = singles.get(codes);
  if (!known) {
    known = new Map();
    singles.set(codes, known);
  }
  let sums = known.get(weights);
  if (!sums) {
    sums = new Float64Array(size);
    if (weights) addWeights(codes, weights, sums);
    else addOnes(codes, sums);
    known.set(weights, sums);
  }
  return sums;
}

function addWeights(codes: Codes, weights: Float64Array, into: Float64Array): void {
  for (let row = 0; row < codes.length; row++) {
    const key = codes[row] as number;
    into[key] = (into[key] as number) + (weights[row] as number);
  }
}

function addOnes(codes: Codes, into: Float64Array): void {
  const counts = new Int32Array(into.length);
  for (let row = 0; row < codes.length; row++) {
    const key = codes[row] as number;
    counts[key] = (counts[key] as number) + 1;
  }
  into.set(counts);
}

/** Adds the weight of each row to its cell. */
export function add(
  rows: Rows,
  attribute: number,
  size: number,
  weights: Float64Array | undefined,
  into: Float64Array,
  slots: Slots | undefined,
): void {
  const codes = rows.block.codes[attribute] as Codes;
  const { unit = 1 } = rows.block;
  if (slots) addLookedUp(rows, codes, size, weights, into, slots);
  else if (rows.rows) addListed(rows.rows, rows.parents, codes, size, weights, into, unit);
  else {
    const sums = sumsByCode(codes, size, weights);
    const times = weights ? 1 : unit;
    for (let key = 0; key < size; key++) into[key] = (into[key] as number) + times * (sums[key] as number);
  }
}

function addListed(
  rows: Int32Array,
  parents: Int32Array | undefined,
  codes: Codes,
  size: number,
  weights: Float64Array | undefined,
  into: Float64Array,
  unit: number,
): void {
  if (!parents) {
    for (const row of rows) {
      const key = codes[row] as number;
      into[key] = (into[key] as number) + (weights ? (weights[row] as number) : unit);
    }
  } else if (weights) {
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number;
      const key = (parents[at] as number) * size + (codes[row] as number);
      into[key] = (into[key] as number) + (weights[row] as number);
    }
  } else {
    for (let at = 0; at < rows.length; at++) {
      const key = (parents[at] as number) * size + (codes[rows[at] as number] as number);
      into[key] = (into[key] as number) + unit;
    }
  }
}

function addLookedUp(
  { rows, parents, length, block: { unit = 1 } }: Rows,
  codes: Codes,
  size: number,
  weights: Float64Array | undefined,
  into: Float64Array,
  slots: Slots,
): void {
  for (let at = 0; at < length; at++) {
    const row = rows ? (rows[at] as number) : at;
    const slot = slots.find((parents ? (parents[at] as number) * size : 0) + (codes[row] as number));
    if (slot >= 0) into[slot] = (into[slot] as number) + (weights ? (weights[row] as number) : unit);
  }
}

/** The rows that are in live cells (`ids` not negative), with the cell of each. */
export function keptRows(
  { block, rows, parents, length }: Rows,
  attribute: number,
  size: number,
  ids: Int32Array,
  slots: Slots | undefined,
): Rows {
  const codes = block.codes[attribute] as Codes;
  const { kept, cells } = scratchOf(length);
  let count = 0;
  // One more where the id is not negative, without a branch that would be foretold badly.
  if (rows && parents && !slots) {
    for (let at = 0; at < length; at++) {
      const row = rows[at] as number;
      const id = ids[(parents[at] as number) * size + (codes[row] as number)] as number;
      kept[count] = row;
      cells[count] = id;
      count += 1 + (id >> 31);
    }
  } else if (!rows && !slots) {
    for (let row = 0; row < length; row++) {
      const id = ids[codes[row] as number] as number;
      kept[count] = row;
      cells[count] = id;
      count += 1 + (id >> 31);
    }
  } else {
    for (let at = 0; at < length; at++) {
      const row = rows ? (rows[at] as number) : at;
      const key = (parents ? (parents[at] as number) * size : 0) + (codes[row] as number);
      const place = slots ? slots.find(key) : key;
      const id = place < 0 ? -1 : (ids[place] as number);
      if (id < 0) continue;
      kept[count] = row;
      cells[count++] = id;
    }
  }
  return { block, rows: kept.slice(0, count), parents: cells.slice(0, count), length: count };
}

let scratch = { kept: new Int32Array(0), cells: new Int32Array(0) };

/** Room to collect rows in: to clear new arrays of a million rows for each attribute would take most of the time. */
function scratchOf(length: number): { kept: Int32Array; cells: Int32Array } {
  if (scratch.kept.length <= length)
    scratch = { kept: new Int32Array(length + 1), cells: new Int32Array(length + 1) };
  return scratch;
}
