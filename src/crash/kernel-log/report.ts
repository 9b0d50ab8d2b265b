// One report of a kernel log, understood: its title, its guilty frame, whether it can be trusted.
import { type Facts, factsOf } from './facts.ts';
import { type Frame, type NameSet, stackItemOf, type StackItem } from './frames.ts';
import type { LogLine } from './line.ts';
import { type Captures, match, type Pattern } from './pattern.ts';
import type { CrashClass, Form, ReportRule, RuleSet, Severity } from './rules.ts';
import { fillTitle, spokenName } from './title.ts';

export interface Report {
  rule: string;
  about: string;
  title: string;
  /** Other names that developers may search for. */
  alternatives: string[];
  class: CrashClass;
  severity: Severity;
  /** The function to look at first, as it stands in the source. */
  frame?: string;
  /** Those that called it, the nearest first. */
  otherFrames: string[];
  module?: string;
  /** Too damaged to trust the title. */
  corrupted: boolean;
  /** The kernel gave up after it. */
  panicked: boolean;
  facts: Facts;
  /** First and last line, from 1. */
  span: { from: number; to: number };
  /** Seconds since boot. */
  time?: number;
  /** The line that opened it. */
  opening: string;
}

export interface Window {
  rule: ReportRule;
  captures: Captures;
  /** Lines of the window, some of them before the opening. */
  lines: readonly LogLine[];
  /** Which of them opened it. */
  open: number;
  panicked: boolean;
  span: { from: number; to: number };
}

const OTHER_FRAMES_MAX = 12;
const OPENING_LENGTH_MAX = 300;

export function reportOf(window: Window, rules: RuleSet): Report {
  const { rule } = window;
  const opening = window.lines[window.open] as LogLine;
  const own = ownLines(window, opening);
  const open = own.indexOf(opening);
  const text = opening.text;

  const captures: Captures = { ...window.captures };
  if (rule.next) captures[rule.next] = own[open + 1]?.text ?? '';
  const near = nearBy(rule.near, own, open);
  Object.assign(captures, near.captures);
  const form = rule.forms.find((each) => applies(each, text, own, open, captures));
  if (form?.sorted) {
    const [one, two] = form.sorted;
    [captures[one], captures[two]] = [captures[one] ?? '', captures[two] ?? ''].sort() as [string, string];
  }
  const anchor = anchorOf(rule.from, own, open);
  const items = anchor < 0 ? [] : itemsOf(own, anchor, rule.headless);
  const intruder = own.findIndex(({ text }, at) => at > open && isForeign(text, rules));
  const stack = stacksOf(items)[0] ?? [];
  const skip = [rules.everywhere, ...(form?.skip ?? rule.skip)];
  const guilty = guiltyFrame(form?.frame ?? rule.frame, { captures, near: near.lines, items, stack, skip, rules, intruder });

  const frame = guilty && spokenName(guilty.func);
  const holes = { ...captures, ...(frame && { frame }) };
  const template = form?.title ?? rule.title;
  const title = fillTitle(!frame && !form?.title && rule.unknown ? rule.unknown : template, holes);
  const hasStack = framesOf(stack).length > 0 && stack.some(({ kind }) => kind === 'frame');
  const alternatives = (form?.alternatives ?? (form?.title ? [] : rule.alternatives)).map((each) => fillTitle(each, holes));
  const others = othersOf(stack, guilty, skip);
  const time = opening.time ?? own.find((line) => line.time !== undefined)?.time;
  return {
    rule: rule.rule,
    about: rule.about,
    title,
    alternatives: alternatives.filter((each) => each !== title),
    class: form?.class ?? rule.class,
    severity: rule.severity,
    ...(frame && { frame }),
    otherFrames: others.map(({ func }) => spokenName(func)).slice(0, OTHER_FRAMES_MAX),
    ...(guilty?.module && { module: guilty.module }),
    corrupted:
      (form?.torn ?? rule.torn) ||
      title.endsWith('corrupted') ||
      (template.includes('{frame}') && !frame) || (rule.stack === 'needed' && !hasStack),
    panicked: window.panicked,
    facts: factsOf(own.slice(Math.max(0, open))),
    span: window.span,
    ...(time !== undefined && { time }),
    opening: text.slice(0, OPENING_LENGTH_MAX),
  };
}

/** Those that the same task or CPU printed, where the log tells; and what programs wrote is not the kernel's. */
function ownLines({ rule, lines }: Window, opening: LogLine): readonly LogLine[] {
  const kernel = lines.filter(({ user }) => !user);
  // A stalled CPU prints its own stack, not that of the CPU that noticed.
  if (opening.caller === undefined || rule.frame.includes('entry')) return kernel;
  return kernel.filter(({ caller }) => caller === undefined || caller === opening.caller);
}

function applies(form: Form, text: string, lines: readonly LogLine[], open: number, captures: Captures): boolean {
  const found: Captures = {};
  if (form.when) {
    const taken = match(form.when, text);
    if (!taken) return false;
    Object.assign(found, taken);
  }
  if (form.near.length > 0) {
    const taken = nearBy(form.near, lines, Math.max(0, open - LOOK_BACK));
    if (!taken.all) return false;
    Object.assign(found, taken.captures);
  }
  const { lacks } = form;
  if (lacks && lines.some((line) => match(lacks, line.text) !== undefined)) return false;
  Object.assign(captures, found);
  return true;
}

/** A line or two before its opening belong to a report: `refcount_t: underflow` before `WARNING: …`. */
export const LOOK_BACK = 3;

/** Each of the patterns in a line of its own, one after another, as far as they are there. */
function nearBy(
  near: readonly (readonly Pattern[])[],
  lines: readonly LogLine[],
  from: number,
): { captures: Captures; lines: Record<string, number>; all: boolean } {
  const captures: Captures = {};
  const found: Record<string, number> = {};
  let at = from;
  for (const alternatives of near) {
    let taken: Captures | undefined;
    for (; at < lines.length && !taken; at++) {
      const { text } = lines[at] as LogLine;
      for (const pattern of alternatives) {
        taken = text.includes(pattern.needle) ? match(pattern, text) : undefined;
        if (taken) break;
      }
    }
    if (!taken) return { captures, lines: found, all: false };
    Object.assign(captures, taken);
    for (const hole of Object.keys(taken)) found[hole] = at - 1;
  }
  return { captures, lines: found, all: true };
}

function anchorOf(from: readonly Pattern[], lines: readonly LogLine[], open: number): number {
  for (const pattern of from) {
    const at = lines.findIndex(({ text }, index) => index >= open && match(pattern, text) !== undefined);
    if (at >= 0) return at;
  }
  return from.length === 0 ? Math.max(0, open) : -1;
}

/** Frames that stand before the heading of the first stack are no part of it: `Preemption disabled at: f`. */
function itemsOf(lines: readonly LogLine[], from: number, headless: boolean): Item[] {
  const items: Item[] = [];
  for (let at = from; at < lines.length; at++) {
    const item = stackItemOf((lines[at] as LogLine).text);
    if (item) items.push({ ...item, line: at });
  }
  const start = headless ? -1 : items.findIndex(({ kind }) => kind === 'start');
  return start < 0 ? items : items.filter(({ kind }, at) => at >= start || kind === 'ip' || kind === 'lr');
}

/** A stack ends where the next begins, or in user mode. */
function stacksOf(items: readonly Item[]): Item[][] {
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

interface Where {
  captures: Captures;
  items: readonly Item[];
  stack: readonly Item[];
  skip: readonly NameSet[];
  rules: RuleSet;
  /** The line in which a hole was filled, where that was not the opening. */
  near: Readonly<Record<string, number>>;
  /** The line from which on a stack may be somebody else's, or -1. */
  intruder: number;
}

/** An item with the line it stands in. */
type Item = StackItem & { line: number };

function isForeign(text: string, rules: RuleSet): boolean {
  return rules.foreignLines.some((pattern) => text.includes(pattern.needle) && match(pattern, text) !== undefined);
}

function guiltyFrame(sources: readonly string[], where: Where): Frame | undefined {
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
function entryFrame({ items, skip, rules: { dispatch } }: Where): Frame | undefined {
  let fallback: Frame | undefined;
  for (const stack of stacksOf(items)) {
    const frames = framesOf(stack);
    // The thread that waits for the others is not what stalls.
    if (frames.some(({ func }) => func === 'rcu_gp_kthread')) continue;
    let candidate: Frame | undefined;
    for (const frame of frames) {
      if (candidate && dispatch.has(frame.func)) return candidate;
      if (CROSS_CALLS.has(frame.func)) return frame;
      if (!skipped(skip, frame.func) && !dispatch.has(frame.func)) {
        candidate = frame;
        fallback ??= frame;
      }
    }
    if (candidate) return fallback;
  }
  return fallback;
}

/** A CPU that waits in one of these waits for another CPU, whoever called. */
const CROSS_CALLS = new Set(['smp_call_function', 'smp_call_function_single', 'smp_call_function_many', 'smp_call_function_many_cond', 'generic_exec_single']);

function framesOf(stack: readonly StackItem[]): Frame[] {
  const frames: Frame[] = [];
  for (const item of stack) {
    if (item.kind !== 'frame' && item.kind !== 'ip') continue;
    if (item.frame?.reliable && !item.frame.inline) frames.push(item.frame);
  }
  return frames;
}

function skipped(skip: readonly NameSet[], func: string): boolean {
  return skip.some((names) => names.has(func));
}

function othersOf(stack: readonly StackItem[], guilty: Frame | undefined, skip: readonly NameSet[]): Frame[] {
  const frames = framesOf(stack).filter(({ func }) => !skipped(skip, func));
  const at = guilty ? frames.findIndex(({ func }) => func === guilty.func) : -1;
  return frames.slice(at + 1);
}
