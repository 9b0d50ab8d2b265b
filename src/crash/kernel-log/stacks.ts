// The stacks of a report: which lines of it are frames, and where one stack ends and the next begins.
import { type Frame, type StackItem, stackItemOf } from './frames.ts';
import type { LogLine } from './line.ts';

/** An item with the line it stands in. */
export type Item = StackItem & { line: number };

/** Frames that stand before the heading of the first stack are no part of it: `Preemption disabled at: f`. */
export function itemsOf(lines: readonly LogLine[], from: number, headless: boolean): Item[] {
  const items: Item[] = [];
  for (let at = from; at < lines.length; at++) {
    const item = stackItemOf((lines[at] as LogLine).text);
    if (item) items.push({ ...item, line: at });
  }
  const start = headless ? -1 : items.findIndex(({ kind }) => kind === 'start');
  return start < 0 ? items : items.filter(({ kind }, at) => at >= start || kind === 'ip' || kind === 'lr');
}

/** A stack ends where the next begins, or in user mode. */
export function stacksOf(items: readonly Item[]): Item[][] {
  const stacks: Item[][] = [];
  let stack: Item[] = [];
  let framed = false;
  const end = () => {
    if (stack.length > 0) stacks.push(stack);
    stack = [];
    framed = false;
  };
  let started = false;
  for (const item of items) {
    // A stack that begins twice was empty the first time: the kernel could not walk it.
    const again = item.kind === 'start' && started;
    if (again || item.kind === 'user' || ((item.kind === 'start' || item.kind === 'next') && framed)) {
      end();
      started = item.kind === 'start';
    } else if (item.kind === 'start') started = true;
    else if (item.kind === 'frame' || item.kind === 'ip') {
      stack.push(item);
      if (item.kind === 'frame' && item.frame.reliable) framed = true;
    }
  }
  end();
  return stacks;
}

/** What the kernel vouches for, and what is there without debug symbols too. */
export function framesOf(stack: readonly StackItem[]): Frame[] {
  const frames: Frame[] = [];
  for (const item of stack) {
    if (item.kind !== 'frame' && item.kind !== 'ip') continue;
    if (item.frame?.reliable && !item.frame.inline) frames.push(item.frame);
  }
  return frames;
}
