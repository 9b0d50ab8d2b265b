// What became different in the fleet before a crash was first seen: the first suspects.
import type { FleetDay } from '../../platform/history/crashes.ts';
import { machinesBy } from './rates.ts';

export interface Change {
  key: string;
  value: string;
  machinesBefore: number;
  machinesAfter: number;
  from: string;
  to: string;
  /** Share of the crashes on machines with this value. */
  shareOfCrashes: number;
}

/** Kernels, firmware and the like change by rollouts; racks and zones only grow. */
const CHANGING = ['kernel', 'os', 'bios', 'bmc', 'nic', 'model', 'workload'];
const MACHINES_MIN = 3;
const SHARE_MIN = 0.002;
/** A value that spread counts as a suspect when it grew by this factor. */
const GROWTH_MIN = 1.5;

/** @param days of the time before and up to the first crash; needs two of them */
export function changesBefore(
  days: readonly FleetDay[],
  crashes: readonly Readonly<Record<string, string>>[],
): Change[] {
  const from = days[0]?.day;
  const to = days.at(-1)?.day;
  if (!from || !to || from === to) return [];
  const onDay = (wanted: string) => days.filter(({ day }) => day === wanted);
  const fleet = onDay(to).reduce((sum, { machines }) => sum + machines, 0);
  const changes = CHANGING.flatMap((key) => {
    const before = machinesBy(key, onDay(from));
    return [...machinesBy(key, onDay(to))].flatMap(([value, machinesAfter]): Change[] => {
      const machinesBefore = before.get(value) ?? 0;
      const grown = machinesAfter - machinesBefore;
      if (value === '' || grown < Math.max(MACHINES_MIN, fleet * SHARE_MIN)) return [];
      if (machinesAfter < machinesBefore * GROWTH_MIN) return [];
      const hit = crashes.filter((attributes) => attributes[key] === value).length;
      return [
        {
          key,
          value,
          machinesBefore,
          machinesAfter,
          from,
          to,
          shareOfCrashes: hit / Math.max(1, crashes.length),
        },
      ];
    });
  });
  return changes.sort((a, b) => b.shareOfCrashes - a.shareOfCrashes || b.machinesAfter - a.machinesAfter);
}
