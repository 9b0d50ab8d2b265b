// One report of a kernel log, understood: its title, its guilty frame, whether it can be trusted.
import { type Facts, factsOf } from './facts.ts';
import { callersOf, guiltyFrame, isForeign } from './guilty.ts';
import type { LogLine } from './line.ts';
import { type Captures, match, type Pattern } from './pattern.ts';
import type { CrashClass, Severity } from './rule-schema.ts';
import type { Form, ReportRule, RuleSet } from './rules.ts';
import { framesOf, itemsOf, stacksOf } from './stacks.ts';
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
  const opening = window.lines[window.open] as LogLine;
  const kernel = window.lines.filter(({ user }) => !user);
  const own = kernel.filter(({ caller }) => caller === undefined || caller === opening.caller);
  if (opening.caller === undefined || own.length === kernel.length)
    return readLines(window, opening, kernel, rules);
  const report = readLines(window, opening, own, rules);
  // A stalled CPU prints its stack itself, under its own name, and not the CPU that noticed.
  const isElsewhere = report.frame === undefined && window.rule.frame.includes('entry');
  return isElsewhere ? readLines(window, opening, kernel, rules) : report;
}

/** @param own the lines that the same task or CPU printed, where the log tells */
function readLines(window: Window, opening: LogLine, own: readonly LogLine[], rules: RuleSet): Report {
  const { rule } = window;
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
  const skip = { lists: [rules.everywhere, ...(form?.skip ?? rule.skip)], keep: rule.keep };
  const guilty = guiltyFrame(form?.frame ?? rule.frame, {
    captures,
    near: near.lines,
    items,
    stack,
    skip,
    rules,
    intruder,
  });

  const frame = guilty && spokenName(guilty.func);
  const holes = { ...captures, ...(frame && { frame }) };
  const template = form?.title ?? rule.title;
  const title = fillTitle(!frame && !form?.title && rule.unknown ? rule.unknown : template, holes);
  const hasStack = framesOf(stack).length > 0 && stack.some(({ kind }) => kind === 'frame');
  const alternatives = (form?.alternatives ?? (form?.title ? [] : rule.alternatives)).map((each) =>
    fillTitle(each, holes),
  );
  const others = callersOf(stack, guilty, skip);
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
      (template.includes('{frame}') && !frame) ||
      (rule.stack === 'needed' && !hasStack),
    panicked: window.panicked,
    facts: { ...factsOf(own.slice(Math.max(0, open))), ...taskOf(captures) },
    span: window.span,
    ...(time !== undefined && { time }),
    opening: text.slice(0, OPENING_LENGTH_MAX),
  };
}

/** The task that the opening names, `rsync:4711`: what follows is mostly of the watchdog's own thread. */
function taskOf({ task }: Captures): Pick<Facts, 'process' | 'pid'> {
  const [, process, pid] = /^(.{1,40}):(\d{1,9})$/.exec(task ?? '') ?? [];
  return process === undefined ? {} : { process, pid: Number(pid) };
}

function applies(
  form: Form,
  text: string,
  lines: readonly LogLine[],
  open: number,
  captures: Captures,
): boolean {
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
