// Vector bin packing with several bin types at different prices, in whole numbers only: what the reader of plans
// makes of classes and profiles, and all that the solver knows.

/** No sum over one bin or one plan leaves what a double holds exactly. */
export const AMOUNT_MAX = 2 ** 45;
/** What HiGHS' floating point may have taken from a whole number. */
export const ROUNDING = 1e-6;

/** Things to be placed that are all equal. */
export interface Item {
  name: string;
  count: number;
  /** By resource. */
  need: readonly number[];
  /** In one bin at most; undefined: as many as fit. */
  most?: number;
}

/** Bins that are all equal. */
export interface Bin {
  name: string;
  /** By resource. */
  room: readonly number[];
  price: number;
  /** Items that may not be put here, by index. */
  refuses?: ReadonlySet<number>;
}

/** So many bins of these kinds, at most. */
export interface Limit {
  name: string;
  bins: readonly number[];
  max: number;
}

/** Bins of these kinds are at most this share of all bins. */
export interface Share {
  name: string;
  bins: readonly number[];
  /** Over 0, under 1. */
  share: number;
}

/** Every number is whole, but for shares. */
export interface Problem {
  items: readonly Item[];
  bins: readonly Bin[];
  limits: readonly Limit[];
  shares: readonly Share[];
  /** Pairs of items that may not meet in one bin. */
  apart: readonly (readonly [number, number])[];
}

/** One way to fill one bin: how many of which item. */
export interface Pattern {
  bin: number;
  /** Items by index, rising, with their counts, none of them 0. */
  items: readonly (readonly [item: number, count: number])[];
}

/** Filled bins with how many there are of each. */
export type Packing = readonly { pattern: Pattern; count: number }[];

/** How many of an item one bin holds at most, when it is alone there. */
export function mostIn(item: Item, at: number, bin: Bin): number {
  if (bin.refuses?.has(at)) return 0;
  let most = Math.min(item.count, item.most ?? item.count);
  item.need.forEach((need, resource) => {
    if (need > 0) most = Math.min(most, Math.floor((bin.room[resource] ?? 0) / need));
  });
  return most;
}

export function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** Two patterns with the same key are the same way to fill the same bin. */
export function keyOf({ bin, items }: Pattern): string {
  return `${bin}:${items.map(([item, count]) => `${item}x${count}`).join(',')}`;
}

/** Bins that are filled alike are counted together; items rise. */
export function together(packing: Packing): Packing {
  const byKey = new Map<string, { pattern: Pattern; count: number }>();
  for (const { pattern, count } of packing) {
    const sorted = { bin: pattern.bin, items: pattern.items.toSorted(([a], [b]) => a - b) };
    const key = keyOf(sorted);
    const known = byKey.get(key);
    if (known) known.count += count;
    else byKey.set(key, { pattern: sorted, count });
  }
  return [...byKey.values()];
}

/** Takes out what is there more often than asked for. */
export function trimmed({ items }: Problem, packing: Packing): Packing {
  const rest = items.map(({ count }) => count);
  const machines: { pattern: Pattern; count: number }[] = [];
  for (const { pattern, count } of packing) {
    for (let n = 0; n < count; n++) {
      const kept = pattern.items
        .map(([item, each]): [number, number] => [item, Math.min(each, rest[item] as number)])
        .filter(([, each]) => each > 0);
      for (const [item, each] of kept) rest[item] = (rest[item] as number) - each;
      machines.push({ pattern: { bin: pattern.bin, items: kept }, count: 1 });
    }
  }
  return together(machines);
}
