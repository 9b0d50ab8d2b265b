// One line of a kernel log, freed of what consoles, syslog, journald and printk put before its message.

export interface LogLine {
  /** The message, without blanks around it. */
  text: string;
  /** Seconds since boot, where the line says so. */
  time?: number | undefined;
  /** Who printed it: `T123` a task, `C4` a CPU (CONFIG_PRINTK_CALLER). Tells interleaved reports apart. */
  caller?: string | undefined;
  /** Written by a program, not by the kernel. */
  user?: boolean | undefined;
}

/** What a console may have put before a time that does not begin the line. */
const LEAD_MAX = 160;

// All of these are sticky and bounded: none of them looks at a letter twice.
const SYSLOG =
  /(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]{0,10}(?:Z|[+-]\d\d:?\d\d)?) (?:[\w.-]{1,64} )?([\w.@()/-]{1,64})(?:\[\d{1,9}\])?: /y;
const LEVEL = /<\d{1,3}>/y;
const DATE = /\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\]/y;
const CALLER = /\[ {0,8}([TC]\d{1,10})\]/y;
/** A program that writes into the kernel's log: `systemd[1]: …`. */
const PROGRAM = /^[\w.@/-]{1,48}\[\d{1,9}\]: /;
/** What the machine was booted with may hold any words. */
const COMMAND_LINE = /^(?:Kernel c|C)ommand line: /;
/** Some vendors' kernels print CPU, task and process there. */
const VENDOR = /\[\d{1,4}: *[^\]:]{1,20}: *\d{1,9}\]/y;

/**
 * A raw line as its messages: mostly one, more where a console has joined several, each with its own time.
 */
export function messagesOf(raw: string): LogLine[] {
  const lines: LogLine[] = [];
  let at = 0;
  let user = false;
  const first = raw.charCodeAt(0);
  if ((first >= 65 && first <= 90) || (first >= 48 && first <= 57)) {
    SYSLOG.lastIndex = 0;
    const syslog = SYSLOG.exec(raw);
    if (syslog) {
      user = syslog[1] !== 'kernel';
      at = SYSLOG.lastIndex;
    }
  }
  if (raw.charCodeAt(at) === 60) at = past(LEVEL, raw, at);
  let stamp = nextStamp(raw, at);
  // Only garbage of a console stands before a time that is not the first thing in the line.
  if (stamp && stamp.start > at) {
    const lead = raw.slice(at, stamp.start).trim();
    if (lead !== '') lines.push({ text: lead, user: user || undefined });
    if (stamp.start - at > LEAD_MAX) user = false;
  }
  if (!stamp) {
    at = past(DATE, raw, at);
    const text = raw.slice(at).trim();
    const told = user || PROGRAM.test(text) || COMMAND_LINE.test(text);
    return [...lines, { text, user: told || undefined }];
  }
  while (stamp) {
    const { end, time } = stamp;
    CALLER.lastIndex = end;
    const caller = raw.charCodeAt(end) === 91 ? CALLER.exec(raw) : null;
    let from = caller ? CALLER.lastIndex : end;
    while (raw.charCodeAt(from) === 32) from++;
    if (!caller && raw.charCodeAt(from) === 91) from = past(VENDOR, raw, from);
    const next = nextStamp(raw, from);
    const text = raw.slice(from, next ? next.start : raw.length).trim();
    const told = user || PROGRAM.test(text) || COMMAND_LINE.test(text);
    lines.push({ text, time, caller: caller?.[1], user: told || undefined });
    stamp = next;
  }
  return lines;
}

function past(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

interface Stamp {
  start: number;
  end: number;
  time: number;
}

/** The next `[   12.345678]` at or after `at`. */
function nextStamp(text: string, at: number): Stamp | undefined {
  for (let start = text.indexOf('[', at); start >= 0; start = text.indexOf('[', start + 1)) {
    let dot = start + 1;
    while (text.charCodeAt(dot) === 32 && dot < start + 9) dot++;
    const digits = dot;
    while (isDigit(text.charCodeAt(dot)) && dot < digits + 10) dot++;
    if (dot === digits || text.charCodeAt(dot) !== 46) continue;
    let end = dot + 1;
    while (isDigit(text.charCodeAt(end)) && end < dot + 8) end++;
    if (end !== dot + 7 || text.charCodeAt(end) !== 93) continue;
    return { start, end: end + 1, time: Number(text.slice(digits, end)) };
  }
  return undefined;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
