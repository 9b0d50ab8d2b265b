import { type Block, type Cell, type Codes, emptySums, keyOf, MEASURES, partOf, type Sums } from './cube.ts';

/** The rows of cells, each looked for once: ascending, a list a block. Cubes that share their codes share these. */
export class RowLists {
  readonly #blocks: readonly Block[];
  readonly #lists = new Map<string, readonly Int32Array[]>();
  readonly #scratch: Int32Array;

  constructor(blocks: readonly Block[]) {
    this.#blocks = blocks;
    this.#scratch = new Int32Array(blocks.reduce((most, { rows }) => Math.max(most, rows), 0) + 1);
  }

  of(cell: Cell): readonly Int32Array[] {
    const key = keyOf(cell);
    let lists = this.#lists.get(key);
    if (!lists) {
      lists = this.#find(cell);
      this.#lists.set(key, lists);
    }
    return lists;
  }

  #find(cell: Cell): Int32Array[] {
    const { attributes, codes } = cell;
    const parts = attributes.map((attribute, at) => ({ attribute, code: codes[at] as number }));
    const [only] = parts;
    if (parts.length === 1 && only)
      return this.#blocks.map((block) => this.#scan(block, only.attribute, only.code));
    // From the shortest list that holds all of them.
    const parents = parts.map((_, left) => ({
      ...partOf(cell, (at) => at !== left),
      left,
    }));
    const known = parents.filter((parent) => this.#lists.has(keyOf(parent)));
    const from = (known.length > 0 ? known : parents.slice(-1))
      .map((parent) => ({
        lists: this.of(parent),
        left: parts[parent.left] as { attribute: number; code: number },
      }))
      .reduce((a, b) => (lengthOf(b.lists) < lengthOf(a.lists) ? b : a));
    return this.#blocks.map((block, at) =>
      this.#filter(block, from.left.attribute, from.left.code, from.lists[at] as Int32Array),
    );
  }

  #scan(block: Block, attribute: number, code: number): Int32Array {
    const codes = block.codes[attribute] as Codes;
    const found = this.#scratch;
    const { rows } = block;
    let length = 0;
    // Without a branch that is foretold badly.
    for (let row = 0; row < rows; row++) {
      found[length] = row;
      length += codes[row] === code ? 1 : 0;
    }
    return found.slice(0, length);
  }

  #filter(block: Block, attribute: number, code: number, rows: Int32Array): Int32Array {
    const found = this.#scratch;
    return found.slice(0, having(block.codes[attribute] as Codes, code, rows, found));
  }
}

/** Puts those of the rows that have the code into `found`, which has room for one more; says how many. */
function having(codes: Codes, code: number, rows: Int32Array, found: Int32Array): number {
  let length = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    found[length] = row;
    length += codes[row] === code ? 1 : 0;
  }
  return length;
}

function lengthOf(lists: readonly Int32Array[]): number {
  return lists.reduce((sum, { length }) => sum + length, 0);
}

/** The sums of some rows, a list a block. */
export function sumsOf(blocks: readonly Block[], lists: readonly Int32Array[]): Sums {
  const sums = emptySums();
  for (const [at, block] of blocks.entries()) {
    const rows = lists[at] as Int32Array;
    for (const measure of MEASURES)
      if (measure in block.weights) sums[measure] += weightOf(block.weights[measure], rows, block.unit);
  }
  return sums;
}

export function weightOf(weights: Float64Array | undefined, rows: Int32Array, unit = 1): number {
  if (!weights) return rows.length * unit;
  let sum = 0;
  for (let at = 0; at < rows.length; at++) sum += weights[rows[at] as number] as number;
  return sum;
}

/** The sums of those rows, a list a block, that have all the conditions. */
export function sumsWhere(
  blocks: readonly Block[],
  lists: readonly Int32Array[],
  conditions: readonly { attribute: number; code: number }[],
): Sums {
  const kept = lists.map((list, at) => {
    let rows = list;
    for (const { attribute, code } of conditions) {
      const found = new Int32Array(rows.length + 1);
      rows = found.subarray(0, having(blocks[at]?.codes[attribute] as Codes, code, rows, found));
    }
    return rows;
  });
  return sumsOf(blocks, kept);
}

/** The rows that are in both of two ascending lists. */
export function intersected(a: Int32Array, b: Int32Array): Int32Array {
  const both = new Int32Array(Math.min(a.length, b.length));
  let length = 0;
  let at = 0;
  for (let k = 0; k < a.length && at < b.length; k++) {
    const row = a[k] as number;
    while (at < b.length && (b[at] as number) < row) at++;
    if (b[at] === row) both[length++] = row;
  }
  return both.subarray(0, length);
}
