// From rows of a table to points in order of time: what a date may look like, days or hours, and what is wrong
// with a row, told so that it can be put right.
import { DAY, HOUR, MINUTE } from '../../platform/clock/clock.ts';
import { columnOf, type Table } from '../../platform/tables.ts';
import type { Point } from './baseline.ts';
import { STEPS, type Step } from './calendar.ts';

/** A row of a table, with the place that people find it by: `events.csv, line 7`. */
export interface SourceRow {
  where: string;
  values: Readonly<Record<string, unknown>>;
}

export interface SeriesOptions {
  /** The column of machine-days (or any other exposure); `exposure` is taken when it is there. */
  exposure?: string;
  /** A day without a row is unknown, unless the table was counted from events and leaves out empty days. */
  missing?: 'unknown' | 'zero';
}

export interface Series {
  step: Step;
  points: Point[];
  hasExposure: boolean;
  /** What was done to the rows that a reader should know of. */
  notes: string[];
}

/** Wrong input, told to the user as it is. */
export class SeriesError extends Error {
  override readonly name = 'SeriesError';
}

/** The rows of a table that was read, as `seriesOf` takes them. */
export function* rowsOf(table: Table, options: SeriesOptions = {}): Generator<SourceRow> {
  const wanted = ['date', 'count', options.exposure ?? 'exposure'];
  const columns = wanted.map((name) => columnOf(table, name));
  for (const [at, name] of wanted.entries())
    if (!columns[at] && (at < 2 || options.exposure !== undefined))
      throw new SeriesError(
        `${table.name}: there is no column "${name}"; there are: ${table.columns.map(({ name }) => name).join(', ') || 'none'}`,
      );
  for (let row = 0; row < table.rows; row++) {
    const values: Record<string, unknown> = {};
    for (const [at, name] of wanted.entries()) {
      const column = columns[at];
      if (column) values[name] = column.values[column.codes[row] as number];
    }
    yield { where: `${table.name}, line ${table.lineOf(row)}`, values };
  }
}

const DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.\d{1,9})?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/;
const DATE_HELP = 'write it as 2026-01-02 or 2026-01-02T03:00:00Z';
/** Filling up a gap between two mistyped years must not fill the memory. */
const FILLED_MAX = 10_000_000;

export function seriesOf(rows: Iterable<SourceRow>, options: SeriesOptions = {}): Series {
  const points: Point[] = [];
  const places: string[] = [];
  let hasExposure: boolean | undefined;
  for (const { where, values } of rows) {
    const column = options.exposure ?? 'exposure';
    hasExposure ??= options.exposure !== undefined || values.exposure !== undefined;
    const time = timeOf(values.date, where);
    const count = countOf(values.count, where);
    const exposure = hasExposure ? exposureOf(values[column], column, where) : 1;
    points.push({ ...time, count, exposure });
    places.push(where);
  }
  if (points.length === 0)
    throw new SeriesError('the series has no rows: give at least a header and one row');
  const notes: string[] = [];
  const step = stepOf(points, places);
  const ordered = inOrder(points, notes);
  const merged = merge(ordered, step, hasExposure ?? false, notes);
  const filled = fill(merged, step, options, hasExposure ?? false, notes);
  const odd = filled.filter(({ count, exposure }) => exposure === 0 && count > 0).length;
  if (odd > 0) notes.push(`${many(odd, step)} with events but no exposure: not judged`);
  return { step, points: filled, hasExposure: hasExposure ?? false, notes };
}

function timeOf(value: unknown, where: string): { date: string; at: number; local: number } {
  if (value === undefined || value === null || value === '')
    throw new SeriesError(`${where}, column "date": there is none; ${DATE_HELP}`);
  const text = String(value).trim();
  const match = DATE.exec(text);
  if (!match)
    throw new SeriesError(`${where}, column "date": ${JSON.stringify(text)} is no date; ${DATE_HELP}`);
  const [, year, month, day, hour = '0', minute = '0', second = '0', zone = 'Z'] = match;
  const local = Date.UTC(
    +(year as string),
    +(month as string) - 1,
    +(day as string),
    +hour,
    +minute,
    +second,
  );
  const isReal = new Date(local).toISOString().startsWith(`${year}-${month}-${day}T${hour.padStart(2, '0')}`);
  if (!isReal || +minute > 59 || +second > 59)
    throw new SeriesError(
      `${where}, column "date": ${JSON.stringify(text)} is not in the calendar; ${DATE_HELP}`,
    );
  return { date: text, at: local - offsetOf(zone), local };
}

function offsetOf(zone: string): number {
  if (zone === 'Z') return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return (zone.startsWith('-') ? -minutes : minutes) * MINUTE;
}

function countOf(value: unknown, where: string): number {
  const count = numberOf(value, 'count', where, 'a whole number of events, 0 or more');
  if (count < 0 || !Number.isSafeInteger(count))
    throw new SeriesError(
      `${where}, column "count": ${JSON.stringify(value)} ${count < 0 ? 'is negative' : 'is no whole number'}; give a whole number of events, 0 or more`,
    );
  return count;
}

function exposureOf(value: unknown, column: string, where: string): number {
  const exposure = numberOf(value, column, where, 'a number such as machine-days, 0 or more');
  if (exposure < 0 || exposure > 1e15)
    throw new SeriesError(
      `${where}, column "${column}": ${JSON.stringify(value)} ${exposure < 0 ? 'is negative' : 'is too large'}; give a number such as machine-days, 0 or more`,
    );
  return exposure;
}

function numberOf(value: unknown, column: string, where: string, wanted: string): number {
  if (value === undefined || value === null || value === '')
    throw new SeriesError(`${where}, column "${column}": there is none; give ${wanted}`);
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && value.trim() !== ''
        ? Number(value)
        : Number.NaN;
  if (!Number.isFinite(number))
    throw new SeriesError(
      `${where}, column "${column}": ${JSON.stringify(value)} is no number; give ${wanted}`,
    );
  return number;
}

/** Days when all times are midnight by their own clock, hours when all are full hours. */
function stepOf(points: readonly Point[], places: readonly string[]): Step {
  if (points.every(({ local }) => local % DAY === 0)) return 'day';
  const odd = points.findIndex(({ local }) => local % HOUR !== 0);
  if (odd < 0) return 'hour';
  throw new SeriesError(
    `${places[odd]}, column "date": ${JSON.stringify(points[odd]?.date)} is neither a day nor a full hour; count the events by day or by hour first`,
  );
}

function inOrder(points: Point[], notes: string[]): Point[] {
  if (points.every((point, at) => at === 0 || point.at >= (points[at - 1] as Point).at)) return points;
  notes.push('the rows were not in order of time: sorted');
  return points.sort((a, b) => a.at - b.at);
}

/** Rows of the same day (of several clusters, say) are added up. */
function merge(points: readonly Point[], step: Step, hasExposure: boolean, notes: string[]): Point[] {
  const merged: Point[] = [];
  let twice = 0;
  for (const point of points) {
    const last = merged.at(-1);
    if (last?.at !== point.at) {
      merged.push({ ...point });
      continue;
    }
    last.count += point.count;
    if (hasExposure) last.exposure += point.exposure;
    twice++;
  }
  if (twice > 0)
    notes.push(
      `${many(twice, step)} came more than once: their counts${hasExposure ? ' and exposures' : ''} were added up`,
    );
  return merged;
}

function fill(
  points: Point[],
  step: Step,
  options: SeriesOptions,
  hasExposure: boolean,
  notes: string[],
): Point[] {
  const step_ms = STEPS[step].ms;
  const first = points[0] as Point;
  const last = points.at(-1) as Point;
  const missing = Math.round((last.at - first.at) / step_ms) + 1 - points.length;
  if (missing <= 0) return points;
  if (options.missing !== 'zero') {
    notes.push(`${many(missing, step)} missing: taken as not known, not as 0`);
    if (missing > points.length / 4 && points.every(({ count }) => count > 0))
      notes.push(`no ${step} has 0 events: if the ${step}s without events were left out, say --missing zero`);
    return points;
  }
  if (missing > FILLED_MAX)
    throw new SeriesError(
      `${many(missing, step)} missing between ${first.date} and ${last.date}: at most ${FILLED_MAX} are filled with 0; look for a wrong year`,
    );
  const filled: Point[] = [];
  for (const point of points) {
    const before = filled.at(-1);
    for (let at = (before?.at ?? point.at) + step_ms; at < point.at && before; at += step_ms) {
      const iso = new Date(at + before.local - before.at).toISOString();
      const date = step === 'day' ? iso.slice(0, 10) : `${iso.slice(0, 19)}Z`;
      const exposure = hasExposure ? before.exposure : 1;
      filled.push({ date, at, local: at + before.local - before.at, count: 0, exposure });
    }
    filled.push(point);
  }
  notes.push(`${many(missing, step)} missing: taken as 0`);
  return filled;
}

function many(count: number, step: Step): string {
  return `${count} ${step}${count === 1 ? '' : 's'}`;
}
