// Tables as people hand them in: CSV with a header, or JSON lines. They are kept as columns, each value once
// and a code for each row, since most columns of a fleet hold few values many times.
import { Dictionary, grown } from './dictionary.ts';

export const TABLE_LIMITS = { columns: 2000, row_bytes: 1 << 20 } as const;

export interface Column {
  readonly name: string;
  /** The distinct values as text, in the order of their first row. A missing value is the empty text. */
  readonly values: readonly string[];
  /** For each row, the place of its value in `values`. */
  readonly codes: Uint32Array;
}

export interface Table {
  /** Where it comes from, as errors call it: the path, or `standard input`. */
  readonly name: string;
  readonly rows: number;
  readonly columns: readonly Column[];
  /** The line of the source on which a row begins, from 1, as editors count. */
  lineOf(row: number): number;
}

/** Says which file, line and column cannot be read, and why. */
export class TableError extends Error {
  override readonly name = 'TableError';
}

/**
 * Reads the whole source. CSV: fields separated by comma, or by tab or semicolon where the header has no
 * comma; quotes after RFC 4180; BOM and CRLF taken. JSON lines: an object a line, of text, numbers and booleans; a
 * key that a line lacks is the empty text there. Empty lines are skipped. Throws a TableError.
 */
export async function readTable(source: AsyncIterable<Uint8Array>, name: string): Promise<Table> {
  let reader: Reader | undefined;
  let rest = new Uint8Array(0);
  for await (const chunk of source) {
    rest = joined(rest, chunk);
    // Three bytes may be a BOM, and whatever opens the first line must be here to tell the format.
    if (!reader && rest.length < 4) continue;
    if (!reader) rest = rest.subarray(bomLength(rest));
    reader ??= readerOf(rest, name);
    rest = rest.subarray(reader.read(rest, false));
    if (rest.length > TABLE_LIMITS.row_bytes)
      throw reader.error(`the row is longer than ${TABLE_LIMITS.row_bytes} bytes; is a quote not closed?`);
  }
  if (!reader) rest = rest.subarray(bomLength(rest));
  reader ??= readerOf(rest, name);
  reader.read(rest, true);
  return reader.table();
}

/** The column of this name, if there is one. */
export function columnOf(table: Table, name: string): Column | undefined {
  return table.columns.find((column) => column.name === name);
}

/**
 * A column as numbers, a row each; throws a TableError naming file, line and column for what is no number or
 * is under `least`.
 */
export function numbersOf(table: Table, column: Column, least = Number.NEGATIVE_INFINITY): Float64Array {
  const numbers = column.values.map((text) => (text.trim() === '' ? Number.NaN : Number(text)));
  const result = new Float64Array(table.rows);
  for (let row = 0; row < table.rows; row++) {
    const number = numbers[column.codes[row] as number] as number;
    if (!Number.isFinite(number) || number < least) {
      const text = column.values[column.codes[row] as number] as string;
      const why = Number.isFinite(number) ? `must be at least ${least}` : 'is no number';
      throw new TableError(
        `${table.name}, line ${table.lineOf(row)}, column "${column.name}": "${shortened(text)}" ${why}`,
      );
    }
    result[row] = number;
  }
  return result;
}

function joined(rest: Uint8Array<ArrayBuffer>, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(rest.length + chunk.length);
  both.set(rest);
  both.set(chunk, rest.length);
  return both;
}

const BYTE = {
  tab: 9,
  lf: 10,
  cr: 13,
  space: 32,
  quote: 34,
  comma: 44,
  semicolon: 59,
  bracket: 91,
  brace: 123,
};

function bomLength(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

function readerOf(bytes: Uint8Array, name: string): Reader {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    throw new TableError(`${name}: is compressed; unpack it first: gunzip -c FILE | drover … -`);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new TableError(`${name}: is UTF-16; UTF-8 is wanted`);
  const first = bytes.find((byte) => byte > BYTE.space);
  if (first === BYTE.bracket)
    throw new TableError(`${name}: is a JSON array; an object a line is wanted: jq -c '.[]'`);
  return first === BYTE.brace ? new JsonLinesReader(name) : new CsvReader(name);
}

/** What both formats share: columns that grow row by row. */
abstract class Reader {
  protected readonly name: string;
  protected line = 1;
  protected rows = 0;
  protected readonly names: string[] = [];
  protected readonly dictionaries: Dictionary[] = [];
  protected readonly codes: Uint32Array[] = [];
  #lines = new Uint32Array(1024);

  constructor(name: string) {
    this.name = name;
  }

  /** Takes whole rows; returns how many bytes they were. At the end all that is left is a row. */
  abstract read(bytes: Uint8Array, atEnd: boolean): number;

  error(what: string): TableError {
    return new TableError(`${this.name}, line ${this.line}: ${what}`);
  }

  protected addColumn(name: string): void {
    if (this.names.length === TABLE_LIMITS.columns)
      throw this.error(`there are more than ${TABLE_LIMITS.columns} columns`);
    this.names.push(name);
    this.dictionaries.push(new Dictionary());
    this.codes.push(new Uint32Array(1024));
  }

  protected put(at: number, bytes: Uint8Array, start: number, end: number): void {
    const code = (this.dictionaries[at] as Dictionary).codeOf(bytes, start, end);
    let codes = this.codes[at] as Uint32Array;
    if (this.rows >= codes.length) {
      codes = grown(codes, this.rows + 1);
      this.codes[at] = codes;
    }
    codes[this.rows] = code;
  }

  protected endRow(): void {
    this.#lines = grown(this.#lines, this.rows + 1);
    this.#lines[this.rows++] = this.line;
  }

  table(): Table {
    const lines = this.#lines;
    return {
      name: this.name,
      rows: this.rows,
      columns: this.names.map((name, at) => ({
        name,
        values: (this.dictionaries[at] as Dictionary).values(),
        codes: (this.codes[at] as Uint32Array).slice(0, this.rows),
      })),
      lineOf: (row) => lines[row] ?? 0,
    };
  }
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

class CsvReader extends Reader {
  #separator: number | undefined;
  /** How many fields the last row had. */
  #found = 0;

  read(bytes: Uint8Array, atEnd: boolean): number {
    let at = 0;
    while (at < bytes.length) {
      const next = this.#row(bytes, at, atEnd);
      if (next < 0) break;
      at = next;
    }
    return at;
  }

  /** Reads a row from `at`; returns where the next begins, or -1 where this one is not whole yet. */
  #row(bytes: Uint8Array, at: number, atEnd: boolean): number {
    const first = bytes[at] as number;
    if (first === BYTE.lf || (first === BYTE.cr && bytes[at + 1] === BYTE.lf)) {
      this.line++;
      return at + (first === BYTE.lf ? 1 : 2);
    }
    if (this.#separator === undefined) {
      const end = bytes.indexOf(BYTE.lf, at);
      if (end < 0 && !atEnd) return -1;
      this.#separator = separatorOf(bytes.subarray(at, end < 0 ? bytes.length : end));
      return this.#fields(bytes, at, atEnd, 0);
    }
    const width = this.names.length;
    const next = this.#fields(bytes, at, atEnd, width);
    if (next < 0) return -1;
    const fields = this.#found;
    if (fields !== width)
      throw this.error(`has ${fields} ${fields === 1 ? 'field' : 'fields'}, the header has ${width}`);
    this.endRow();
    this.line += linesIn(bytes, at, next);
    return next;
  }

  #name(index: number, bytes: Uint8Array, start: number, end: number): void {
    const name = decoder.decode(bytes.subarray(start, end)).trim() || `column ${index + 1}`;
    if (this.names.includes(name)) throw this.error(`there are two columns "${name}"`);
    this.addColumn(name);
  }

  /** Reads a row's fields into their columns, or, where the width is 0 yet, as the names of columns. */
  #fields(bytes: Uint8Array, from: number, atEnd: boolean, width: number): number {
    const separator = this.#separator as number;
    const isHeader = width === 0;
    let at = from;
    for (let index = 0; ; index++) {
      let start = at;
      let end: number;
      let text = bytes;
      if (bytes[at] === BYTE.quote) {
        const close = closingQuote(bytes, at);
        if (close < 0 && atEnd) throw this.error(`field ${index + 1}: a quote is not closed`);
        if (close < 0) return -1;
        const plain = bytes.subarray(at + 1, close);
        text = plain.includes(BYTE.quote) ? unquoted(plain) : plain;
        start = 0;
        end = text.length;
        at = close + 1;
        if (bytes[at] === BYTE.cr) at++;
        if (at < bytes.length && bytes[at] !== separator && bytes[at] !== BYTE.lf)
          throw this.error(`field ${index + 1}: there is text behind the closing quote`);
      } else {
        let byte = bytes[at];
        while (byte !== separator && byte !== BYTE.lf && byte !== undefined) byte = bytes[++at];
        end = at > start && bytes[at - 1] === BYTE.cr && byte !== separator ? at - 1 : at;
      }
      if (at >= bytes.length && !atEnd) return -1;
      if (isHeader) this.#name(index, text, start, end);
      else if (index < width) this.put(index, text, start, end);
      if (at < bytes.length && bytes[at] === separator) at++;
      else {
        if (isHeader) this.line += linesIn(bytes, from, Math.min(at + 1, bytes.length));
        this.#found = index + 1;
        return Math.min(at + 1, bytes.length);
      }
    }
  }
}

function closingQuote(bytes: Uint8Array, open: number): number {
  let at = open + 1;
  for (;;) {
    at = bytes.indexOf(BYTE.quote, at);
    if (at < 0) return -1;
    if (bytes[at + 1] !== BYTE.quote) return at;
    at += 2;
  }
}

function unquoted(bytes: Uint8Array): Uint8Array {
  return encoder.encode(decoder.decode(bytes).replaceAll('""', '"'));
}

function separatorOf(header: Uint8Array): number {
  if (header.includes(BYTE.comma)) return BYTE.comma;
  if (header.includes(BYTE.tab)) return BYTE.tab;
  return header.includes(BYTE.semicolon) ? BYTE.semicolon : BYTE.comma;
}

function linesIn(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = bytes.indexOf(BYTE.lf, from); at >= 0 && at < to; at = bytes.indexOf(BYTE.lf, at + 1))
    count++;
  return count;
}

class JsonLinesReader extends Reader {
  readonly #places = new Map<string, number>();
  readonly #empty = new Uint8Array(0);
  #text = new Uint8Array(256);

  read(bytes: Uint8Array, atEnd: boolean): number {
    let at = 0;
    while (at < bytes.length) {
      let end = bytes.indexOf(BYTE.lf, at);
      if (end < 0 && !atEnd) return at;
      if (end < 0) end = bytes.length;
      const line = decoder.decode(bytes.subarray(at, end));
      if (line.trim() !== '') this.#object(line);
      this.line++;
      at = end + 1;
    }
    return Math.min(at, bytes.length);
  }

  #object(line: string): void {
    let object: unknown;
    try {
      object = JSON.parse(line);
    } catch {
      throw this.error(`is no JSON: ${shortened(line)}`);
    }
    if (typeof object !== 'object' || object === null || Array.isArray(object))
      throw this.error(`is no JSON object: ${shortened(line)}`);
    for (const [key, value] of Object.entries(object)) this.#value(key, value);
    for (let at = 0; at < this.names.length; at++)
      if (!Object.hasOwn(object, this.names[at] as string)) this.put(at, this.#empty, 0, 0);
    this.endRow();
  }

  #value(key: string, value: unknown): void {
    if (typeof value === 'object' && value !== null)
      throw this.error(`"${key}" is a list or an object; text, a number or a boolean is wanted`);
    let at = this.#places.get(key);
    if (at === undefined) {
      at = this.names.length;
      this.addColumn(key);
      this.#places.set(key, at);
      // Rows before this one lack the key: code 0 is the empty text there.
      if (this.rows > 0) {
        this.codes[at] = new Uint32Array(this.rows + 1024);
        (this.dictionaries[at] as Dictionary).codeOf(this.#empty, 0, 0);
      }
    }
    const text = value === null ? '' : String(value);
    if (text.length * 3 > this.#text.length) this.#text = new Uint8Array(text.length * 3);
    this.put(at, this.#text, 0, encoder.encodeInto(text, this.#text).written);
  }
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
