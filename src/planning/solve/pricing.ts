// Pricing: which pattern of each bin is worth most at given prices of the items.
import { extraOf, type WholeDuals } from './bound.ts';
import { allFillings, type Filling, fillBest, type Knapsack } from './knapsack.ts';
import { mostIn, type Pattern, type Problem } from './problem.ts';

/** A search of so many nodes is worth a table of bounds along two resources: 50 MB, some hundredths of a second. */
const GRID_FROM_NODES = 3_000;
const GRID_MAX = 6_000_000;

/** Bins that are filled alike: the same room, the same items. One knapsack does for all. */
export interface Group {
  bins: number[];
  room: Float64Array;
  /** Items that fit, by index, with how many fit at most. */
  items: { item: number; most: number }[];
}

export interface Priced {
  /** Worth more than the target, for the first bin of their group. */
  patterns: { pattern: Pattern; bins: readonly number[]; worth: number }[];
  /** By bin: no pattern is worth more. */
  worth: Float64Array;
  /** Whether some search was broken off. */
  open: boolean;
}

export class Pricer {
  readonly #problem: Problem;
  readonly groups: readonly Group[];

  constructor(problem: Problem) {
    this.#problem = problem;
    const groups = new Map<string, Group>();
    problem.bins.forEach((bin, at) => {
      const key = `${bin.room.join()}|${[...(bin.refuses ?? [])].sort((a, b) => a - b).join()}`;
      const group = groups.get(key);
      if (group) {
        group.bins.push(at);
        return;
      }
      const items = problem.items
        .map((item, index) => ({ item: index, most: mostIn(item, index, bin) }))
        .filter(({ most }) => most > 0);
      groups.set(key, { bins: [at], room: Float64Array.from(bin.room), items });
    });
    this.groups = [...groups.values()];
  }

  /** `tolerance`: patterns that are worth no more than this share over what the bin costs are not looked for. */
  price(duals: WholeDuals, tolerance: number, nodes: number): Priced {
    const { bins } = this.#problem;
    const extra = extraOf(this.#problem, duals);
    const worth = new Float64Array(bins.length);
    const patterns: Priced['patterns'] = [];
    let open = false;
    for (const group of this.groups) {
      const cost = Math.min(
        ...group.bins.map((bin) => (bins[bin]?.price ?? 0) * duals.scale + (extra[bin] as number)),
      );
      const answer = this.fill(group, duals.items, {
        target: Math.max(0, Math.floor(cost * (1 + tolerance))),
        nodes,
      });
      if (answer.nodes >= nodes) open = true;
      for (const bin of group.bins) worth[bin] = answer.upper;
      for (const { value, items } of answer.fillings)
        patterns.push({ pattern: { bin: group.bins[0] as number, items }, bins: group.bins, worth: value });
    }
    return { patterns, worth, open };
  }

  /** All patterns of the group that are worth at least `least`, and to which nothing can be added; undefined: too many. */
  all(
    group: Group,
    values: Float64Array,
    least: number,
    { max, nodes }: { max: number; nodes: number },
  ): Pattern[] | undefined {
    // Items that are worth nothing have to be placed too.
    const prices = values.map((value) => Math.max(1, value));
    const items = group.items;
    const knapsack = this.#knapsack(group, items, prices, { target: least, nodes });
    return allFillings(knapsack, max)?.flatMap((filling) =>
      group.bins.map((bin) => ({ bin, items: itemsOf(filling, items) })),
    );
  }

  /** Fillings of one bin that are worth more than the target, the best last. `rest`: no more than these are there. */
  fill(
    group: Group,
    values: Float64Array,
    { target, nodes, rest }: { target: number; nodes: number; rest?: readonly number[] },
  ): { fillings: { value: number; items: [number, number][] }[]; upper: number; nodes: number } {
    const items: { item: number; most: number }[] = [];
    for (const { item, most } of group.items) {
      const there = rest ? Math.min(most, rest[item] as number) : most;
      if (there > 0 && (values[item] as number) > 0) items.push({ item, most: there });
    }
    const answer = fillBest(this.#knapsack(group, items, values, { target, nodes }));
    const fillings = answer.fillings.map((filling) => ({
      value: filling.value,
      items: itemsOf(filling, items),
    }));
    return { ...answer, fillings };
  }

  #knapsack(
    { room }: Group,
    items: readonly { item: number; most: number }[],
    values: Float64Array,
    limits: { target: number; nodes: number },
  ): Knapsack {
    const needs = new Float64Array(items.length * room.length);
    items.forEach(({ item }, at) => {
      needs.set(this.#problem.items[item]?.need ?? [], at * room.length);
    });
    return {
      values: Float64Array.from(items, ({ item }) => values[item] as number),
      needs,
      most: Float64Array.from(items, ({ most }) => most),
      room,
      apart: this.#apart(items),
      grid: limits.nodes >= GRID_FROM_NODES ? GRID_MAX : 0,
      ...limits,
    };
  }

  #apart(items: readonly { item: number }[]): number[][] | undefined {
    if (this.#problem.apart.length === 0) return undefined;
    const place = new Map(items.map(({ item }, at) => [item, at]));
    const apart: number[][] = items.map(() => []);
    for (const [a, b] of this.#problem.apart) {
      const [one, other] = [place.get(a), place.get(b)];
      if (one === undefined || other === undefined) continue;
      apart[one]?.push(other);
      apart[other]?.push(one);
    }
    return apart;
  }
}

function itemsOf({ counts }: Filling, items: readonly { item: number }[]): [number, number][] {
  return items
    .flatMap(({ item }, at): [number, number][] => (counts[at] ? [[item, counts[at] as number]] : []))
    .sort(([a], [b]) => a - b);
}
