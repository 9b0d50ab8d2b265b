// What the search counts in: rows of codes with weights, and how a cell of them is summed.

/** What a weight stands for. `expected` and `before…` are in events: exposure times the fleet's earlier rate. */
export const MEASURES = ['events', 'expected', 'beforeEvents', 'beforeExpected'] as const;
export type Measure = (typeof MEASURES)[number];

export interface Attribute {
  readonly name: string;
  readonly values: readonly string[];
  /** Names single machines: is looked at by itself only, never in combination. */
  readonly isIdentifier: boolean;
}

export type Codes = Uint8Array | Uint16Array | Int32Array;

/** Rows that share their codes. One block where leaves are made one; else one for each table. */
export interface Block {
  readonly rows: number;
  /** By attribute, then row. */
  readonly codes: readonly Codes[];
  /** Weights by row; `undefined` where each row weighs 1; a measure that is not there is 0. */
  readonly weights: Partial<Record<Measure, Float64Array | undefined>>;
}

export interface Cube {
  readonly attributes: readonly Attribute[];
  readonly blocks: readonly Block[];
  /** How many distinct machines or leaves there can be: no cuboid has more cells than that. */
  readonly leaves: number;
  /** Earlier events that the fleet's rate counts as, where a cell's own earlier rate is shrunk to it; none: no before. */
  readonly prior: number | undefined;
  /** Implied: `implied[a][b]` where a value of a has one value of b only (rack → room). */
  readonly implied: readonly (readonly boolean[])[];
}

export interface Sums {
  events: number;
  expected: number;
  beforeEvents: number;
  beforeExpected: number;
}

/** A cell: attributes in ascending order, and the code of each. */
export interface Cell {
  readonly attributes: readonly number[];
  readonly codes: readonly number[];
}

export function keyOf({ attributes, codes }: Cell): string {
  return attributes.map((attribute, at) => `${attribute}:${codes[at]}`).join(',');
}

/** Whether each condition of `outer` is one of `inner`: then inner's machines are among outer's. */
export function contains(outer: Cell, inner: Cell): boolean {
  return outer.attributes.every((attribute, at) => {
    const place = inner.attributes.indexOf(attribute);
    return place >= 0 && inner.codes[place] === outer.codes[at];
  });
}

/** Cells of one cuboid that differ, or cells that ask two values of one attribute, share no machine. */
export function disjoint(a: Cell, b: Cell): boolean {
  return a.attributes.some((attribute, at) => {
    const place = b.attributes.indexOf(attribute);
    return place >= 0 && b.codes[place] !== a.codes[at];
  });
}

/** The rows of a block that are in the cell. */
export function rowsIn(block: Block, cell: Cell, among?: Int32Array): Int32Array {
  let rows = among;
  cell.attributes.forEach((attribute, at) => {
    const codes = block.codes[attribute] as Codes;
    const code = cell.codes[at] as number;
    rows = rows ? filtered(codes, code, rows) : scanned(codes, code, block.rows);
  });
  return rows ?? Int32Array.from({ length: block.rows }, (_, row) => row);
}

function scanned(codes: Codes, code: number, count: number): Int32Array {
  const found = new Int32Array(count);
  let length = 0;
  for (let row = 0; row < count; row++) if (codes[row] === code) found[length++] = row;
  return found.slice(0, length);
}

function filtered(codes: Codes, code: number, rows: Int32Array): Int32Array {
  const found = new Int32Array(rows.length);
  let length = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    if (codes[row] === code) found[length++] = row;
  }
  return found.slice(0, length);
}

export function emptySums(): Sums {
  return { events: 0, expected: 0, beforeEvents: 0, beforeExpected: 0 };
}

/** Sums of rows; those that `taken` marks are left out. */
export function sumRows(block: Block, rows: Int32Array | undefined, into: Sums, taken?: Uint8Array): void {
  for (const measure of MEASURES) {
    if (!(measure in block.weights)) continue;
    const weights = block.weights[measure];
    const count = rows ? rows.length : block.rows;
    let sum = 0;
    for (let at = 0; at < count; at++) {
      const row = rows ? (rows[at] as number) : at;
      if (taken?.[row]) continue;
      sum += weights ? (weights[row] as number) : 1;
    }
    into[measure] += sum;
  }
}

export function totalsOf(cube: Cube): Sums {
  const sums = emptySums();
  for (const block of cube.blocks) sumRows(block, undefined, sums);
  return sums;
}

/** The same cube with what is expected in the cell's rows multiplied: explained, and so taken away. */
export function explained(cube: Cube, cells: readonly { cell: Cell; ratio: number }[]): Cube {
  const blocks = cube.blocks.map((block) => {
    if (!('expected' in block.weights)) return block;
    const expected = block.weights.expected?.slice() ?? new Float64Array(block.rows).fill(1);
    for (const { cell, ratio } of cells)
      for (const row of rowsIn(block, cell)) expected[row] = (expected[row] as number) * ratio;
    return { ...block, weights: { ...block.weights, expected } };
  });
  return { ...cube, blocks };
}
