import type { DisruptionBudget } from '../api/disruption-budget.ts';
import type { Reason } from '../api/fields.ts';

type Window = DisruptionBudget['spec']['windows'][number];

/** The freeze that holds now, if one does. */
export function frozen(budget: DisruptionBudget, now: number): Reason | undefined {
  for (const { from, to, why } of budget.spec.freezes) {
    if (now < Date.parse(from) || now >= Date.parse(to)) continue;
    return {
      reason: 'Frozen',
      message: `DisruptionBudget ${budget.metadata.name} forbids disruption until ${to}: ${why}`,
      evidence: { budget: budget.metadata.name, from, to },
      until: to,
    };
  }
  return undefined;
}

/** Why no window of the budget is open now, if it has windows and none is. */
export function outsideWindows(budget: DisruptionBudget, now: number): Reason | undefined {
  const { windows } = budget.spec;
  if (windows.length === 0 || windows.some((window) => isOpen(window, now))) return undefined;
  const list = windows
    .map(({ days, from, to, timeZone }) => `${days.join(',') || 'daily'} ${from}-${to} ${timeZone}`)
    .join('; ');
  return {
    reason: 'OutsideWindow',
    message: `DisruptionBudget ${budget.metadata.name} allows disruption only within its windows: ${list}`,
    evidence: { budget: budget.metadata.name, windows: list.slice(0, 256) },
  };
}

/** A window that ends before it begins runs over midnight, and belongs to the day on which it begins. */
function isOpen({ days, from, to, timeZone }: Window, now: number): boolean {
  // The budget's condition says so (controller.ts); here a wrong name must not stop the gate for everybody.
  if (!isTimeZone(timeZone)) return false;
  const { day, dayBefore, minute } = localTime(now, timeZone);
  const begin = minuteOf(from);
  const end = minuteOf(to);
  const on = (name: string) => days.length === 0 || (days as readonly string[]).includes(name);
  if (begin < end) return on(day) && minute >= begin && minute < end;
  return (on(day) && minute >= begin) || (on(dayBefore) && minute < end);
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

function localTime(now: number, timeZone: string): { day: string; dayBefore: string; minute: number } {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const part = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, value]));
  const day = part.weekday as string;
  const dayBefore = DAYS[(DAYS.indexOf(day) + 6) % 7] as string;
  return { day, dayBefore, minute: Number(part.hour) * 60 + Number(part.minute) };
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

/** Whether the name is a time zone that this host knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
