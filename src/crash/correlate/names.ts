// Names that mean the same machines: model m1 and its CPU, where no other model has it.
import { type Block, type Cell, type Codes, type Cube, keyOf, rowsIn } from './cube.ts';
import { rankOf } from './dependencies.ts';

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
export function namesOf(cube: Cube, cell: Cell): Names {
  const found: Cell[] = [cell];
  const at = cube.blocks.findIndex((block) => 'expected' in block.weights);
  const block = cube.blocks[at];
  if (!block) return { cell, sameAs: [] };
  const own = rowsIn(block, cell);
  const size = weigh(block, own);
  const parts = shared(cube, block, own, size);
  for (const name of combinations(parts, cell.attributes.length)) {
    if (found.some((known) => isPart(known, name))) continue;
    const rows = rowsIn(block, name);
    const both = weigh(block, intersect(rows, own, block.rows));
    if (both < SAME_SHARE * (weigh(block, rows) + size - both) || !sameEvents(cube, cell, name)) continue;
    found.push(name);
    if (found.length > NAMES_MAX) break;
  }
  const ranked = found
    .filter((name) => !found.some((other) => other !== name && isPart(other, name)))
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
      counts[codes[row] as number] = (counts[codes[row] as number] as number) + weightOf(block, row);
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
      const pairs = chosen.map((part) => [part.attributes[0] as number, part.codes[0] as number] as const);
      pairs.sort((a, b) => a[0] - b[0]);
      yield { attributes: pairs.map((pair) => pair[0]), codes: pairs.map((pair) => pair[1]) };
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

function isPart(outer: Cell, inner: Cell): boolean {
  const keys = keyOf(inner).split(',');
  return keyOf(outer)
    .split(',')
    .every((key) => keys.includes(key));
}

function byRank(cube: Cube) {
  const rank = ({ attributes }: Cell) =>
    attributes.reduce((sum, each) => sum + rankOf(cube.attributes[each]?.name ?? ''), 0);
  return (a: Cell, b: Cell) =>
    a.attributes.length - b.attributes.length || rank(a) - rank(b) || (keyOf(a) < keyOf(b) ? -1 : 1);
}

function weightOf(block: Block, row: number): number {
  return block.weights.expected ? (block.weights.expected[row] as number) : 1;
}

export function weigh(block: Block, rows: Int32Array): number {
  let sum = 0;
  for (const row of rows) sum += weightOf(block, row);
  return sum;
}

export function intersect(a: Int32Array, b: Int32Array, count: number): Int32Array {
  const marks = new Uint8Array(count);
  for (const row of a) marks[row] = 1;
  return b.filter((row) => marks[row] === 1);
}

/** The few machines that differ must not be those that crash. */
function sameEvents(cube: Cube, a: Cell, b: Cell): boolean {
  let both = 0;
  let either = 0;
  for (const block of cube.blocks) {
    if (!('events' in block.weights)) continue;
    const weights = block.weights.events;
    const sum = (rows: Int32Array) =>
      weights ? rows.reduce((total, row) => total + (weights[row] as number), 0) : rows.length;
    const ofA = rowsIn(block, a);
    const ofB = rowsIn(block, b);
    const shared = sum(intersect(ofA, ofB, block.rows));
    both += shared;
    either += sum(ofA) + sum(ofB) - shared;
  }
  return both >= 0.95 * either;
}
