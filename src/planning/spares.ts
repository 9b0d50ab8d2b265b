// Machines held empty, so that any k machines may fail together and their Pods have a place.
import type { Modelled } from './problem-of.ts';
import { mostIn, type Packing, type Pattern } from './solve/problem.ts';

/**
 * By bin, how many. Every machine of the plan can be replaced by one of k spares: the cheapest kind that takes the
 * most ways of filling comes first, until each has one.
 */
export function sparesFor({ problem }: Modelled, packing: Packing, k: number): Map<number, number> {
  const spares = new Map<number, number>();
  if (k === 0) return spares;
  let open = packing.map(({ pattern }) => pattern);
  while (open.length > 0) {
    let best: { bin: number; takes: Pattern[] } | undefined;
    problem.bins.forEach((bin, at) => {
      if (limitLeft(at) < k) return;
      const takes = open.filter((pattern) => fits(pattern, at));
      if (takes.length === 0) return;
      const isBetter =
        !best ||
        takes.length > best.takes.length ||
        (takes.length === best.takes.length && bin.price < (problem.bins[best.bin]?.price ?? 0));
      if (isBetter) best = { bin: at, takes };
    });
    if (!best) break;
    spares.set(best.bin, k);
    const { takes } = best;
    open = open.filter((pattern) => !takes.includes(pattern));
  }
  return spares;

  function fits({ items }: Pattern, at: number): boolean {
    const bin = problem.bins[at];
    if (!bin) return false;
    const left = [...bin.room];
    return items.every(([index, count]) => {
      const item = problem.items[index];
      if (!item || mostIn(item, index, bin) < count) return false;
      item.need.forEach((need, resource) => {
        left[resource] = (left[resource] as number) - count * need;
      });
      return left.every((amount) => amount >= 0);
    });
  }

  function limitLeft(at: number): number {
    const used = (bins: readonly number[]) =>
      packing.reduce((sum, { pattern, count }) => (bins.includes(pattern.bin) ? sum + count : sum), 0);
    const lefts = problem.limits
      .filter(({ bins }) => bins.includes(at))
      .map(({ bins, max }) => max - used(bins));
    return Math.min(Number.POSITIVE_INFINITY, ...lefts);
  }
}
