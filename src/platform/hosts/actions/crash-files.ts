// What crashes left on a host, and reading it piece by piece. Only these folders, whatever is asked.
import { z } from 'zod';
import { SECOND } from '../../clock/clock.ts';
import { action, badOutput, NEEDS_FIND, NOT_A_NUMBER, plainText, SAY_NO, script } from './action.ts';
import { countOf, fieldsOf, isoOf, numberOf } from './lines.ts';

/** kdump of RHEL, Alibaba Cloud Linux, Debian and SUSE; pstore as systemd moves it and as it is; rasdaemon. */
export const CRASH_ROOTS = [
  '/var/crash',
  '/var/lib/systemd/pstore',
  '/sys/fs/pstore',
  '/var/lib/rasdaemon',
] as const;
/** The newest. */
export const CRASH_FILES_MAX = 1000;
export const READ_BYTES_MAX = 4 * 1024 * 1024;
const OFFSET_MAX = 2 ** 49;

export interface CrashFile {
  path: string;
  size_bytes: number;
  /** By the host's clock: not to be trusted alone. */
  changedAt: string;
  /** kdump renames a file when it is whole. */
  state: 'Complete' | 'Growing';
}

const LIST = String.raw`
  ${SAY_NO}
  ${NEEDS_FIND}
  case "$1" in ${NOT_A_NUMBER}) refuse 'since must be seconds since 1970';; esac;
  there=''; for r in ${CRASH_ROOTS.join(' ')}; do if [ -d "$r" ]; then there="$there $r"; fi; done;
  [ -n "$there" ] || exit 0;
  find $there -xdev -maxdepth 3 -type f -newermt "@$1" -printf '%T@\t%s\t%p\0' 2>/dev/null | tr '\n\0' '?\n' | sort -rn | head -n ${CRASH_FILES_MAX}`;

export const crashFiles = action({
  about: 'lists what crashes left: kdump, pstore, rasdaemon',
  params: z.strictObject({
    /** Epoch milliseconds. Files that changed later by the host's clock, which may be off. */
    since: z.int().min(0).max(8.64e15),
  }),
  root: true,
  timeout_ms: 30 * SECOND,
  output_bytes_max: 2 * 1024 * 1024,
  script: script(LIST),
  args: ({ since }) => [String(Math.floor(since / 1000))],
  parse: (output): CrashFile[] => {
    const lines = output.toString('utf8').split('\n').slice(0, -1);
    return lines.map((line) => {
      const [changed, size, path = ''] = fieldsOf(line, 3);
      if (!isCrashPath(path))
        throw badOutput(`${JSON.stringify(path.slice(0, 200))} is not a place of crashes`);
      return {
        path,
        size_bytes: countOf(size, 'size'),
        changedAt: isoOf(changed, 'time of change'),
        state: /-incomplete/.test(path) ? 'Growing' : 'Complete',
      };
    });
  },
});

/** Within the roots, with no way out of them by name. */
export function isCrashPath(path: string): boolean {
  if (path.split('/').some((part, at) => (part === '' && at > 0) || part === '.' || part === '..'))
    return false;
  return CRASH_ROOTS.some((root) => path.startsWith(`${root}/`));
}

export interface Piece {
  /** Of the whole file, when it was opened. */
  size_bytes: number;
  changedAt: string;
  bytes: Buffer;
  isLast: boolean;
}

const INSIDE = CRASH_ROOTS.map((root) => `${root}/*`).join('|');

/** The place of the opened file is what counts: a symlink swapped in between leads nowhere. */
const READ = `
  ${SAY_NO}
  [ "$#" -eq 3 ] || refuse 'a path, an offset and a size are wanted';
  case "$2$3" in *[!0-9]*) refuse 'the offset and the size must be numbers';; esac;
  case "$2" in ${NOT_A_NUMBER}) refuse 'the offset must be a number';; esac;
  case "$3" in ${NOT_A_NUMBER}) refuse 'the size must be a number';; esac;
  case "$1" in */../*|*/..|*/./*|*//*) refuse 'no way out of the folder of crashes';; ${INSIDE}) ;; *) refuse 'not in a folder of crashes';; esac;
  [ -f "$1" ] || cannot 'no such file';
  exec <"$1";
  case "$(readlink /proc/self/fd/0)" in "$1") ;; *) refuse 'a symlink leads to another place';; esac;
  stat -L -c '%s %Y %F' /proc/self/fd/0;
  tail -c "+$(( $2 + 1 ))" | head -c "$3"`;

export const readFile = action({
  about: 'reads a piece of a file that a crash left',
  params: z.strictObject({
    path: plainText.refine(
      isCrashPath,
      `must be a file below ${CRASH_ROOTS.join(', ')}, written without . and ..`,
    ),
    from_bytes: z.int().min(0).max(OFFSET_MAX),
    bytes_max: z.int().min(1).max(READ_BYTES_MAX),
  }),
  root: true,
  timeout_ms: 60 * SECOND,
  output_bytes_max: READ_BYTES_MAX + 1024,
  script: script(READ),
  args: ({ path, from_bytes, bytes_max }) => [path, String(from_bytes), String(bytes_max)],
  parse: (output, { from_bytes, bytes_max }): Piece => {
    const end = output.indexOf('\n');
    const [size, changed, type] = output.toString('latin1', 0, Math.max(0, end)).split(' ');
    if (type !== 'regular') throw badOutput('it is not a regular file');
    const bytes = output.subarray(end + 1);
    if (bytes.length > bytes_max) throw badOutput(`${bytes.length} bytes came, ${bytes_max} were wanted`);
    const size_bytes = countOf(size, 'size');
    numberOf(changed, 'time of change');
    const isLast = from_bytes + bytes.length >= size_bytes || bytes.length < bytes_max;
    return { size_bytes, changedAt: isoOf(changed, 'time of change'), bytes, isLast };
  },
});
