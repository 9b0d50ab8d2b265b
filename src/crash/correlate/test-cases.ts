// What generators of planted cases share: dice that a seed repeats, and records as columns.
import { seededRandom } from '../../platform/clock/random.ts';
import type { EncodedRows, Question } from './join.ts';

export type When = Readonly<Record<string, string>>;

export interface Planted {
  readonly name: string;
  readonly kind: string;
  readonly question: Question;
  /** Empty: there is no cause. */
  readonly truth: readonly When[];
  /** The verdicts that are right. */
  readonly verdicts: readonly string[];
}

/** A machine or a leaf: its value of each attribute. */
export type Attributes = Record<string, string>;

/** Rows of records as columns. */
export function encoded(
  records: readonly Attributes[],
  names: readonly string[],
  counts?: ArrayLike<number>,
): EncodedRows {
  const columns = names.map((name) => {
    const places = new Map<string, number>();
    const codes = new Uint32Array(records.length);
    records.forEach((record, row) => {
      const value = record[name] ?? '';
      let place = places.get(value);
      if (place === undefined) {
        place = places.size;
        places.set(value, place);
      }
      codes[row] = place;
    });
    return { name, values: [...places.keys()], codes };
  });
  return { rows: records.length, columns, ...(counts && { counts: Float64Array.from(counts) }) };
}

export interface Dice {
  next(): number;
  below(count: number): number;
  between(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
  gauss(): number;
  poisson(mean: number): number;
  /** A place in a list of so many, the first ones likelier. */
  zipf(count: number, power?: number): number;
}

export function dice(seed: number): Dice {
  const next = seededRandom(seed);
  for (let at = 0; at < 8; at++) next();
  const gauss = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const below = (count: number) => Math.floor(next() * count);
  return {
    next,
    below,
    gauss,
    between: (low, high) => low + (high - low) * next(),
    pick: (items) => items[below(items.length)] as never,
    poisson(mean) {
      if (mean > 200) return Math.max(0, Math.round(mean + Math.sqrt(mean) * gauss()));
      let left = Math.exp(-mean);
      let draw = next();
      let k = 0;
      while (draw > left && k < 1000) {
        draw -= left;
        k++;
        left *= mean / k;
      }
      return k;
    },
    zipf(count, power = 1) {
      let total = 0;
      for (let at = 1; at <= count; at++) total += at ** -power;
      let draw = next() * total;
      for (let at = 1; at <= count; at++) {
        draw -= at ** -power;
        if (draw < 0) return at - 1;
      }
      return count - 1;
    },
  };
}

export function matches(record: Attributes, when: When): boolean {
  for (const name in when) if (record[name] !== when[name]) return false;
  return true;
}
