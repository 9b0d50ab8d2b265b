// The little pattern language of the rules. Each piece of a pattern is looked for once, from left to right and
// never again, so matching is linear in the text whatever the pattern and whatever the text.
//
//   'BUG: KASAN: {kind:word} in {at:func}'   plain text, and holes that take a value
//   '^{cpu:num} locks held by {*}'            ^ stands for the start of the message
//
// A hole `{name}` takes all up to the next plain text (or to the end); `{*}` takes it without keeping it;
// `{name:TYPE}` takes exactly one value of that type: func, num, hex, word.

export type HoleType = 'text' | 'func' | 'num' | 'hex' | 'word';

type Piece = { literal: string } | { hole: string; type: HoleType };

export interface Pattern {
  source: string;
  /** Must begin where the message begins. */
  anchored: boolean;
  pieces: readonly Piece[];
  /** The longest plain text in it: a line without it cannot match. */
  needle: string;
  holes: readonly string[];
}

export type Captures = Record<string, string>;

/** Of a pattern that opens something: shorter needles would stop the scanner at every other line. */
export const NEEDLE_LENGTH_MIN = 4;

/** @throws Error that says what is wrong with the pattern. */
export function compilePattern(source: string): Pattern {
  if (source === '' || source === '^') throw new Error('a pattern may not be empty');
  const anchored = source.startsWith('^');
  const pieces: Piece[] = [];
  let rest = anchored ? source.slice(1) : source;
  while (rest !== '') {
    const open = rest.indexOf('{');
    if (open !== 0) {
      const literal = open < 0 ? rest : rest.slice(0, open);
      pieces.push({ literal });
      rest = rest.slice(literal.length);
      continue;
    }
    const close = rest.indexOf('}');
    if (close < 0) throw new Error(`pattern "${source}": "{" is not closed`);
    pieces.push(holeOf(rest.slice(1, close), source));
    rest = rest.slice(close + 1);
  }
  const needle = pieces.reduce(
    (best, piece) => ('literal' in piece && piece.literal.length > best.length ? piece.literal : best),
    '',
  );
  if (!anchored && !('literal' in (pieces[0] as Piece)))
    throw new Error(`pattern "${source}": begins with plain text, or with ^`);
  const holes = pieces.flatMap((piece) => ('hole' in piece && piece.hole !== '*' ? [piece.hole] : []));
  const twice = holes.find((hole, at) => holes.indexOf(hole) !== at);
  if (twice) throw new Error(`pattern "${source}": {${twice}} stands in it twice`);
  return { source, anchored, pieces, needle, holes };
}

function holeOf(text: string, source: string): Piece {
  const [name = '', type = 'text'] = text.split(':');
  if (name !== '*' && !/^[a-z][a-zA-Z]*$/.test(name))
    throw new Error(`pattern "${source}": {${text}}: a name is letters, such as {frame} or {cpu:num}`);
  if (!isHoleType(type))
    throw new Error(`pattern "${source}": {${text}}: the type is one of text, func, num, hex, word`);
  return { hole: name, type };
}

function isHoleType(type: string): type is HoleType {
  return type === 'text' || type in TAKE;
}

/** As compilePattern, for a line that is looked for in whole logs. */
export function compileOpening(source: string): Pattern {
  const pattern = compilePattern(source);
  if (pattern.needle.length >= NEEDLE_LENGTH_MIN) return pattern;
  throw new Error(`pattern "${source}": needs a piece of plain text of ${NEEDLE_LENGTH_MIN} letters`);
}

/** What the holes took, or undefined when the text is not of this pattern. */
export function match(pattern: Pattern, text: string): Captures | undefined {
  const { pieces } = pattern;
  const captures: Captures = {};
  let at = 0;
  if (!pattern.anchored) {
    at = text.indexOf((pieces[0] as { literal: string }).literal);
    if (at < 0) return undefined;
  }
  for (let index = 0; index < pieces.length; index++) {
    const piece = pieces[index] as Piece;
    if ('literal' in piece) {
      if (!text.startsWith(piece.literal, at)) return undefined;
      at += piece.literal.length;
      continue;
    }
    let end: number;
    let next: number;
    if (piece.type === 'text') {
      const following = pieces[index + 1];
      end = following && 'literal' in following ? text.indexOf(following.literal, at) : text.length;
      next = end;
    } else {
      [end, next] = TAKE[piece.type](text, at);
    }
    if (end < 0) return undefined;
    if (piece.hole !== '*') captures[piece.hole] = text.slice(at, end).trim();
    at = next;
  }
  return captures;
}

/** Where the value that begins at `at` ends, and where to go on; -1 when there is none. */
type Take = (text: string, at: number) => [end: number, next: number];

const none: [number, number] = [-1, -1];

function taking(isPart: (code: number) => boolean): Take {
  return (text, at) => {
    let end = at;
    while (end < text.length && isPart(text.charCodeAt(end))) end++;
    return end > at ? [end, end] : none;
  };
}

const isDigit = (code: number) => code >= 48 && code <= 57;
const isHex = (code: number) => isDigit(code) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70);

const TAKE: Record<Exclude<HoleType, 'text'>, Take> = {
  num: taking(isDigit),
  hex: taking((code) => isHex(code) || code === 120),
  word: taking((code) => code > 32),
  func: (text, from) => {
    let at = from;
    while (text.charCodeAt(at) === 32) at++;
    const end = symbolEnd(text, at);
    // An address is no name: `corrupted in: ffffffff8343632e`.
    if (end === at || (end - at >= 8 && taking(isHex)(text, at)[0] === end)) return none;
    return [end, offsetEnd(text, end)];
  },
};

/** A letter of a C, C++ or Rust symbol, `$` and the compiler's `.isra.0` among them. */
export function isSymbolPart(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || // a-z
    code === 95 || // _
    isDigit(code) ||
    (code >= 65 && code <= 90) || // A-Z
    code === 46 || // .
    code === 36 // $
  );
}

const SYMBOL_LENGTH_MAX = 256;

/**
 * The end of the symbol that begins at `at`, or `at` when there is none. A symbol begins with no digit; a path of
 * Rust (`<rust_binder::process::Process>::update_ref`) is one.
 */
export function symbolEnd(text: string, at: number): number {
  const first = text.charCodeAt(at);
  const rust = first === 60; // <
  if (!rust && (!isSymbolPart(first) || isDigit(first) || first === 46)) return at;
  const most = Math.min(text.length, at + SYMBOL_LENGTH_MAX);
  let end = at;
  let depth = 0;
  while (end < most) {
    const code = text.charCodeAt(end);
    if (code === 60) depth++;
    else if (code === 62) depth--;
    // Within brackets a path has blanks: `<A as B>::c`.
    else if (
      !isSymbolPart(code) &&
      code !== 58 &&
      !(depth > 0 && (code === 32 || code === 44 || code === 38))
    )
      break;
    if (depth < 0) break;
    end++;
  }
  if (depth !== 0) return at;
  // A colon that ends it is the sentence's: `stack is corrupted in: f`, not the path's.
  while (end > at && text.charCodeAt(end - 1) === 58) end--;
  return end;
}

/** Past `+0x1f/0x60`, where that stands at `at`. */
export function offsetEnd(text: string, at: number): number {
  if (text.charCodeAt(at) !== 43) return at;
  let end = at + 1;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (!isHex(code) && code !== 120 && code !== 47) break;
    end++;
  }
  return end;
}
