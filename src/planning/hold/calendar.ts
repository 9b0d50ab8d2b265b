// Time as rentals count it: days begin at midnight UTC; a month is one of the calendar.
import { DAY, HOUR } from '../../platform/clock/clock.ts';

/** Of a date that is one. */
export function midnight(date: string): number {
  return Date.parse(`${date}T00:00:00Z`);
}

/** `2026-11-11` at midnight, else `2026-11-11T12:00Z`. */
export function dateWords(time_ms: number): string {
  const text = new Date(time_ms).toISOString();
  return time_ms % DAY === 0 ? text.slice(0, 10) : `${text.slice(0, 16)}Z`;
}

/** Hours that have begun. */
export function hoursBetween(from_ms: number, to_ms: number): number {
  return Math.ceil((to_ms - from_ms) / HOUR);
}

/** Months that have begun: from the 15th to the 15th is one, a day more makes two. */
export function monthsBetween(from_ms: number, to_ms: number): number {
  const [from, to] = [new Date(from_ms), new Date(to_ms)];
  const months = 12 * (to.getUTCFullYear() - from.getUTCFullYear()) + to.getUTCMonth() - from.getUTCMonth();
  return monthsAfter(from, months) >= to_ms ? months : months + 1;
}

/** The same day and hour, or the last day of a month that is shorter. */
function monthsAfter(from: Date, months: number): number {
  const after = new Date(from);
  after.setUTCDate(1);
  after.setUTCMonth(from.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(after.getUTCFullYear(), after.getUTCMonth() + 1, 0)).getUTCDate();
  after.setUTCDate(Math.min(from.getUTCDate(), lastDay));
  return after.getTime();
}
