// Which entries of a hardware's log are new since it was read last. Logs are cleared, wrap, count their ids anew, come
// newest first, and carry the time of a clock that is wrong or is set while we look: so what an entry says counts, under
// its id, and its time only where nothing else tells two of them apart. Pure.
import type { LogEntry } from '../platform/providers/provider.ts';

/**
 * What was in the log: two numbers an entry, without its time and with it. 8 bytes each, since 50,000 BMCs with logs of
 * 500 entries make 200 MB. Two of 1,000 entries are taken for one another once in four million reads.
 */
export type LogMark = Uint32Array;

export function newsIn(
  before: LogMark | undefined,
  log: readonly LogEntry[],
): { mark: LogMark; news: LogEntry[] } {
  const mark = new Uint32Array(2 * log.length);
  for (const [at, { id, severity, sensor, message, at: time }] of log.entries()) {
    const content = hash32([id, severity, sensor, message].join('\n'));
    mark[2 * at] = content;
    mark[2 * at + 1] = hash32(time ?? '', content);
  }
  // A log is full of what has been dealt with: the first reading makes no news.
  if (!before) return { mark, news: [] };
  const known = numbers(before, 0);
  const knownTimes = numbers(before, 1);
  const has = (at: number) => known.has(mark[2 * at] as number);
  const isMoved = (at: number) => has(at) && !knownTimes.has(mark[2 * at + 1] as number);
  const places = [...log.keys()];
  const shared = places.filter(has);
  const moved = shared.filter(isMoved);
  // Where most that stayed have another time, the clock was set; unless most are gone, and the log begins anew.
  const stayed = new Set(shared.map((at) => mark[2 * at])).size;
  const isCleared = stayed < known.size / 2;
  const clockWasSet = moved.length > shared.length / 2 && !isCleared;
  return { mark, news: log.filter((_, at) => !has(at) || (isMoved(at) && !clockWasSet)) };
}

function numbers(mark: LogMark, which: 0 | 1): Set<number> {
  return new Set(mark.filter((_, at) => at % 2 === which));
}

/** FNV-1a. */
export function hash32(text: string, from = 0x811c9dc5): number {
  let hash = from;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
