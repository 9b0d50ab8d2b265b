// The horizon as periods in which the number of Pods stays the same, and what of it is usual.
import { replicasOn, type Series } from '../by-date.ts';
import { PlanError } from '../model.ts';
import { dateWords, midnight } from './calendar.ts';

export interface Horizon {
  from_ms: number;
  to_ms: number;
}

/** By name of the workload. */
export type Replicas = ReadonlyMap<string, number>;

export interface Period extends Horizon {
  replicas: Replicas;
}

export const PERIODS_MAX = 400;
/** Dates times workloads: more could not be planned with, however few periods they make. */
const CELLS_MAX = 40_000;

/** From the first date of any series to the last, where nothing else is said. */
export function horizonOf(all: readonly Series[], { from, to }: { from?: string; to?: string }): Horizon {
  const dates = datesOf(all);
  const [first, last] = [from ?? dates[0], to ?? dates.at(-1)];
  if (first === undefined || last === undefined)
    throw new PlanError('no series has a date: say from when to when machines are wanted, or write a series');
  if (first >= last)
    throw new PlanError(
      `from ${first} to ${last} is no time: ${from === undefined && to === undefined ? 'the series have only one date; say until when machines are wanted' : 'the end must come after the beginning'}`,
    );
  const grown =
    to === undefined &&
    all.find((each) => replicasOn(each, last) > replicasOn(each, dateWords(midnight(last) - 1).slice(0, 10)));
  if (grown)
    throw new PlanError(
      `the series of ${grown.name} ends on ${last} with more Pods than the day before; say until when they are wanted`,
    );
  return { from_ms: midnight(first), to_ms: midnight(last) };
}

/** Neighbours in which the same Pods are there are one. */
export function periodsOf(all: readonly Series[], { from_ms, to_ms }: Horizon): Period[] {
  const inside = datesOf(all)
    .map(midnight)
    .filter((time) => time > from_ms && time < to_ms);
  const starts = [from_ms, ...inside];
  if (starts.length * all.length > CELLS_MAX)
    throw new PlanError(
      `${starts.length} dates of ${all.length} profiles; ${CELLS_MAX} numbers of Pods at most can be planned with: take a shorter time, or fewer dates or profiles`,
    );
  const periods = merged(
    starts.map((start, at) => ({
      from_ms: start,
      to_ms: starts[at + 1] ?? to_ms,
      replicas: new Map(all.map((each) => [each.name, replicasOn(each, dateWords(start))])),
    })),
  );
  if (periods.length > PERIODS_MAX)
    throw new PlanError(
      `the number of Pods changes ${periods.length - 1} times; ${PERIODS_MAX - 1} times at most can be planned with: take a shorter time, or fewer dates`,
    );
  return periods;
}

function merged(periods: readonly Period[]): Period[] {
  const all: Period[] = [];
  for (const period of periods) {
    const before = all.at(-1);
    const isEqual =
      before && [...period.replicas].every(([name, count]) => before.replicas.get(name) === count);
    if (before && isEqual) all[all.length - 1] = { ...before, to_ms: period.to_ms };
    else all.push(period);
  }
  return all;
}

/** By workload the number that is there, or exceeded, for at least half the time: the median. More than it is the event. */
export function usualOf(periods: readonly Period[]): Replicas {
  const length = (some: readonly Period[]) =>
    some.reduce((sum, { from_ms, to_ms }) => sum + to_ms - from_ms, 0);
  const half = length(periods) / 2;
  const names = [...(periods[0]?.replicas.keys() ?? [])];
  return new Map(
    names.map((name) => {
      const count = (period: Period) => period.replicas.get(name) ?? 0;
      const counts = [...new Set(periods.map(count))].sort((a, b) => a - b);
      const usual = counts.find((each) => length(periods.filter((period) => count(period) <= each)) >= half);
      return [name, usual ?? 0];
    }),
  );
}

/** The same time without what is over the usual. */
export function withoutEvent(periods: readonly Period[], usual: Replicas): Period[] {
  return merged(
    periods.map((period) => ({
      ...period,
      replicas: new Map(
        [...period.replicas].map(([name, count]) => [name, Math.min(count, usual.get(name) ?? count)]),
      ),
    })),
  );
}

function datesOf(all: readonly Series[]): string[] {
  return [...new Set(all.flatMap(({ series }) => series.map(({ date }) => date)))].sort();
}
