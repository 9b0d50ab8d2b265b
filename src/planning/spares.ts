// Machines held empty, so that any k machines may fail together and their Pods have a place.
import type { Reason } from '../api/fields.ts';
import { someOf } from '../platform/some-of.ts';
import { podsOf, podsWords } from './plan.ts';
import { type BinKind, type Modelled, nameOf } from './problem-of.ts';
import { mostIn, type Pattern, type Problem } from './solve/problem.ts';

export interface Spares {
  /** By bin, how many. */
  counts: ReadonlyMap<number, number>;
  /** Ways of filling for which there are none: what is left of the machines, or a wish, forbids it. */
  missing: readonly Pattern[];
}

export const NO_SPARES: Spares = { counts: new Map(), missing: [] };

export interface SparesAsked {
  /** So many machines may fail together: at least 1. */
  spares: number;
  /** Classes at most, with those of the machines that are there. */
  typesMax?: number;
  /** The ways in which machines are filled. */
  patterns: readonly Pattern[];
  /** At each time by bin: machines that are there. */
  there: readonly (readonly number[])[];
  /** What a spare costs, by bin; undefined: it can't be one. */
  prices: readonly (number | undefined)[];
}

/** Every machine can be replaced by a spare: the cheapest kind that takes the most ways of filling comes first. */
export function sparesFor({ problem, bins }: Pick<Modelled, 'problem' | 'bins'>, asked: SparesAsked): Spares {
  const { spares, patterns, prices } = asked;
  const counts = new Map<number, number>();
  let open = patterns;
  while (open.length > 0) {
    let best: { bin: number; price: number; takes: readonly Pattern[] } | undefined;
    for (const [bin, price] of prices.entries()) {
      if (price === undefined || !isAllowed(problem, bins, asked, new Map(counts).set(bin, spares))) continue;
      const takes = open.filter(({ items }) => fits(problem, items, bin));
      const more = takes.length - (best?.takes.length ?? 0);
      if (more > 0 || (more === 0 && best && price < best.price)) best = { bin, price, takes };
    }
    if (!best) break;
    counts.set(best.bin, spares);
    const { takes } = best;
    open = open.filter((pattern) => !takes.includes(pattern));
  }
  return { counts, missing: open };
}

/** Ways of filling that a reason names. */
const NAMED_MAX = 5;

export function missingReason(
  { bins, items }: Pick<Modelled, 'bins' | 'items'>,
  { missing }: Spares,
  spares: number,
): Reason {
  const words = missing.map(
    (pattern) => `${nameOf(bins[pattern.bin] as BinKind)} with ${podsWords(podsOf(pattern, { items }))}`,
  );
  return {
    reason: 'SparesMissing',
    message: `machines may not fail yet: stock, quota or a wish leaves no kind of machine of which ${spares} more could stand in for ${someOf(words, NAMED_MAX)}`,
  };
}

/** Spares count as machines do: in stock, in shares and in the number of classes. */
function isAllowed(
  { limits, shares }: Problem,
  kinds: readonly BinKind[],
  { there, typesMax }: SparesAsked,
  spares: ReadonlyMap<number, number>,
): boolean {
  return there.every((machines) => {
    const all = machines.map((count, bin) => count + (spares.get(bin) ?? 0));
    const of = (bins: readonly number[]) => bins.reduce((sum, bin) => sum + (all[bin] as number), 0);
    const total = all.reduce((sum, count) => sum + count, 0);
    const classes = new Set(all.flatMap((count, bin) => (count > 0 ? [kinds[bin]?.offer.name] : [])));
    return (
      limits.every(({ bins, max }) => of(bins) <= max) &&
      shares.every(({ bins, share }) => of(bins) <= share * total) &&
      (typesMax === undefined || classes.size <= typesMax)
    );
  });
}

function fits({ bins, items }: Problem, filling: Pattern['items'], at: number): boolean {
  const bin = bins[at];
  if (!bin) return false;
  const left = [...bin.room];
  return filling.every(([index, count]) => {
    const item = items[index];
    if (!item || mostIn(item, index, bin) < count) return false;
    item.need.forEach((need, resource) => {
      left[resource] = (left[resource] as number) - count * need;
    });
    return left.every((amount) => amount >= 0);
  });
}
