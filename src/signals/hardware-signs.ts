// What a new entry of a hardware's log means for its machine. Pure.
import { HOUR } from '../platform/clock/clock.ts';
import type { LogEntry } from '../platform/providers/provider.ts';
import { isPanic } from './last-words.ts';

export type HardwareSign =
  /** The operating system has stopped: the machine is to be looked at now. */
  | 'Stopped'
  /** A part of it has failed, or fails. */
  | 'Failing'
  /** What an earlier entry said is over. */
  | 'Over'
  /** Something that a person may want to know by day, as a correctable error. */
  | 'Warned'
  | 'None';

/**
 * For so long an entry stands when nothing more is heard of it: an error that comes once (a bit flipped twice) leaves no
 * other trace, and a person has been called by then. What stays broken says so in the BMC's own health.
 */
export const STANDS_MS = HOUR;
/** Entries that one symptom names; a part that dies writes hundreds. */
const ENTRIES_MAX = 8;

/**
 * A person's button or our own NMI, the watchdog that resets a hung system, an open lid: critical to the BMC, and no part
 * that fails. What they do to the machine is seen on the machine.
 */
const NOT_HARDWARE =
  /\bNMI\b|diag(nostic)?\b.*interrupt|watchdog|intrusion|chassis.*open|log\b.*(clear|full|reset)|log ?in\b|password|session/i;
/** Whatever else the words are: an NMI by a bus that fails, a watchdog that met a machine check. */
const SURE = /uncorrectable|multi-?bit|fatal|ierr|machine check|[sp]err\b|thermal ?trip/i;
const HARDWARE =
  /memory|\bECC\b|dimm|processor|\bCPU\b|ierr|machine check|\bMCE\b|pci|\bbus\b|[sp]err\b|power|\bPSU\b|volt|therm|temperature|\bfan\b|cooling|drive|disk|nvme|raid|battery|hardware|uncorrectable|fatal|chip ?set|board|\bGPU\b/i;
const OVER = /\bde-?assert(ed|ion)?\b|\| resolved$/i;

export function signOf(entry: LogEntry): HardwareSign {
  const all = `${entry.sensor} ${entry.message}`;
  if (OVER.test(entry.message)) return 'Over';
  if (isPanic(entry)) return 'Stopped';
  if (entry.severity === 'Warning') return 'Warned';
  if (entry.severity !== 'Critical') return 'None';
  if (SURE.test(all)) return 'Failing';
  if (NOT_HARDWARE.test(all)) return 'None';
  return HARDWARE.test(all) ? 'Failing' : 'Warned';
}

/** What a message is about, whether it says that it began or that it is over. */
export function subjectOf({ message }: LogEntry): string {
  return message
    .replace(/\b(de-?)?assert(ed|ion)?\b|\| resolved$/gi, '')
    .replace(/[\s|]+/g, ' ')
    .trim()
    .toLowerCase();
}

/** What the log says is wrong with a machine's hardware, and has not taken back. */
export interface HardwareTrouble {
  /** Oldest first, the last ones of many. */
  entries: readonly LogEntry[];
  /** Epoch milliseconds of our clock: when we saw the first of them. */
  since: number;
  /** Until then it stands, whatever else is heard. */
  until: number;
}

/** The trouble after these new entries; undefined where there is none, or none any more. */
export function troubleAfter(
  trouble: HardwareTrouble | undefined,
  news: readonly LogEntry[],
  now: number,
): HardwareTrouble | undefined {
  let entries = [...(trouble?.entries ?? [])];
  let until = trouble?.until ?? 0;
  for (const entry of news) {
    const sign = signOf(entry);
    if (sign === 'Over') entries = withoutFirst(entries, (one) => isSameSubject(one, entry));
    if (sign !== 'Failing') continue;
    entries.push(entry);
    until = now + STANDS_MS;
  }
  if (entries.length === 0) return undefined;
  return { entries: entries.slice(-ENTRIES_MAX), since: trouble?.since ?? now, until };
}

/** One is taken back by one: of two power supplies that failed, one may still be dead. */
function withoutFirst<T>(all: readonly T[], isMeant: (one: T) => boolean): T[] {
  const at = all.findIndex(isMeant);
  return at < 0 ? [...all] : all.toSpliced(at, 1);
}

/** A stream names no sensor. */
function isSameSubject(a: LogEntry, b: LogEntry): boolean {
  return subjectOf(a) === subjectOf(b) && (a.sensor === b.sensor || a.sensor === '' || b.sensor === '');
}

/** In words: the newest entry, and how many others. */
export function troubleText({ entries }: HardwareTrouble): string {
  const newest = entries.at(-1) as LogEntry;
  const others = entries.length > 1 ? ` (and ${entries.length - 1} before it)` : '';
  const when = newest.at ? `, ${newest.at} by its clock` : '';
  return `its hardware’s log says: ${[newest.sensor, newest.message].filter(Boolean).join(': ')}${when}${others}`;
}
