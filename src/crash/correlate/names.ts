// Names that mean the same machines: model m1 and its CPU, where no other model has it.
import { type Block, type Cell, type Codes, type Cube, cellOf, contains, keyOf } from './cube.ts';
import { rankOf } from './dependencies.ts';
import { intersected, type RowLists, sumsOf, weightOf } from './row-lists.ts';

/** Sets that share so much of their exposure are one. */
const SAME_SHARE = 0.98;
const NAMES_MAX = 8;
const TRIED_MAX = 400;

export interface Names {
  /** The name to tell. */
  readonly cell: Cell;
  readonly sameAs: readonly Cell[];
}

/** All short names of the machines of a cell, the one that can be acted on first. */
export function namesOf(cube: Cube, cell: Cell, lists: RowLists): Names {
  const found: Cell[] = [cell];
  const at = cube.blocks.findIndex((block) => 'expected' in block.weights);
  const block = cube.blocks[at];
  if (!block) return { cell, sameAs: [] };
  const own = lists.of(cell)[at] as Int32Array;
  const size = weightOf(block.weights.expected, own);
  const parts = shared(cube, block, own, size);
  for (const name of combinations(parts, cell.attributes.length)) {
    if (found.some((known) => contains(known, name))) continue;
    const rows = lists.of(name)[at] as Int32Array;
    const both = weightOf(block.weights.expected, intersected(rows, own));
    if (both < SAME_SHARE * (weightOf(block.weights.expected, rows) + size - both)) continue;
    if (!sameEvents(cube, lists.of(cell), lists.of(name))) continue;
    found.push(name);
    if (found.length > NAMES_MAX) break;
  }
  const ranked = found
    .filter((name) => !found.some((other) => other !== name && contains(other, name)))
    .sort(byRank(cube));
  return { cell: ranked[0] ?? cell, sameAs: ranked.slice(1) };
}

/** Values that nearly all machines of the cell have. */
function shared(cube: Cube, block: Block, rows: Int32Array, size: number): Cell[] {
  const parts: Cell[] = [];
  for (const [attribute, { values, isIdentifier }] of cube.attributes.entries()) {
    if (isIdentifier && rows.length > 1) continue;
    const counts = new Float64Array(values.length);
    const codes = block.codes[attribute] as Codes;
    for (const row of rows)
      counts[codes[row] as number] =
        (counts[codes[row] as number] as number) + (block.weights.expected?.[row] ?? 1);
    const code = counts.findIndex((count) => count >= SAME_SHARE * size && size > 0);
    if (code >= 0) parts.push({ attributes: [attribute], codes: [code] });
  }
  return parts.sort(byRank(cube));
}

function* combinations(parts: readonly Cell[], depth: number): Iterable<Cell> {
  let tried = 0;
  for (let count = 1; count <= depth; count++) {
    for (const chosen of subsets(parts, count)) {
      if (tried++ > TRIED_MAX) return;
      yield cellOf(chosen.map(({ attributes, codes }) => [attributes[0] as number, codes[0] as number]));
    }
  }
}

function* subsets<T>(items: readonly T[], count: number, from = 0): Iterable<T[]> {
  if (count === 0) {
    yield [];
    return;
  }
  for (let at = from; at <= items.length - count; at++)
    for (const rest of subsets(items, count - 1, at + 1)) yield [items[at] as T, ...rest];
}

function byRank(cube: Cube) {
  const rank = ({ attributes }: Cell) =>
    attributes.reduce((sum, each) => sum + rankOf(cube.attributes[each]?.name ?? ''), 0);
  return (a: Cell, b: Cell) =>
    a.attributes.length - b.attributes.length || rank(a) - rank(b) || (keyOf(a) < keyOf(b) ? -1 : 1);
}

/** The few machines that differ must not be those that crash. */
function sameEvents({ blocks }: Cube, a: readonly Int32Array[], b: readonly Int32Array[]): boolean {
  const shared = a.map((rows, at) => intersected(rows, b[at] as Int32Array));
  const both = sumsOf(blocks, shared).events;
  return both >= 0.95 * (sumsOf(blocks, a).events + sumsOf(blocks, b).events - both);
}
