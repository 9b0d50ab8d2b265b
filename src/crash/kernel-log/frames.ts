// Stack frames: read from the lines of a report, for all architectures.
import { offsetEnd, symbolEnd } from './pattern.ts';
import { demangleRust } from './rust-symbol.ts';

export interface Frame {
  func: string;
  /** False for a frame marked `?`: an address found on the stack, perhaps left over from an earlier call. */
  reliable: boolean;
  /** Known from debug symbols only: no frame of its own. */
  inline?: boolean;
  /** FILE:LINE, where the log was symbolised. */
  at?: string;
  module?: string;
}

/** What one line of a report is to its stacks. */
export type StackItem =
  | { kind: 'frame'; frame: Frame }
  /** Where the CPU was: RIP, pc, NIP, epc. `frame` is missing when that was no known code. */
  | { kind: 'ip'; frame?: Frame }
  /** Where that code was called from: LR, lr. */
  | { kind: 'lr'; frame: Frame }
  /** A stack begins: `Call Trace:`, `Backtrace:`. */
  | { kind: 'start' }
  /** Another CPU or task is described from here on. */
  | { kind: 'next' }
  /** In user mode: the stack above is complete. */
  | { kind: 'user' };

const STARTS = /^(?:Call Trace|Call trace|Call backtrace|Backtrace|Stack backtrace|stack backtrace|Trace):?/;

export function stackItemOf(text: string): StackItem | undefined {
  const first = text.charCodeAt(0);
  // Most lines are frames or registers: only a few letters begin a heading.
  if (first === 67 || first === 66 || first === 83 || first === 115 || first === 84 || first === 78) {
    if (text.startsWith('CPU: ') && text.includes('PID: ')) return { kind: 'next' };
    if (text.startsWith('NMI backtrace for cpu') || text.startsWith('Task dump for CPU'))
      return { kind: 'next' };
    if (text.length < 40 && STARTS.test(text)) return { kind: 'start' };
  }
  return ipOf(text) ?? lrOf(text) ?? frameItem(text);
}

function frameItem(text: string): StackItem | undefined {
  const frame = frameOf(text);
  return frame && { kind: 'frame', frame };
}

/** What stands before the address or the symbol of the instruction pointer, by architecture. */
const IPS: readonly string[] = [
  'RIP: ', // x86-64
  'EIP: ', // i386
  'EIP is at ',
  'IP: ', // x86 before 4.15
  'PC is at ', // arm, arm64 before 5.0
  'pc : ', // arm64
  'NIP [', // ppc64
  'epc : ', // riscv
  'Krnl PSW : ', // s390x
];

function ipOf(text: string): StackItem | undefined {
  const lead = IPS.find((each) => text.startsWith(each));
  if (!lead) return undefined;
  let rest = text.slice(lead.length).trimStart();
  if (lead === 'Krnl PSW : ') {
    const open = rest.indexOf('(');
    if (open < 0) return undefined;
    rest = rest.slice(open + 1);
  } else if (lead === 'NIP [') {
    rest = rest.slice(rest.indexOf(']') + 1).trimStart();
  }
  // A code segment: 0033 and 002b are user mode on x86-64, 0073 on i386.
  const segment = /^([0-9a-f]{4}):/.exec(rest);
  if (segment) {
    if ((Number.parseInt(segment[1] as string, 16) & 3) === 3) return { kind: 'user' };
    rest = rest.slice(5);
  }
  rest = skipAddresses(rest);
  const end = symbolEnd(rest, 0);
  if (end === 0 || !(rest.charCodeAt(end) === 43 || rest.includes('[inline]', end))) return { kind: 'ip' };
  return {
    kind: 'ip',
    frame: { func: canonical(rest.slice(0, end)), reliable: true, ...more(rest, offsetEnd(rest, end)) },
  };
}

function lrOf(text: string): StackItem | undefined {
  const lead = text.startsWith('LR is at ') ? 9 : text.startsWith('lr : ') ? 5 : 0;
  if (lead === 0) return undefined;
  const frame = frameOf(text.slice(lead));
  return frame && { kind: 'lr', frame };
}

/** ` [<ffffffff81d91389>] `, ` [c0000000fa9fbc80] [c0000000000f8a50] ` */
function skipAddresses(text: string): string {
  let at = 0;
  for (;;) {
    while (text.charCodeAt(at) === 32) at++;
    if (text.charCodeAt(at) !== 91) return at === 0 ? text : text.slice(at);
    let end = at + 1;
    if (text.charCodeAt(end) === 60) end++;
    const from = end;
    while (isHex(text.charCodeAt(end)) && end < from + 17) end++;
    if (end < from + 8) return text.slice(at);
    if (text.charCodeAt(end) === 62) end++;
    if (text.charCodeAt(end) !== 93) return text.slice(at);
    at = end + 1;
  }
}

export function frameOf(text: string): Frame | undefined {
  if (text.length < 5) return undefined;
  let rest = text;
  let addressed = false;
  const first = text.charCodeAt(0);
  if (first === 91 || (first === 40 && text.charCodeAt(1) === 91)) {
    rest = skipAddresses(first === 40 ? text.slice(1) : text);
    addressed = rest.length < text.length;
    if (!addressed) return undefined;
  }
  let at = 0;
  let reliable = true;
  if (rest.charCodeAt(0) === 63 && rest.charCodeAt(1) === 32) {
    reliable = false;
    at = 2;
  } else if (addressed && rest.charCodeAt(0) === 40) {
    at = 1; // arm: (show_stack+0x18/0x1c) from …
  }
  if (rest.charCodeAt(at) === 46) at++; // ppc64: .func
  const end = symbolEnd(rest, at);
  if (end === at) return undefined;
  const next = rest.charCodeAt(end);
  if (next === 43 && rest.charCodeAt(end + 1) === 48 && rest.charCodeAt(end + 2) === 120) {
    const after = offsetEnd(rest, end);
    const code = rest.charCodeAt(after);
    if (!(Number.isNaN(code) || code === 32 || code === 41)) return undefined;
    if (code === 32 && !isAside(rest, after + 1)) return undefined;
    return { func: canonical(rest.slice(at, end)), reliable, ...more(rest, after) };
  }
  // arm: (panic) from [<801347d0>] (warn_slowpath_fmt+0x1c/0x24). The caller is the one with an offset.
  if (addressed && next === 41 && rest.startsWith(') from [<', end)) {
    const caller = rest.indexOf('(', end);
    const nameEnd = symbolEnd(rest, caller + 1);
    if (caller > 0 && nameEnd > caller + 1)
      return { func: canonical(rest.slice(caller + 1, nameEnd)), reliable, ...more(rest, nameEnd) };
  }
  if (addressed && next === 41) return { func: canonical(rest.slice(at, end)), reliable };
  if (next === 32 && rest.endsWith(' [inline]')) {
    const file = rest.slice(end + 1, -' [inline]'.length);
    if (!file.includes(' ') && file.includes(':'))
      return { func: canonical(rest.slice(at, end)), reliable, inline: true, at: file };
  }
  return undefined;
}

/** What may follow a frame in its line: `[module]`, `(unreliable)`, `file.c:12`, `from [<…>]`. */
function isAside(text: string, at: number): boolean {
  let from = at;
  while (text.charCodeAt(from) === 32) from++;
  const code = text.charCodeAt(from);
  if (Number.isNaN(code) || code === 91 || code === 40) return true;
  if (text.startsWith('from [<', from) || text.startsWith('from (', from)) return true;
  const blank = text.indexOf(' ', from);
  const word = text.slice(from, blank < 0 ? text.length : blank);
  if (!/^[\w./+-]{1,120}:\d/.test(word)) return false;
  return blank < 0 || isAside(text, blank + 1);
}

function more(text: string, from: number): { at?: string; module?: string } {
  const rest = text.slice(from);
  const found: { at?: string; module?: string } = {};
  const at = / ([\w./+-]{1,120}:\d{1,6})/.exec(rest);
  if (at) found.at = at[1] as string;
  const module = / \[([\w-]{1,56})(?: [0-9a-f]{1,64})?\]/.exec(rest);
  if (module && module[1] !== 'inline') found.module = module[1] as string;
  return found;
}

function isHex(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102);
}

/**
 * A function's name as it stands in the source, whatever the compiler made of it: without `.isra.0`,
 * `.constprop.3`, `.part.1`, `.cold`, `.llvm.123`.
 */
export function canonical(symbol: string): string {
  if (symbol.charCodeAt(0) === 60) return symbol;
  if (symbol.startsWith('_R')) return demangleRust(symbol);
  const dot = symbol.indexOf('.');
  return dot > 0 ? symbol.slice(0, dot) : symbol;
}

/** Names, with `*` in them: `kasan_*`, `*_slowpath`, `*printk*`. */
export class NameSet {
  private readonly exact = new Set<string>();
  private readonly globs: { before: string; after: string }[] = [];
  private readonly parts: string[] = [];
  private readonly known = new Map<string, boolean>();

  constructor(names: readonly string[]) {
    for (const name of names) {
      const star = name.indexOf('*');
      if (star < 0) this.exact.add(name);
      else if (star === 0 && name.endsWith('*')) this.parts.push(name.slice(1, -1));
      else this.globs.push({ before: name.slice(0, star), after: name.slice(star + 1) });
    }
  }

  has(name: string): boolean {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const found =
      this.exact.has(name) ||
      this.parts.some((part) => name.includes(part)) ||
      this.globs.some(
        ({ before, after }) =>
          name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after),
      );
    // Names come from logs: hostile ones must not fill the memory.
    if (this.known.size < KNOWN_MAX) this.known.set(name, found);
    return found;
  }
}

const KNOWN_MAX = 20_000;
