// Who holds file handles. They are counted, never listed: a process with a million makes one line.
import { z } from 'zod';
import { SECOND } from '../../clock/clock.ts';
import { action, badOutput, NOT_A_NUMBER, SAY_NO, script } from './action.ts';
import { countOf, fieldsOf, linesOf } from './lines.ts';

export const PROCESSES_MAX = 100;

export interface FileHandles {
  /** Of the whole system. */
  allocated: number;
  max: number;
  /** The most handles first. */
  processes: { pid: number; name: string; handles: number; limit: number | 'unlimited' }[];
}

/** Since Linux 6.2 the size of /proc/PID/fd is the count; before, it is 0 and the entries are counted. */
const SCRIPT = String.raw`
  ${SAY_NO}
  case "$1" in ${NOT_A_NUMBER}) refuse 'most must be a number';; esac;
  cat /proc/sys/fs/file-nr || cannot 'file handles cannot be read';
  sizes() { find /proc -mindepth 2 -maxdepth 2 -path '/proc/[0-9]*/fd' -printf '%s %p\n' 2>/dev/null; };
  entries() { for d in /proc/[0-9]*/fd; do echo "$(ls -f "$d" 2>/dev/null | wc -l) $d"; done | awk '{ print $1 - 2, $2 }'; };
  if sizes | awk '$1 > 0 { found = 1; exit } END { exit !found }'; then sizes; else entries; fi |
  awk '$1 > 0 { split($2, part, "/"); print $1, part[3] }' | sort -rn | head -n "$1" |
  while read -r handles pid; do
    limit=$(awk '/^Max open files/ { print $4 }' "/proc/$pid/limits" 2>/dev/null);
    name=$(tr '\n\t' '??' 2>/dev/null <"/proc/$pid/comm");
    printf '%s\t%s\t%s\t%s\n' "$handles" "$pid" "$limit" "$name";
  done 2>/dev/null`;

export const fileHandles = action({
  about: 'finds the processes with the most file handles',
  params: z.strictObject({ most: z.int().min(1).max(PROCESSES_MAX) }),
  root: true,
  timeout_ms: 30 * SECOND,
  output_bytes_max: 64 * 1024,
  script: script(SCRIPT),
  args: ({ most }) => [String(most)],
  parse: (output, { most }): FileHandles => {
    const [system = '', ...rest] = linesOf(output);
    const [allocated, , max] = system.split(/\s+/);
    // Kernels of 64 bits write 2^63 - 1 for "no limit".
    const limit = Number(max);
    if (!Number.isFinite(limit) || limit <= 0) throw badOutput('file-nr has no limit');
    if (rest.length > most) throw badOutput(`${rest.length} processes came, ${most} were wanted`);
    const processes = rest.flatMap((line) => {
      const [handles, pid, own, name = ''] = fieldsOf(line, 4);
      // It ended while it was being looked at.
      if (own === '') return [];
      return {
        pid: countOf(pid, 'pid'),
        name: name.replace(/\?$/, ''),
        handles: countOf(handles, 'handles'),
        limit: own === 'unlimited' ? ('unlimited' as const) : countOf(own, 'limit'),
      };
    });
    return { allocated: countOf(allocated, 'allocated handles'), max: limit, processes };
  },
});
