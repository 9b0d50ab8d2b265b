// The newest lines of the kernel's log and of a unit's. What is too much is cut from the old end, and said.
import { z } from 'zod';
import { SECOND } from '../../clock/clock.ts';
import { action, NOT_A_NUMBER, SAY_NO, script } from './action.ts';

export const LOG_LINES_MAX = 10_000;
export const LOG_BYTES_MAX = 1024 * 1024;

export interface LogTail {
  /** Oldest first. */
  lines: string[];
  /** Whether there are older ones that were left out. */
  isCut: boolean;
}

/** One line and one byte more than wanted are taken, so that we know whether there were more. */
const TAIL = `tail -n "$(( $1 + 1 ))" | tail -c ${LOG_BYTES_MAX + 1}`;
const CHECK = `${SAY_NO} case "$1" in ${NOT_A_NUMBER}) refuse 'lines must be a number';; esac;`;
/** A pipe hides how its beginning ended, so that is asked before. */
const KERNEL = `${CHECK} dmesg >/dev/null || cannot 'dmesg failed'; dmesg | ${TAIL}`;

const lines = z.int().min(1).max(LOG_LINES_MAX);

export const kernelLog = action({
  about: 'reads the end of the kernel log',
  params: z.strictObject({ lines }),
  root: true,
  timeout_ms: 30 * SECOND,
  output_bytes_max: LOG_BYTES_MAX + 4096,
  script: script(KERNEL),
  args: (params) => [String(params.lines)],
  parse: (output, params): LogTail => tailOf(output, params.lines),
});

export function logActions(units: [string, ...string[]]) {
  const text = `
    ${CHECK}
    case "$2" in ${units.join('|')}) ;; *) refuse "unit not in the list of this host: $2";; esac;
    journal() { timeout 25 journalctl --quiet --no-pager --output=short-iso-precise --unit="$2" --lines="$1"; };
    journal 0 "$2" >/dev/null || cannot 'journalctl failed';
    journal "$(( $1 + 1 ))" "$2" | ${TAIL}`;
  const unitLog = action({
    about: 'reads the end of the log of a service of the list',
    params: z.strictObject({ unit: z.enum(units), lines }),
    root: true,
    timeout_ms: 30 * SECOND,
    output_bytes_max: LOG_BYTES_MAX + 4096,
    script: script(text),
    args: (params) => [String(params.lines), params.unit],
    parse: (output, params): LogTail => tailOf(output, params.lines),
  });
  return { kernelLog, unitLog };
}

export function tailOf(output: Buffer, most: number): LogTail {
  const tooLong = output.length > LOG_BYTES_MAX;
  const all = output
    .toString('utf8')
    .replace(/\n$/, '')
    .split('\n')
    // The oldest line of a log that was cut by bytes is a piece of one.
    .slice(tooLong ? 1 : 0);
  if (all.length === 1 && all[0] === '') return { lines: [], isCut: tooLong };
  return { lines: all.slice(-most), isCut: tooLong || all.length > most };
}
