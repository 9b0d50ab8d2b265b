// Crashes that are kept, as the rows of a series: a count and machine-days for each day or hour.
import { DAY, HOUR } from '../../platform/clock/clock.ts';
import type { CrashQuery, CrashRecord } from '../../platform/history/crash-record.ts';
import type { FleetDay } from '../../platform/history/crashes.ts';
import type { SourceRow } from '../trend/index.ts';

/**
 * From the step that holds `since` to the one that holds `now`. Days that were not counted have the fleet of the day
 * before; without any count there is no exposure.
 */
export function rowsOfCrashes(
  records: readonly CrashRecord[],
  days: readonly FleetDay[],
  {
    since,
    now,
    step,
    where = [],
  }: { since: number; now: number; step: 'day' | 'hour'; where?: CrashQuery['where'] },
): SourceRow[] {
  const length = step === 'day' ? DAY : HOUR;
  const first = Math.floor(since / length) * length;
  const counts = new Map<number, number>();
  for (const { happenedAt } of records) {
    const at = Math.floor(Date.parse(happenedAt) / length) * length;
    counts.set(at, (counts.get(at) ?? 0) + 1);
  }
  const machines = new Map<string, number>();
  for (const { day, attributes, machines: count } of days) {
    const isOne = where.every(({ key, values, not }) => values.includes(attributes[key] ?? '') !== not);
    if (isOne) machines.set(day, (machines.get(day) ?? 0) + count);
  }
  const rows: SourceRow[] = [];
  let fleet = [...machines].sort(([a], [b]) => a.localeCompare(b))[0]?.[1];
  for (let at = first; at <= now; at += length) {
    const date = new Date(at).toISOString();
    fleet = machines.get(date.slice(0, 10)) ?? fleet;
    // The last step is not over yet.
    const over = Math.min(length, Math.max(1, now - at));
    const exposure = fleet === undefined ? {} : { exposure: String((fleet * over) / DAY) };
    const values = {
      date: step === 'day' ? date.slice(0, 10) : date,
      count: String(counts.get(at) ?? 0),
      ...exposure,
    };
    rows.push({ where: `crashes, ${date}`, values });
  }
  return rows;
}
