// What a machine without a console that we can read has said at the end: over netconsole, and by its kernel into the log
// of its BMC (IPMI panic events, CONFIG_IPMI_PANIC_EVENT).
import { MINUTE } from '../platform/clock/clock.ts';
import type { LogEntry } from '../platform/providers/provider.ts';
import type { ConsoleSign } from './belief.ts';
import { consoleSign } from './console.ts';

/** The last words come some seconds before the first symptom. A BMC whose clock is further off is not believed. */
export const BEFORE_MS = MINUTE;

export interface LastWords {
  /** What came over netconsole since then. */
  lines: readonly string[];
  log: readonly LogEntry[];
  /** Epoch milliseconds from which on words count: older ones are of an earlier trouble. */
  from: number;
  /** Whether a crash kernel was loaded when the host was last asked. */
  crashDump: 'Armed' | 'NotArmed' | 'Unknown';
}

/**
 * Neither of them shows a dump being written. So a panic is taken for one, unless no crash kernel was loaded: cutting its
 * power would destroy what alone tells why.
 */
export function signOfLastWords({ lines, log, from, crashDump }: LastWords): ConsoleSign {
  const said = consoleSign(lines);
  const panicked =
    said === 'Panicked' || log.some((entry) => isPanic(entry) && Date.parse(entry.at ?? '') >= from);
  if (panicked) return crashDump === 'NotArmed' ? 'Panicked' : 'Dumping';
  return said;
}

/** Sensor type 20h, "OS Stop/Shutdown": a run-time stop is a kernel panic (IPMI 2.0, table 42-3). */
export function isPanic({ severity, sensor, message }: LogEntry): boolean {
  return (
    severity !== 'OK' &&
    /run-?time (critical )?stop|OS critical stop|kernel panic/i.test(`${sensor} ${message}`)
  );
}
