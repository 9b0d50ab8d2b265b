// Reads a kernel log of any size as it comes, in constant memory, and gives out the reports in it.
import { type LogLine, messagesOf } from './line.ts';
import { type Captures, match } from './pattern.ts';
import { LOOK_BACK, type Report, reportOf } from './report.ts';
import type { ReportRule, RuleSet, Sign, Trigger } from './rules.ts';

/** What is longer is read in pieces, so that a line of 100 MB costs no more than others. */
export const LINE_BYTES_MAX = 8192;
/** The longest report that is looked at; hung tasks of a big machine print thousands of lines, all alike. */
export const REPORT_BYTES_MAX = 256 * 1024;
export const REPORT_LINES_MAX = 2500;
/** Reports of other CPUs that are open at once. */
const OPEN_MAX = 8;
/** Reports that are kept of one log: the first ones, and the last ones. */
export const REPORTS_KEPT = 40;
const SIGNS_KEPT = 64;
/** What ends a report that began this long ago is no part of it. */
const CONTINUES_LINES_MAX = 600;
const CONTINUES_S_MAX = 120;
/** A log that boots again says so this many lines after the last time, or is still booting. */
const BOOT_LINES = 200;

export interface SignSeen {
  sign: Sign;
  count: number;
  firstLine: number;
  lastLine: number;
  /** One of the lines. */
  sample: string;
}

export interface LogContents {
  reports: Report[];
  /** Reports that were seen, kept or not. */
  count: number;
  signs: SignSeen[];
  boots: number;
  /** Of the last `Linux version` line. */
  kernel?: string;
  lines: number;
  bytes: number;
}

interface Open {
  rule: ReportRule;
  captures: Captures;
  caller: string | undefined;
  time: number | undefined;
  /** Where its bytes begin in the buffer that is held: a few lines before its opening. */
  start: number;
  openStart: number;
  openLine: number;
  panicked: boolean;
}

const NEWLINE = 10;
/** The same opening this close after itself is said twice, not a second report. */
const REPEATED_LINES_MAX = 2;

export class LogReader {
  private readonly rules: RuleSet;
  private buffer: Buffer = Buffer.alloc(0);
  /** Up to here the buffer has been scanned. */
  private scanned = 0;
  private lineStart = 0;
  private line = 1;
  private state = 0;
  private hits: number[] = [];
  private bytes = 0;
  private open: Open[] = [];
  private readonly first: Report[] = [];
  private readonly last: Report[] = [];
  private count = 0;
  private readonly signs = new Map<string, SignSeen>();
  private boots = 0;
  private bootLine: number | undefined;
  private shutdown = false;
  private kernel: string | undefined;
  private recent: number[] = [];
  private lastOpening: { message: LogLine; line: number } | undefined;

  constructor(rules: RuleSet) {
    this.rules = rules;
  }

  push(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    const from = this.keepFrom();
    const held = this.buffer.subarray(from);
    this.buffer = held.length === 0 ? asBuffer(chunk) : Buffer.concat([held, chunk]);
    this.shift(from);
    this.scan();
  }

  end(): LogContents {
    const cut = this.lineStart < this.buffer.length;
    if (cut) this.endLine(this.buffer.length);
    const lines = cut ? this.line : this.line - 1;
    for (const open of this.open.splice(0)) this.close(open, this.buffer.length, lines);
    return {
      reports: [...this.first, ...this.last],
      count: this.count,
      signs: [...this.signs.values()],
      boots: this.boots,
      ...(this.kernel !== undefined && { kernel: this.kernel }),
      lines,
      bytes: this.bytes,
    };
  }

  /** The first byte that is still needed: of an open report, of the lines before, of the line begun. */
  private keepFrom(): number {
    const starts = this.open.map(({ start }) => start);
    return Math.max(0, Math.min(this.lineStart, this.recent[0] ?? this.lineStart, ...starts));
  }

  private shift(by: number): void {
    this.scanned -= by;
    this.lineStart -= by;
    this.recent = this.recent.map((start) => start - by);
    for (const open of this.open) {
      open.start -= by;
      open.openStart -= by;
    }
  }

  private scan(): void {
    const { next, classOf, classes, ends } = this.rules.needles;
    const { buffer } = this;
    const length = buffer.length;
    let state = this.state;
    let at = this.scanned;
    while (at < length) {
      const stop = Math.min(length, this.lineStart + LINE_BYTES_MAX);
      let byte = 0;
      for (; at < stop; at++) {
        byte = buffer[at] as number;
        if (byte === NEWLINE) break;
        state = next[state * classes + (classOf[byte] as number)] as number;
        if (ends[state] === 1 && this.hits.length < 64) this.hits.push(state);
      }
      if (at < stop) {
        if (this.hits.length > 0 || this.open.length > 0) this.endLine(at);
        state = 0;
        at++;
        this.line++;
        this.startLine(at);
      } else if (at < length || at - this.lineStart >= LINE_BYTES_MAX) {
        // A piece of a line that is too long counts as a line to us, but not as one of the file.
        this.endLine(at);
        state = 0;
        this.startLine(at);
      }
    }
    this.state = state;
    this.scanned = at;
  }

  private startLine(at: number): void {
    if (this.recent.length === LOOK_BACK) this.recent.shift();
    this.recent.push(this.lineStart);
    this.lineStart = at;
  }

  /** The line that ends at `end` is complete; something in it was looked for, or a report is open. */
  private endLine(end: number): void {
    if (this.hits.length > 0) {
      const needles = new Set<number>();
      for (const state of this.hits)
        for (const needle of this.rules.needles.found.get(state) ?? []) needles.add(needle);
      this.hits = [];
      const triggers = [...needles].flatMap((needle) => this.rules.triggers[needle] as readonly Trigger[]);
      triggers.sort((a, b) => a.order - b.order);
      const raw = this.buffer.toString('latin1', this.lineStart, end);
      for (const message of messagesOf(raw)) this.look(message, triggers, end);
    }
    for (const open of this.open) {
      if (end - open.start > REPORT_BYTES_MAX || this.line - open.openLine > REPORT_LINES_MAX) {
        this.open = this.open.filter((each) => each !== open);
        this.close(open, end, this.line);
      }
    }
  }

  private look(message: LogLine, triggers: readonly Trigger[], end: number): void {
    let reported = false;
    for (const trigger of triggers) {
      const { text } = message;
      if ('sign' in trigger) {
        // A sign that somebody meant it may be a program's: systemd's, for one.
        if (message.user && !trigger.sign.planned) continue;
        if (match(trigger.pattern, text) === undefined) continue;
        if (trigger.sign.not.some((pattern) => match(pattern, text) !== undefined)) continue;
        this.sign(trigger.sign, text);
      } else if (!reported && !message.user) {
        const { rule, pattern } = trigger;
        const captures = match(pattern, text);
        if (!captures || (rule.only !== undefined && rule.only !== text)) continue;
        reported = true;
        if (rule.not.some((not) => match(not, text) !== undefined)) continue;
        this.opened(rule, captures, message, end);
      }
    }
  }

  private sign(sign: Sign, text: string): void {
    if (sign.planned?.ends === 'boot') this.shutdown = true;
    const seen = this.signs.get(sign.name);
    if (seen) {
      if (seen.lastLine !== this.line) seen.count++;
      seen.lastLine = this.line;
    } else if (this.signs.size < SIGNS_KEPT) {
      this.signs.set(sign.name, {
        sign,
        count: 1,
        firstLine: this.line,
        lastLine: this.line,
        sample: text.slice(0, 300),
      });
    }
  }

  private opened(rule: ReportRule, captures: Captures, message: LogLine, end: number): void {
    if (rule.foreign || (rule.boot && !this.rebooted(message))) return;
    const again = this.lastOpening;
    this.lastOpening = { message, line: this.line };
    if (again && this.line - again.line <= REPEATED_LINES_MAX && isSame(again.message, message)) return;
    for (const open of this.open) {
      if (!this.continues(open, rule, message)) continue;
      open.panicked ||= message.text.includes('Kernel panic');
      return;
    }
    // What is only a note may fall into the middle of anything.
    const same = (open: Open) =>
      (rule.severity !== 'note' || open.rule.severity === 'note') &&
      (rule.boot ||
        open.caller === undefined ||
        message.caller === undefined ||
        open.caller === message.caller);
    const ended = this.open.filter(same);
    this.open = this.open.filter((open) => !same(open));
    if (this.open.length >= OPEN_MAX) ended.push(...this.open.splice(0, 1));
    // One of the same line, which a console has joined, has nothing but this line.
    for (const open of ended) {
      const joined = open.openLine === this.line;
      this.close(open, joined ? end : this.lineStart, joined ? this.line : this.line - 1);
    }
    const start = ended.length > 0 ? this.lineStart : (this.recent[0] ?? this.lineStart);
    this.open.push({
      rule,
      captures,
      caller: message.caller,
      time: message.time,
      start,
      openStart: this.lineStart,
      openLine: this.line,
      panicked: message.text.includes('Kernel panic'),
    });
  }

  /** Whether this is a later line of a report that is open, and not a report of its own. */
  private continues(open: Open, rule: ReportRule, message: LogLine): boolean {
    const absorbed = open.rule.absorbs.has(rule.rule);
    if (!absorbed && !(rule.continues && open.rule.severity !== 'note')) return false;
    if (
      open.caller !== undefined &&
      message.caller !== undefined &&
      open.caller !== message.caller &&
      !absorbed
    )
      return false;
    if (this.line - open.openLine > CONTINUES_LINES_MAX) return false;
    return (
      open.time === undefined || message.time === undefined || message.time - open.time < CONTINUES_S_MAX
    );
  }

  /** A boot is news only when something ran before, and nothing said that it would end. */
  private rebooted(message: LogLine): boolean {
    const { text } = message;
    if (text.startsWith('Linux version ')) this.kernel = text.split(' ', 3)[2];
    const before = this.bootLine;
    this.bootLine = this.line;
    const booting = before !== undefined && this.line - before < BOOT_LINES;
    if (booting) return false;
    this.boots++;
    const meant = this.shutdown;
    this.shutdown = false;
    return !meant && (before !== undefined || this.line > 1);
  }

  private close(open: Open, end: number, line: number): void {
    this.count++;
    if (this.first.length >= REPORTS_KEPT && this.last.length >= REPORTS_KEPT) this.last.shift();
    const before = this.linesIn(open.start, open.openStart);
    const after = this.linesIn(open.openStart, end);
    const opening = after.findIndex(({ text }) => open.rule.opens.some((pattern) => match(pattern, text)));
    const { rule, captures, panicked } = open;
    const span = { from: open.openLine, to: Math.max(open.openLine, line) };
    const lines = [...before, ...after];
    const report = reportOf(
      { rule, captures, lines, open: before.length + Math.max(0, opening), panicked, span },
      this.rules,
    );
    (this.first.length < REPORTS_KEPT ? this.first : this.last).push(report);
  }

  private linesIn(start: number, end: number): LogLine[] {
    const raw = this.buffer.toString('latin1', start, end);
    const lines: LogLine[] = [];
    for (let from = 0; from < raw.length; ) {
      let to = raw.indexOf('\n', from);
      if (to < 0) to = raw.length;
      for (const message of messagesOf(raw.slice(from, Math.min(to, from + LINE_BYTES_MAX)))) {
        // Two consoles, or a console and syslog, say each line twice.
        const last = lines.at(-1);
        if (!last || !isSame(last, message)) lines.push(message);
      }
      from = to + 1;
    }
    return lines;
  }
}

function isSame(a: LogLine, b: LogLine): boolean {
  return a.text === b.text && a.time === b.time && a.caller === b.caller;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
