// Surges of crashes in the fleet: in all of it, and by kernel, model, zone and signature. A defect that adds eight
// crashes to one model of 3,000 machines is invisible in the total and stands out ten to one in its own cell; the
// many cells looked at share one budget of false alarms.
import type { Reason } from '../api/fields.ts';
import { dayOf, HOUR } from '../platform/clock/clock.ts';
import type { CrashRecord } from '../platform/history/crash-record.ts';
import type { FleetDay } from '../platform/history/crashes.ts';
import { type Alarm, type Point, type WatchedSeries, watchMany } from './trend/index.ts';

/** False alarms in 30 days over the whole fleet, all cells together. */
export const SURGE_FALSE_ALARMS = 0.5;
/** So much history is looked at. */
export const HISTORY_HOURS = 60 * 24;
/** Cells without a crash in this time cannot surge now. */
const LATELY_HOURS = 72;
const LATELY_MIN = 2;
/** The most active cells are judged. */
const CELLS_MAX = 60;
const PAST_MIN = 6;
const PAST_MAX = 30;
const KEYS = ['kernel', 'model', 'zone', 'rack', 'bios', 'bmc', 'nic', 'os', 'workload', 'cluster'];
/** The total and the signatures count as much in the budget as so many cells. */
const WEIGHTS = { all: 0.3, signature: 0.3, attribute: 0.4 } as const;

export interface Surge {
  /** `all`, `signature`, or the attribute. */
  by: string;
  value: string;
  /** ISO 8601. */
  since: string;
  raisedAt: string;
  events: number;
  expected: number;
  excess: number;
  ratio: number;
  p: number;
  /** What most of its crashes are called. */
  title: string;
  /** Cells that surge only because they hold these crashes: `zone=z1`. */
  echoes: string[];
}

interface Cell {
  by: string;
  value: string;
  of(record: CrashRecord): boolean;
  /** Crashes of the last days, and of all of the history. */
  lately: number;
  count: number;
  weight: number;
}

/**
 * What surges now. A cell that only has the crashes of another one in it (the zone of a bad rack, a signature's
 * model) is an echo of that one, and told with it.
 *
 * @param records not planned, of the last HISTORY_HOURS, in any order
 * @param days the fleet's days of that time; without them the fleet is taken to have been as large as ever
 */
export function surgesOf(records: readonly CrashRecord[], days: readonly FleetDay[], now: number): Surge[] {
  const hours = hoursOf(records, days, now);
  const within = records.filter(({ happenedAt }) => Date.parse(happenedAt) >= hours.start);
  const cells = cellsOf(within, now);
  const active = cells.filter(({ lately }) => lately >= LATELY_MIN).slice(0, CELLS_MAX);
  // A surge that is over explains what other cells have still not got over.
  const past = cells.filter(
    ({ by, lately, count }) => by === 'signature' && lately < LATELY_MIN && count >= PAST_MIN,
  );
  const judged = [...active, ...past.sort((a, b) => b.count - a.count).slice(0, PAST_MAX)];
  const exposureOf = exposures(days, hours);
  const judge = (cells: readonly Cell[], seen: readonly CrashRecord[]): Alarm[][] => {
    if (cells.length === 0) return [];
    const series = cells.map((cell): WatchedSeries => {
      const points = pointsOf(seen.filter(cell.of), exposureOf(cell), hours);
      return { id: idOf(cell), weight: cell.weight, points };
    });
    // Cells that cannot alarm now have their share of the budget too: they could have.
    const share = cells.reduce((sum, { weight }) => sum + weight, 0);
    const falseAlarms = Math.max(1e-6, SURGE_FALSE_ALARMS * share);
    return watchMany(series, { step: 'hour', falseAlarms }).map(({ alarms }) => alarms);
  };
  const alarms = judge(judged, within);
  const loud = judged.flatMap((cell, at) => (alarms[at] ?? []).map((alarm) => ({ cell, alarm })));
  // The surest first, of those the one that stands out most; all of the fleet is everybody's echo.
  loud.sort(
    (a, b) =>
      Number(a.cell.by === 'all') - Number(b.cell.by === 'all') ||
      a.alarm.p - b.alarm.p ||
      b.alarm.ratio - a.alarm.ratio,
  );
  const surges: Surge[] = [];
  let rest: readonly CrashRecord[] = within;
  for (const { cell, alarm } of loud) {
    const own = rest === within ? alarm : judge([cell], rest)[0]?.find((each) => overlap(each, alarm));
    if (!own) {
      if (alarm.until === null) surges[0]?.echoes.push(idOf(cell));
      continue;
    }
    const isIn = (record: CrashRecord) => cell.of(record) && isDuring(record, own);
    if (own.until === null) surges.push(surgeOf(cell, own, mostFrequent(rest.filter(isIn))));
    rest = rest.filter((record) => !isIn(record));
  }
  return surges;
}

function isDuring({ happenedAt }: CrashRecord, { since, until }: Alarm): boolean {
  return happenedAt >= since && (until === null || Date.parse(happenedAt) < Date.parse(until) + HOUR);
}

function overlap(a: Alarm, b: Alarm): boolean {
  return (a.until === null || a.until >= b.since) && (b.until === null || b.until >= a.since);
}

function surgeOf({ by, value }: Cell, alarm: Alarm, title: string): Surge {
  const { since, raisedAt, events, expected, excess, ratio, p } = alarm;
  return { by, value, since, raisedAt, events, expected, excess, ratio, p, title, echoes: [] };
}

function idOf({ by, value }: Pick<Cell, 'by' | 'value'>): string {
  return `${by}=${value}`;
}

/** All cells that have crashed, the most active first. Weights of all that exist sum to 1. */
function cellsOf(records: readonly CrashRecord[], end: number): Cell[] {
  const lately = new Date(end - LATELY_HOURS * HOUR).toISOString();
  const cells = new Map<string, Cell>();
  const cellOf = (by: string, value: string, of: Cell['of']): Cell => {
    const id = idOf({ by, value });
    const cell = cells.get(id) ?? { by, value, of, lately: 0, count: 0, weight: 0 };
    cells.set(id, cell);
    return cell;
  };
  const all = cellOf('all', 'all', () => true);
  for (const { signature, attributes, happenedAt } of records) {
    const own = [all];
    if (signature !== '') own.push(cellOf('signature', signature, (each) => each.signature === signature));
    for (const key of KEYS) {
      const value = attributes[key];
      if (value) own.push(cellOf(key, value, (each) => each.attributes[key] === value));
    }
    for (const cell of own) {
      cell.count++;
      if (happenedAt >= lately) cell.lately++;
    }
  }
  const kinds = Map.groupBy(cells.values(), ({ by }) =>
    by === 'all' || by === 'signature' ? by : 'attribute',
  );
  for (const [kind, own] of kinds) for (const cell of own) cell.weight = WEIGHTS[kind] / own.length;
  return [...cells.values()].sort((a, b) => b.lately - a.lately || idOf(a).localeCompare(idOf(b)));
}

/** Machines of a cell by hour. A signature may strike any machine. */
function exposures(days: readonly FleetDay[], hours: Hours): (cell: Cell) => (hour: number) => number {
  const counted = new Set(days.map(({ day }) => day));
  return (cell) => {
    const own = cell.by !== 'all' && cell.by !== 'signature';
    const machines = new Map<string, number>();
    for (const { day, attributes, machines: count } of days) {
      if (own && attributes[cell.by] !== cell.value) continue;
      machines.set(day, (machines.get(day) ?? 0) + count);
    }
    // Without any count the fleet is taken to have been as large as ever.
    let last = counted.size === 0 ? 1 : 0;
    const known: number[] = [];
    for (let hour = 0; hour < hours.count; hour++) {
      const day = dayOf(hours.start + hour * HOUR);
      // A day that was not counted is like the one before it; one on which the kind was not there has none.
      if (counted.has(day)) last = machines.get(day) ?? 0;
      known.push(last / 24);
    }
    return (hour) => known[hour] as number;
  };
}

interface Hours {
  start: number;
  count: number;
}

/**
 * The history begins when the fleet was first counted, or with the first crash: before that nobody wrote anything
 * down, and no crash in the records does not mean that there was none.
 */
function hoursOf(records: readonly CrashRecord[], days: readonly FleetDay[], now: number): Hours {
  const end = Math.floor(now / HOUR) * HOUR + HOUR;
  const counted = days.reduce((first, { day }) => (first === '' || day < first ? day : first), '');
  const crashed = records.reduce(
    (first, { happenedAt }) => (first === '' || happenedAt < first ? happenedAt : first),
    '',
  );
  const begin = Date.parse(counted || crashed || new Date(end).toISOString());
  const start = Math.max(end - HISTORY_HOURS * HOUR, Math.floor(begin / HOUR) * HOUR);
  return { start, count: Math.max(0, Math.round((end - start) / HOUR)) };
}

function pointsOf(
  records: readonly CrashRecord[],
  exposure: (hour: number) => number,
  { start, count }: Hours,
): Point[] {
  const counts = new Int32Array(count);
  for (const { happenedAt } of records) {
    const hour = Math.floor((Date.parse(happenedAt) - start) / HOUR);
    if (hour >= 0 && hour < count) counts[hour] = (counts[hour] ?? 0) + 1;
  }
  return Array.from(counts, (count, hour) => {
    const at = start + hour * HOUR;
    return { date: new Date(at).toISOString(), at, local: at, count, exposure: exposure(hour) };
  });
}

function mostFrequent(records: readonly CrashRecord[]): string {
  const titles = Map.groupBy(records, ({ title }) => title);
  return [...titles].sort((a, b) => b[1].length - a[1].length)[0]?.[0] ?? '';
}

/** Why a rollout shall wait: the machine is one of those that surge, or the surge may be anywhere. */
export function surgeHold(
  surges: readonly Surge[],
  attributes: Readonly<Record<string, string>>,
): Reason | undefined {
  const surge = surges.find(
    ({ by, value }) => by === 'all' || by === 'signature' || attributes[by] === value,
  );
  if (!surge) return undefined;
  const { by, value, events, expected } = surge;
  return {
    reason: 'CrashSurge',
    message: `${surgeText(surge)}; rollouts wait until it is over`,
    evidence: { by, value, crashes: String(events), expected: expected.toPrecision(2) },
  };
}

/** One sentence for a log, an Event and the gate. */
export function surgeText({ by, value, since, events, expected, title }: Surge): string {
  const where =
    by === 'all'
      ? 'of the whole fleet'
      : by === 'signature'
        ? `with signature ${value}`
        : `with ${by} ${value}`;
  const round = (figure: number) => Number(figure.toPrecision(2));
  return `a surge of crashes ${where}: ${events} since ${since.slice(0, 16)}Z where ${round(expected)} were to be expected; mostly ${title}`;
}
