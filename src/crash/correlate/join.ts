// Makes one cube of the tables: shared codes, the columns that all have, leaves where there are few rows.
import { sumsByCode } from './counting.ts';
import type { Attribute, Block, Codes, Measure } from './cube.ts';

/** A dictionary-encoded column: for each row the place of its value in `values`. */
export interface EncodedColumn {
  readonly name: string;
  readonly values: readonly string[];
  readonly codes: ArrayLike<number>;
}

/** Rows of one table. `counts`: events, or exposure (machines, machine-days), of each row; none: 1 each. */
export interface EncodedRows {
  readonly rows: number;
  readonly columns: readonly EncodedColumn[];
  readonly counts?: Float64Array | undefined;
}

export interface Question {
  readonly events: EncodedRows;
  readonly population: EncodedRows;
  readonly beforeEvents?: EncodedRows | undefined;
  readonly beforePopulation?: EncodedRows | undefined;
}

export const JOIN_LIMITS = { columns: 200, sorted_values: 100_000, leaf_rows: 400_000 } as const;

/** The tables do not fit together; the message says why. */
export class QuestionError extends Error {
  override readonly name = 'QuestionError';
}

export interface Joined {
  readonly attributes: readonly Attribute[];
  /** One per table, in the order of `sides`. */
  readonly blocks: readonly {
    measure: Measure;
    rows: number;
    codes: Codes[];
    counts: Float64Array | undefined;
  }[];
  readonly leftOut: readonly { column: string; why: string }[];
  /** Events whose value no machine of the population has. */
  readonly strangers: readonly { column: string; value: string; events: number }[];
}

export function join(question: Question): Joined {
  const { events, population, beforeEvents, beforePopulation } = question;
  const sides: { measure: Measure; table: EncodedRows }[] = [
    { measure: 'events', table: events },
    { measure: 'expected', table: population },
  ];
  if (beforeEvents) sides.push({ measure: 'beforeEvents', table: beforeEvents });
  if (beforeEvents)
    sides.push({
      measure: 'beforeExpected',
      table: hasExposure(beforePopulation) ? beforePopulation : population,
    });
  const leftOut: { column: string; why: string }[] = [];
  const names = commonNames(
    sides.map(({ table }) => table),
    leftOut,
  );
  const attributes: Attribute[] = [];
  const codes: Codes[][] = sides.map(() => []);
  const strangers: { column: string; value: string; events: number }[] = [];
  for (const name of names) {
    const columns = sides.map(({ table }) => columnNamed(table, name) as EncodedColumn);
    const { values, maps } = united(columns);
    if (values.length < 2) {
      leftOut.push({ column: name, why: 'has one value only' });
      continue;
    }
    if (attributes.length === JOIN_LIMITS.columns) {
      leftOut.push({ column: name, why: `more than ${JOIN_LIMITS.columns} columns are not looked at` });
      continue;
    }
    const recoded = columns.map((column, at) =>
      recode(column, maps[at] as Int32Array, values.length, (sides[at] as { table: EncodedRows }).table.rows),
    );
    for (const [at, each] of recoded.entries()) codes[at]?.push(each);
    const { seen, distinct } = exposedOf(recoded[1] as Codes, values.length, population.counts);
    attributes.push({ name, values, isIdentifier: isIdentifier(name, distinct, population) });
    if (distinct < values.length)
      strangers.push(...strangersOf(name, values, seen, recoded[0] as Codes, events.counts));
  }
  return {
    attributes,
    blocks: sides.map(({ measure, table }, at) => ({
      measure,
      rows: table.rows,
      codes: codes[at] as Codes[],
      counts: table.counts,
    })),
    leftOut,
    strangers,
  };
}

export function hasExposure(table: EncodedRows | undefined): table is EncodedRows {
  return table !== undefined && table.rows > 0 && (!table.counts || table.counts.some((count) => count > 0));
}

/** Columns that all tables have, in the order of their names. */
function commonNames(tables: readonly EncodedRows[], leftOut: { column: string; why: string }[]): string[] {
  const [events, population] = tables as [EncodedRows, EncodedRows];
  const all = [...new Set(tables.flatMap(({ columns }) => columns.map(({ name }) => name)))].sort();
  const common = all.filter((name) => tables.every((table) => columnNamed(table, name)));
  for (const column of all)
    if (!common.includes(column)) leftOut.push({ column, why: 'is not in all the tables' });
  if (common.length === 0 && events.rows > 0 && population.rows > 0) {
    const list = ({ columns }: EncodedRows) => columns.map(({ name }) => name).join(', ') || 'none';
    throw new QuestionError(
      `the tables have no attribute column in common; events: ${list(events)}; population: ${list(population)}`,
    );
  }
  return common;
}

function columnNamed({ columns }: EncodedRows, name: string): EncodedColumn | undefined {
  return columns.find((column) => column.name === name);
}

/** One dictionary for all: in the order of text, so that the order of rows has no say in any answer. */
function united(columns: readonly EncodedColumn[]): { values: string[]; maps: Int32Array[] } {
  const places = new Map<string, number>();
  for (const column of new Set(columns.map(({ values }) => values)))
    for (const value of column) if (!places.has(value)) places.set(value, places.size);
  const values = [...places.keys()];
  if (values.length <= JOIN_LIMITS.sorted_values) values.sort();
  for (const [at, value] of values.entries()) places.set(value, at);
  return {
    values,
    maps: columns.map((column) => Int32Array.from(column.values, (value) => places.get(value) as number)),
  };
}

function recode({ codes }: EncodedColumn, map: Int32Array, size: number, rows: number): Codes {
  const result: Codes =
    size <= 256 ? new Uint8Array(rows) : size <= 65_536 ? new Uint16Array(rows) : new Int32Array(rows);
  for (let row = 0; row < rows; row++) result[row] = map[codes[row] as number] as number;
  return result;
}

const IDENTIFIER_NAME =
  /^(machine|host|hostname|node|name|serial|sn|uuid|id|ip|instance|instanceid)([-_ ]?(id|name|ip|sn))?$/i;

/** Which values some machine of the population has. */
function exposedOf(
  codes: Codes,
  size: number,
  counts: Float64Array | undefined,
): { seen: Uint8Array; distinct: number } {
  const seen = Uint8Array.from(sumsByCode(codes, size, counts), (sum) => (sum > 0 ? 1 : 0));
  return { seen, distinct: seen.reduce((sum, each) => sum + each, 0) };
}

/** A column that names machines has nearly a value a machine; counts of leaves are not machines. */
function isIdentifier(name: string, distinct: number, { rows, counts }: EncodedRows): boolean {
  if (distinct < 20) return false;
  if (IDENTIFIER_NAME.test(name) && distinct > rows * 0.5) return true;
  if (distinct < 50 || distinct < rows * 0.9) return false;
  if (!counts || counts.every((count) => count === counts[0])) return true;
  return counts.reduce((sum, count) => sum + count, 0) <= rows * 1.5;
}

function strangersOf(
  column: string,
  values: readonly string[],
  exposed: Uint8Array,
  codes: Codes,
  counts: Float64Array | undefined,
): { column: string; value: string; events: number }[] {
  const events = new Float64Array(values.length);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row] as number;
    if (!exposed[code]) events[code] = (events[code] as number) + (counts ? (counts[row] as number) : 1);
  }
  return values.flatMap((value, code) => {
    const count = events[code] as number;
    return count > 0 ? [{ column, value, events: count }] : [];
  });
}

/** Rows that agree in every attribute made one, with all measures: small tables only. */
export function leavesOf(joined: Joined): Block {
  const { attributes, blocks } = joined;
  const most = blocks.reduce((sum, { rows }) => sum + rows, 0);
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(most * 2 + 2))).fill(-1);
  const codes: Codes[] = attributes.map(() => new Int32Array(most));
  const weights = new Map<Measure, Float64Array>(
    blocks.map(({ measure }) => [measure, new Float64Array(most)]),
  );
  let leaves = 0;
  for (const block of blocks) {
    const into = weights.get(block.measure) as Float64Array;
    for (let row = 0; row < block.rows; row++) {
      const weight = block.counts ? (block.counts[row] as number) : 1;
      if (weight === 0) continue;
      let slot = hashOf(block.codes, row) & (slots.length - 1);
      let leaf = slots[slot] as number;
      while (leaf >= 0 && !sameCodes(codes, leaf, block.codes, row)) {
        slot = (slot + 1) & (slots.length - 1);
        leaf = slots[slot] as number;
      }
      if (leaf < 0) {
        leaf = leaves++;
        slots[slot] = leaf;
        for (let at = 0; at < codes.length; at++)
          (codes[at] as Codes)[leaf] = (block.codes[at] as Codes)[row] as number;
      }
      into[leaf] = (into[leaf] as number) + weight;
    }
  }
  return {
    rows: leaves,
    codes: codes.map((each) => each.slice(0, leaves)),
    weights: Object.fromEntries([...weights].map(([measure, each]) => [measure, each.slice(0, leaves)])),
  };
}

function hashOf(codes: readonly Codes[], row: number): number {
  let hash = 0;
  for (let at = 0; at < codes.length; at++) {
    hash = Math.imul(hash ^ ((codes[at] as Codes)[row] as number), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

function sameCodes(codes: readonly Codes[], leaf: number, others: readonly Codes[], row: number): boolean {
  for (let at = 0; at < codes.length; at++)
    if ((codes[at] as Codes)[leaf] !== (others[at] as Codes)[row]) return false;
  return true;
}
