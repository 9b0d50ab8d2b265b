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
  /** Weights by row; `undefined` where each row weighs `unit`; a measure that is not there is 0. */
  readonly weights: Partial<Record<Measure, Float64Array | undefined>>;
  /** 1 unless said. */
  readonly unit?: number;
}

export interface Cube {
  readonly attributes: readonly Attribute[];
  readonly blocks: readonly Block[];
  /** How many distinct machines or leaves there can be: no cuboid has more cells than that. */
  readonly leaves: number;
  /** How many combinations of 1, 2, 3 and 4 attributes are looked at. */
  readonly cuboids: readonly number[];
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

/** Of attributes and their codes in any order. */
export function cellOf(pairs: readonly (readonly [attribute: number, code: number])[]): Cell {
  const sorted = pairs.toSorted((a, b) => a[0] - b[0]);
  return { attributes: sorted.map(([attribute]) => attribute), codes: sorted.map(([, code]) => code) };
}

/** The cell with some of its conditions only. */
export function partOf({ attributes, codes }: Cell, isWanted: (at: number) => boolean): Cell {
  return {
    attributes: attributes.filter((_, at) => isWanted(at)),
    codes: codes.filter((_, at) => isWanted(at)),
  };
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

export function emptySums(): Sums {
  return { events: 0, expected: 0, beforeEvents: 0, beforeExpected: 0 };
}

export function totalsOf(cube: Cube): Sums {
  const sums = emptySums();
  for (const { rows, weights, unit = 1 } of cube.blocks)
    for (const measure of MEASURES)
      if (measure in weights) sums[measure] += totalOf(weights[measure]) ?? rows * unit;
  return sums;
}

function totalOf(weights: Float64Array | undefined): number | undefined {
  if (!weights) return undefined;
  let sum = 0;
  for (let row = 0; row < weights.length; row++) sum += weights[row] as number;
  return sum;
}

/** The same cube with what is expected in the cells' rows multiplied: explained, and so taken away. */
export function explained(
  cube: Cube,
  cells: readonly { cell: Cell; ratio: number }[],
  combine: 'product' | 'sum',
  lists: { of(cell: Cell): readonly Int32Array[] },
): Cube {
  const blocks = cube.blocks.map((block, at) => {
    if (!('expected' in block.weights)) return block;
    const factors = new Float64Array(block.rows).fill(1);
    for (const { cell, ratio } of cells) {
      const rows = lists.of(cell)[at] as Int32Array;
      for (let place = 0; place < rows.length; place++) {
        const row = rows[place] as number;
        const factor = factors[row] as number;
        factors[row] = combine === 'product' ? factor * ratio : factor + ratio - 1;
      }
    }
    const expected = factors;
    const own = block.weights.expected;
    const { unit = 1 } = block;
    if (own || unit !== 1)
      for (let row = 0; row < factors.length; row++)
        expected[row] = (factors[row] as number) * (own ? (own[row] as number) : unit);
    return { ...block, weights: { ...block.weights, expected } };
  });
  return { ...cube, blocks };
}
