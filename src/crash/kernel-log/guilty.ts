// The guilty frame: the function that a kernel developer would look at first.
import type { Frame, NameSet } from './frames.ts';
import { type Captures, match } from './pattern.ts';
import type { RuleSet } from './rules.ts';
import { framesOf, type Item, stacksOf } from './stacks.ts';

/** Functions that are not to blame, and those of them that are, in this report. */
export interface Skip {
  lists: readonly NameSet[];
  keep: NameSet;
}

export interface Where {
  captures: Captures;
  items: readonly Item[];
  stack: readonly Item[];
  skip: Skip;
  rules: RuleSet;
  /** The line in which a hole was filled, where that was not the opening. */
  near: Readonly<Record<string, number>>;
  /** The line from which on a stack may be somebody else's, or -1. */
  intruder: number;
}

/** Whether a line begins a stack that is not the report's. */
export function isForeign(text: string, rules: RuleSet): boolean {
  return rules.foreignLines.some(
    (pattern) => text.includes(pattern.needle) && match(pattern, text) !== undefined,
  );
}

/** @param sources where to look, in this order: `ip`, `stack`, `entry`, or the name of a hole that took a function */
export function guiltyFrame(sources: readonly string[], where: Where): Frame | undefined {
  for (const source of sources) {
    if (source === 'ip') {
      const frame = pointedAt(where.items);
      if (frame && !skipped(where.skip, frame.func)) return frame;
    } else if (source === 'stack') {
      const frame = stackFrame(where);
      if (frame) return frame;
    } else if (source === 'entry') {
      const frame = entryFrame(where);
      if (frame) return frame;
    } else {
      const hole = source.replace(/^exactly /, '');
      const func = where.captures[hole];
      if (where.intruder >= 0 && where.intruder < (where.near[hole] ?? 0)) continue;
      if (func && (hole !== source || !skipped(where.skip, func))) return { func, reliable: true };
    }
  }
  return undefined;
}

/** Where the CPU was, or, when it jumped to an address without code, where it came from. */
function pointedAt(items: readonly Item[]): Frame | undefined {
  const at = items.findIndex(({ kind }) => kind === 'ip');
  const ip = items[at];
  if (ip?.kind !== 'ip') return undefined;
  if (ip.frame) return ip.frame;
  const next = items[at + 1];
  return next?.kind === 'lr' ? next.frame : undefined;
}

/** None when what comes before it in the stack, or in the log, shows that the stack is somebody else's. */
function stackFrame({ stack, skip, rules, intruder }: Where): Frame | undefined {
  for (const item of stack) {
    if (item.kind !== 'frame' && item.kind !== 'ip') continue;
    const { frame } = item;
    if (!frame?.reliable || frame.inline) continue;
    if (rules.foreign.has(frame.func)) return undefined;
    if (skipped(skip, frame.func)) continue;
    return intruder >= 0 && intruder < item.line ? undefined : frame;
  }
  return undefined;
}

/**
 * A stalled CPU is found at some point below the function that stalls, each time at another. The name that holds is
 * that of the function which was called through a table: a driver's ioctl, a protocol's receive, a timer, a work.
 */
function entryFrame({ items, skip, rules }: Where): Frame | undefined {
  let fallback: Frame | undefined;
  for (const stack of stacksOf(items)) {
    const frames = framesOf(stack);
    // The thread that waits for the others is not what stalls.
    if (frames.some(({ func }) => func === 'rcu_gp_kthread')) continue;
    let candidate: Frame | undefined;
    for (const frame of frames) {
      if (candidate && rules.dispatch.has(frame.func)) return candidate;
      if (rules.crossCalls.has(frame.func)) return frame;
      if (!skipped(skip, frame.func) && !rules.dispatch.has(frame.func)) {
        candidate = frame;
        fallback ??= frame;
      }
    }
    if (candidate) return fallback;
  }
  return fallback;
}

function skipped({ lists, keep }: Skip, func: string): boolean {
  return !keep.has(func) && lists.some((names) => names.has(func));
}

/** arm64 begins a trace with the function that pc names already. Of a function that calls itself one call is lost. */
function withoutEcho(stack: readonly Item[]): readonly Item[] {
  const [ip, first] = stack;
  const isEcho = ip?.kind === 'ip' && first?.kind === 'frame' && ip.frame?.func === first.frame.func;
  return isEcho ? stack.slice(1) : stack;
}

/** The callers of the guilty one, the nearest first. */
export function callersOf(stack: readonly Item[], guilty: Frame | undefined, skip: Skip): Frame[] {
  const frames = framesOf(withoutEcho(stack)).filter(({ func }) => !skipped(skip, func));
  const at = guilty ? frames.findIndex(({ func }) => func === guilty.func) : -1;
  return frames.slice(at + 1);
}
