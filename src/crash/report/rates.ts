// How often something happens by machine-days, with the interval that the count allows.
import type { CrashRecord } from '../../platform/history/crash-record.ts';
import type { FleetDay } from '../../platform/history/crashes.ts';
import { poissonMeanAtMost, poissonUpper, turningPoint } from '../statistics.ts';

export interface Rate {
  /** Value of the attribute. */
  value: string;
  crashes: number;
  machines: number;
  /** Machine-days; 0 where the fleet was not counted. */
  exposure: number;
  /** Crashes by 1,000 machine-days (‰ a day), and its 95 % interval; null without exposure. */
  permille: number | null;
  interval: [number, number] | null;
}

/** Each value of an attribute that crashed, or that much of the fleet has; the highest rate first. */
export function ratesBy(key: string, records: readonly CrashRecord[], days: readonly FleetDay[]): Rate[] {
  const exposures = machinesBy(key, days);
  const crashes = Map.groupBy(records, ({ attributes }) => attributes[key] ?? '');
  const values = new Set([...exposures.keys(), ...crashes.keys()]);
  return [...values]
    .filter((value) => value !== '')
    .map((value) => rateOf(value, crashes.get(value) ?? [], exposures.get(value) ?? 0))
    .sort(
      (a, b) =>
        (b.permille ?? -1) - (a.permille ?? -1) || b.crashes - a.crashes || a.value.localeCompare(b.value),
    );
}

/** Machines, or machine-days of several days, by their value of an attribute; '' is that of those without it. */
export function machinesBy(key: string, days: readonly FleetDay[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { attributes, machines } of days) {
    const value = attributes[key] ?? '';
    counts.set(value, (counts.get(value) ?? 0) + machines);
  }
  return counts;
}

/** How many machines these are the crashes of. */
export function machinesIn(records: readonly CrashRecord[]): number {
  return new Set(records.map(({ cluster, machine }) => `${cluster}/${machine}`)).size;
}

export function rateOf(value: string, records: readonly CrashRecord[], exposure: number): Rate {
  const crashes = records.length;
  const machines = machinesIn(records);
  if (exposure <= 0) return { value, crashes, machines, exposure: 0, permille: null, interval: null };
  const [low, high] = countInterval(crashes);
  const by = 1000 / exposure;
  return { value, crashes, machines, exposure, permille: crashes * by, interval: [low * by, high * by] };
}

const TAIL = 0.025;

/** The exact 95 % interval of a Poisson mean of which `count` were seen (Garwood 1936). */
export function countInterval(count: number): [number, number] {
  const low = count === 0 ? 0 : turningPoint(0, count, (mean) => poissonUpper(count, mean) < TAIL);
  return [low, poissonMeanAtMost(count, TAIL)];
}
