// Pods and machine types as plain tables: `name,replicas,<date>…,<resource>…` and `name,price,<resource>…[,max][,rented]`.
import { date } from '../../api/fields.ts';
import type { Tier } from '../../api/machine-class.ts';
import { formatQuantity, parseQuantity, type Quantity } from '../../platform/kube/quantity.ts';
import { type Table, TableError } from '../../platform/tables.ts';
import { replicasOn, type Series } from '../by-date.ts';
import type { TierRates } from '../hold/problem-of.ts';
import {
  type Amounts,
  OFFERS_MAX,
  type Offer,
  REPLICAS_MAX,
  WORKLOADS_MAX,
  type Workload,
} from '../model.ts';

const NAME_LENGTH_MAX = 253;

/** With the replicas of a day, or the most that there ever are. Throws a TableError that names file, line and column. */
export function workloadsOf(table: Table, at?: string): Workload[] {
  const dates = datesOf(table);
  const resources = resourcesOf(table, dates.length > 0 ? ['name'] : ['name', 'replicas'], [
    'replicas',
    ...dates,
  ]);
  if (table.rows > WORKLOADS_MAX)
    throw new TableError(
      `${table.name}: ${table.rows} rows; ${WORKLOADS_MAX} shapes of Pods at most can be planned for`,
    );
  const names = new Set<string>();
  return Array.from({ length: table.rows }, (_, row) => {
    const cell = cellsOf(table, row);
    const need = amountsOf(cell, resources);
    if (![...need.values()].some((amount) => amount > 0n))
      throw cell.error(
        resources[0] ?? 'name',
        'all amounts are 0: a Pod that needs nothing fits anywhere, and can’t be planned for',
      );
    return {
      name: nameIn(cell, names),
      from: cell.from,
      replicas: replicasOn(seriesOf(cell, dates), at),
      need,
      part: 'Online' as const,
      apart: [],
      spread: false,
    };
  });
}

/** How many Pods there are by date: columns that are named `2026-11-11`. An empty cell changes nothing. */
export function seriesIn(table: Table): Series[] {
  const dates = datesOf(table);
  return Array.from({ length: table.rows }, (_, row) => {
    const cell = cellsOf(table, row);
    return { name: cell.text('name'), ...seriesOf(cell, dates) };
  });
}

/** With the price of one tier. Throws a TableError that names file, line and column. */
export function offersOf(table: Table, tier: Tier = 'Daily'): Offer[] {
  const resources = resourcesOf(table, ['name', 'price'], ['max', 'rented']);
  const price = tier === 'Promotion' ? 'rented' : 'price';
  if (table.rows > OFFERS_MAX)
    throw new TableError(
      `${table.name}: ${table.rows} rows; ${OFFERS_MAX} types at most can be planned with`,
    );
  const hasMax = table.columns.some(({ name }) => name === 'max');
  const names = new Set<string>();
  return Array.from({ length: table.rows }, (_, row) => {
    const cell = cellsOf(table, row);
    const max = hasMax && cell.text('max') !== '' ? cell.whole('max', REPLICAS_MAX) : undefined;
    return {
      name: nameIn(cell, names),
      from: cell.from,
      room: amountsOf(cell, resources),
      price: cell.quantity(price, 'a price'),
      owned: false,
      ...(max !== undefined && { max }),
    };
  });
}

/** By name, an hour: `price` of what is held, `rented` of what is rented and, where that is empty, can't be. */
export function ratesIn(table: Table): Map<string, TierRates> {
  return new Map(
    Array.from({ length: table.rows }, (_, row): [string, TierRates] => {
      const cell = cellsOf(table, row);
      const isRented = cell.text('rented') !== '';
      return [
        cell.text('name'),
        {
          daily: { hour: cell.quantity('price', 'a price') },
          ...(isRented && { promotion: { hour: cell.quantity('rented', 'a price') } }),
        },
      ];
    }),
  );
}

/** Machines that are there: `class,count[,zone]`, of classes that the offers name. */
export function ownedOf(table: Table, offers: readonly Offer[]): Offer[] {
  const more = resourcesOf(table, ['class', 'count'], ['zone']);
  if (more.length > 0)
    throw new TableError(`${table.name}: column "${more[0]}" is not known; there are class, count and zone`);
  const hasZone = table.columns.some(({ name }) => name === 'zone');
  return Array.from({ length: table.rows }, (_, row) => {
    const cell = cellsOf(table, row);
    const name = cell.text('class');
    const offer = offers.find((each) => each.name === name);
    if (!offer)
      throw cell.error(
        'class',
        `"${name}" is no class; there are ${offers.map((each) => each.name).join(', ')}`,
      );
    const count = cell.whole('count', REPLICAS_MAX);
    const zone = hasZone ? cell.text('zone') : '';
    const { max: _max, zones: _zones, ...like } = offer;
    return {
      ...like,
      from: cell.from,
      price: 0n,
      owned: true,
      ...(zone ? { zones: [{ zone, max: count }] } : { max: count }),
    };
  });
}

/** Columns whose names are dates. */
function datesOf({ name: file, columns }: Table): string[] {
  const dates = columns.map(({ name }) => name).filter((name) => /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(name));
  const wrong = dates.find((name) => !date().safeParse(name).success);
  if (wrong) throw new TableError(`${file}, line 1, column "${wrong}": there is no such date`);
  return dates;
}

function seriesOf(cell: Cells, dates: readonly string[]): Omit<Series, 'name'> {
  const isThere = (column: string) => cell.text(column) !== '';
  return {
    series: dates
      .filter(isThere)
      .map((column) => ({ date: column, replicas: cell.whole(column, REPLICAS_MAX) })),
    ...((dates.length === 0 || isThere('replicas')) && { replicas: cell.whole('replicas', REPLICAS_MAX) }),
  };
}

/** All columns but these; throws where one of the first is not there. */
function resourcesOf(table: Table, needed: readonly string[], known: readonly string[] = []): string[] {
  const names = table.columns.map(({ name }) => name);
  const missing = needed.find((name) => !names.includes(name));
  if (missing)
    throw new TableError(
      `${table.name}, line 1: the column "${missing}" is missing; the columns are ${[...needed, ...known.map((name) => `[${name}]`), 'and one for each resource'].join(', ')}`,
    );
  if (table.rows === 0) throw new TableError(`${table.name}: there is no row under the header`);
  return names.filter((name) => !needed.includes(name) && !known.includes(name));
}

interface Cells {
  from: string;
  text(column: string): string;
  /** From 0 to `most`. */
  whole(column: string, most: number): number;
  quantity(column: string, what: string): Quantity;
  error(column: string, what: string): TableError;
}

function cellsOf(table: Table, row: number): Cells {
  const from = `${table.name}, line ${table.lineOf(row)}`;
  const text = (name: string) => {
    const column = table.columns.find((each) => each.name === name);
    return column ? (column.values[column.codes[row] as number] ?? '').trim() : '';
  };
  const error = (column: string, what: string) => new TableError(`${from}, column "${column}": ${what}`);
  const quantity = (column: string, what: string) => {
    const written = text(column);
    const amount = parseQuantity(written);
    if (written === '') throw error(column, `${what} is missing`);
    if (amount === undefined)
      throw error(column, `"${shortened(written)}" is no quantity; write it like 16, 0.5, 500m or 60Gi`);
    if (amount < 0n) throw error(column, `${formatQuantity(amount)} is negative`);
    return amount;
  };
  const whole = (column: string, most: number) => {
    const amount = Number(quantity(column, 'a whole number')) / 1e9;
    if (!Number.isInteger(amount)) throw error(column, `${amount} is no whole number`);
    if (amount > most) throw error(column, `${amount} is more than ${most}`);
    return amount;
  };
  return { from, text, error, quantity, whole };
}

function nameIn(cell: Cells, names: Set<string>): string {
  const name = cell.text('name');
  if (name === '' || name.length > NAME_LENGTH_MAX)
    throw cell.error('name', `a name of 1 to ${NAME_LENGTH_MAX} characters is wanted`);
  if (names.has(name)) throw cell.error('name', `"${name}" is there twice`);
  names.add(name);
  return name;
}

function amountsOf(cell: Cells, resources: readonly string[]): Amounts {
  return new Map(
    resources.flatMap((name): [string, Quantity][] =>
      cell.text(name) === '' ? [] : [[name, cell.quantity(name, 'an amount')]],
    ),
  );
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
