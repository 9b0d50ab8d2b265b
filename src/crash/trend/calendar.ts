// Where a point stands in the week and the day. Local times are taken as they are written.
import { DAY, HOUR } from '../../platform/clock/clock.ts';

export type Step = 'day' | 'hour';

export const STEPS: Readonly<Record<Step, { ms: number; perMonth: number; perDay: number }>> = {
  day: { ms: DAY, perMonth: 30, perDay: 1 },
  hour: { ms: HOUR, perMonth: 720, perDay: 24 },
};

/** 1 January 1970 was a Thursday; Sunday is 0. */
export function weekdayOf(local_ms: number): number {
  return (((Math.floor(local_ms / DAY) + 4) % 7) + 7) % 7;
}

export function hourOf(local_ms: number): number {
  return ((Math.floor(local_ms / HOUR) % 24) + 24) % 24;
}

export function isWeekend(weekday: number): boolean {
  return weekday === 0 || weekday === 6;
}
