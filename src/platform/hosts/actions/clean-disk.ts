// Cleans a disk by a rule, or says what that would remove. A file that a process holds open is never removed: that would
// free nothing and take its log from whoever reads it. find(1) removes by folder handles, so nobody can swap a folder for
// a symlink on the way.
import { z } from 'zod';
import { CLEAN_RULES as CLEAN_RULE_NAMES } from '../../../api/diagnosis.ts';
import { MINUTE } from '../../clock/clock.ts';
import { action, badOutput, NEEDS_FIND, SAY_NO, script } from './action.ts';
import { CLEAN_RULES, type CleanRule, IMAGE_ROOTS, IMAGE_RULE } from './clean-rules.ts';
import { countOf, fieldsOf, keyed } from './lines.ts';
import { unusedImages } from './unused-images.ts';

/** Files that are named in an answer; the rest is counted. */
export const NAMED_MAX = 200;
/** Files that are held open, or kept, among those of a rule. */
const SPARED_MAX = 2000;
const OPEN_S_MAX = 30;

export interface Cleaning {
  /** What went, or would go in a dry run. */
  files: number;
  bytes: number;
  /** The first NAMED_MAX of them. */
  named: { path: string; size_bytes: number }[];
  /** Left alone because a process holds them open. */
  open: number;
  /** What the file system says is free, before and after; other writers move it too. */
  availableBefore_bytes: number;
  availableAfter_bytes: number;
}

// `-links +0` makes find look at a file before it removes it: afterwards there is no size to print.
function setOf(name: string, { roots, tests, ...rule }: CleanRule): string {
  const keep = rule.keep && 'files' in rule.keep ? rule.keep.files : 0;
  const bytes = rule.keep && 'bytes' in rule.keep ? rule.keep.bytes : 0;
  return `${name}) roots='${roots.join(' ')}'; keep=${keep}; bytes=${bytes}; set -- -xdev -type f ${tests};;`;
}

const CASES = Object.entries(CLEAN_RULES).map(([name, rule]) => setOf(name, rule));

const SCRIPT = String.raw`
  ${SAY_NO}
  ${NEEDS_FIND}
  rule=$1; mode=$2; keep=0; bytes=0;
  case "$mode" in dry|real) ;; *) refuse 'the mode must be dry or real';; esac;
  free() { for r in $roots; do [ -d "$r" ] && timeout -s KILL 5 stat -f -c '%i %a %S' "$r"; done | sort -u | awk '{ s += $2 * $3 } END { printf "%.0f\n", s }'; };
  case "$rule" in
    ${CASES.join(' ')}
    ${IMAGE_RULE}) roots='${IMAGE_ROOTS.join(' ')}'; set --;;
    *) refuse "no such rule: $rule";;
  esac;
  printf 'before\t%s\n' "$(free)";
  if [ "$rule" = ${IMAGE_RULE} ]; then
    command -v crictl >/dev/null || cannot 'there is no crictl here';
    images() { timeout 30 crictl images --output=json | tr -d '\n\t' || cannot 'crictl does not list images'; };
    printf 'images\t%s\n' "$(images)";
    printf 'containers\t%s\n' "$(timeout 30 crictl ps --all --output=json | tr -d '\n\t')";
    if [ "$mode" = real ]; then
      timeout 240 crictl rmi --prune >/dev/null || cannot 'crictl rmi --prune failed';
      printf 'left\t%s\n' "$(images)";
    fi;
  else
    there=''; for r in $roots; do if [ -d "$r" ] && [ ! -L "$r" ]; then there="$there $r"; fi; done;
    [ -n "$there" ] || { printf 'total\t0\t0\nopen\t0\nafter\t%s\n' "$(free)"; exit 0; };
    found=$(find $there "$@" -printf '%D:%i %T@ %s\n');
    open=$( { printf '%s\n' "$found"; echo open;
      { timeout -s KILL ${OPEN_S_MAX} find -L /proc/[0-9]*/fd -maxdepth 1 -type f -printf '%D:%i\n'; [ "$?" -lt 124 ] && echo complete; } 2>/dev/null; } |
      awk '$0 == "open" { second = 1; next } !second { wanted[$1] = 1; next } $0 == "complete" { complete = 1; next } $0 in wanted && !seen[$0]++ { print } END { exit !complete }') ||
      cannot 'which files are open cannot be told in time; nothing was removed';
    kept=$(printf '%s\n' "$found" | sort -k 2 -rn | awk -v files="$keep" -v bytes="$bytes" 'NF == 3 { n++; sum += $3; if (n <= files || sum <= bytes) print $1 }');
    spared=$(printf '%s\n%s\n' "$open" "$kept" | awk -F : 'NF == 2 { print $2 }' | sort -u);
    [ "$(printf '%s\n' "$spared" | wc -l)" -le ${SPARED_MAX} ] || cannot 'too many files are open or kept; nothing was removed';
    for i in $spared; do set -- "$@" ! -inum "$i"; done;
    if [ "$mode" = real ]; then set -- "$@" -links +0 -delete; fi;
    find $there "$@" -printf '%s\t%p\0' | tr '\n\0' '?\n' |
      awk -F '\t' '{ n++; s += $1; if (n <= ${NAMED_MAX}) print "file\t" $0 } END { printf "total\t%.0f\t%.0f\n", n, s }';
    printf 'open\t%s\n' "$(printf '%s\n' "$open" | grep -c :)";
  fi;
  printf 'after\t%s\n' "$(free)"`;

export const cleanDisk = action({
  about: 'removes files by one of the rules, or says what it would remove',
  params: z.strictObject({ rule: z.enum(CLEAN_RULE_NAMES), dryRun: z.boolean() }),
  root: true,
  timeout_ms: 10 * MINUTE,
  output_bytes_max: 4 * 1024 * 1024,
  script: script(SCRIPT),
  args: ({ rule, dryRun }) => [rule, dryRun ? 'dry' : 'real'],
  parse: (output, { rule, dryRun }): Cleaning => {
    const found = keyed(output);
    const read = (name: string) => found.get(name)?.[0];
    const free = {
      availableBefore_bytes: countOf(read('before'), 'bytes available before'),
      availableAfter_bytes: countOf(read('after'), 'bytes available after'),
    };
    if (rule === IMAGE_RULE) {
      const unused = unusedImages(read('images'), read('containers'), dryRun ? undefined : read('left'));
      const bytes = unused.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
      return { files: unused.length, bytes, named: unused.slice(0, NAMED_MAX), open: 0, ...free };
    }
    const [files, bytes] = fieldsOf(read('total') ?? '', 2);
    const named = (found.get('file') ?? []).map((line) => {
      const [size, path = ''] = fieldsOf(line, 2);
      return { path, size_bytes: countOf(size, 'size') };
    });
    if (named.length > NAMED_MAX) throw badOutput(`${named.length} files are named, ${NAMED_MAX} at most`);
    return {
      files: countOf(files, 'files'),
      bytes: countOf(bytes, 'bytes'),
      named,
      open: countOf(read('open'), 'open files'),
      ...free,
    };
  },
});
