// Reading what scripts print: lines of fields with a tab between them, most of them `key value…`.
import { badOutput } from './action.ts';

export function linesOf(output: Buffer): string[] {
  return output
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** Fields of a line; throws when there are fewer than wanted. What goes beyond stays in the last one. */
export function fieldsOf(line: string, wanted: number, separator = '\t'): string[] {
  const all = line.split(separator);
  if (all.length < wanted) throw badOutput(`${wanted} fields wanted in ${quoted(line)}`);
  return [...all.slice(0, wanted - 1), all.slice(wanted - 1).join(separator)];
}

/** Lines by their first field. */
export function keyed(output: Buffer): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of linesOf(output)) {
    const [key = '', value = ''] = fieldsOf(line, 2);
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
}

/** A count or a size: whole, not negative, exact. */
export function countOf(text: string | undefined, what: string): number {
  const value = /^\d{1,16}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw badOutput(`${what} is ${quoted(text)}; a whole number is wanted`);
  return value;
}

/** A number with or without a fraction. */
export function numberOf(text: string | undefined, what: string): number {
  if (!/^\d{1,15}(?:\.\d{1,15})?$/.test(text ?? ''))
    throw badOutput(`${what} is ${quoted(text)}; a number is wanted`);
  return Number(text);
}

/** Short enough for a message. */
export function quoted(text: string | undefined): string {
  return text === undefined ? 'missing' : JSON.stringify(text.slice(0, 100));
}

/** Seconds since the epoch, with a fraction, to ISO 8601. */
export function isoOf(epoch_s: string | undefined, what: string): string {
  const at = new Date(numberOf(epoch_s, what) * 1000);
  if (Number.isNaN(at.getTime()))
    throw badOutput(`${what} is ${quoted(epoch_s)}; seconds since 1970 are wanted`);
  return at.toISOString();
}
