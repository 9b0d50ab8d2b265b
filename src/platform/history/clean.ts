// PostgreSQL refuses text with NUL characters, and jsonb with lone surrogates. Both turn up in kernel
// logs, and one such record must not hold up the others.

/** Longest text in a column of its own: the schema allows 1024, and an index entry 2704 bytes. */
export const TEXT_CHARS_MAX = 4096;
export const NAME_CHARS_MAX = 512;
/** Longest object kept whole; by their schemas ours end near 60,000. */
export const JSON_CHARS_MAX = 131_072;

export function cleanText(value: string, chars_max = TEXT_CHARS_MAX): string {
  return value.slice(0, chars_max).replaceAll('\0', '').toWellFormed();
}

/** The same value with clean keys and strings. */
export function cleanValue(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value, JSON_CHARS_MAX);
  if (Array.isArray(value)) return value.map(cleanValue);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [cleanText(key), cleanValue(item)]);
  return Object.fromEntries(entries);
}

/** A moment that PostgreSQL and JavaScript both know, or null. */
export function cleanTime(value: string | number | undefined): Date | null {
  if (value === undefined) return null;
  const time = new Date(value);
  const year = time.getUTCFullYear();
  return year >= 1 && year <= 9999 ? time : null;
}
