// Puts a log in the order in which the kernel wrote it.

/** Larger files are read as they are: pstore and web consoles hand out small ones. */
export const ORDERED_BYTES_MAX = 16 << 20;

/** What pstore puts before each part of a dump: `Panic#2 Part3`, `Oops#1 Part1`. Part 1 is the newest. */
const PART = /^(?:Panic|Oops|Emergency|Restart|Halt|Poweroff|Shutdown)#\d{1,6} Part(\d{1,6})[^\n]{0,40}$/;
const STAMP = /\[ {0,8}(\d{1,9}\.\d{6})\]/;
/** So many lines with a time tell whether a log runs backwards. */
const STAMPS_MIN = 10;
const BACKWARDS_SHARE = 0.9;

/** @param log a whole log as text; what is in order comes back as it is */
export function inOrder(log: string): string {
  if (log.length > ORDERED_BYTES_MAX) return log;
  const parts = partsOf(log);
  if (parts) return parts;
  const lines = log.split('\n');
  return runsBackwards(lines) ? lines.reverse().join('\n') : log;
}

function partsOf(log: string): string | undefined {
  if (!/^\s*(?:Panic|Oops|Emergency|Restart|Halt|Poweroff|Shutdown)#/.test(log.slice(0, 200)))
    return undefined;
  const parts: { number: number; lines: string[] }[] = [];
  for (const line of log.split('\n')) {
    const head = PART.exec(line.trim());
    if (head) parts.push({ number: Number(head[1]), lines: [] });
    else parts.at(-1)?.lines.push(line);
  }
  parts.sort((a, b) => b.number - a.number);
  return parts.flatMap(({ lines }) => lines).join('\n');
}

function runsBackwards(lines: readonly string[]): boolean {
  let last: number | undefined;
  let back = 0;
  let on = 0;
  for (const line of lines) {
    const stamp = STAMP.exec(line.slice(0, 120))?.[1];
    if (stamp === undefined) continue;
    const time = Number(stamp);
    if (last !== undefined && time < last) back++;
    else if (last !== undefined && time > last) on++;
    last = time;
  }
  return back + on >= STAMPS_MIN && back / (back + on) > BACKWARDS_SHARE;
}
