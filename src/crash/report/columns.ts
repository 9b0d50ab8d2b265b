// Crashes and fleets as the columns that correlation takes.
import type { EncodedRows } from '../correlate/index.ts';

export interface Counted {
  attributes: Readonly<Record<string, string>>;
  count: number;
}

/** A column for each name, all that any row has where none are given; a row without it has the empty text there. */
export function columnsOf(
  rows: readonly Counted[],
  names: readonly string[] = [...new Set(rows.flatMap(({ attributes }) => Object.keys(attributes)))].sort(),
): EncodedRows {
  const counts = Float64Array.from(rows, ({ count }) => count);
  const columns = names.map((name) => {
    const values: string[] = [];
    const places = new Map<string, number>();
    const codes = Uint32Array.from(rows, ({ attributes }) => {
      const value = attributes[name] ?? '';
      const place = places.get(value);
      if (place !== undefined) return place;
      places.set(value, values.length);
      return values.push(value) - 1;
    });
    return { name, values, codes };
  });
  return { rows: rows.length, columns, counts };
}
