// Whether a holding keeps every promise. It shares no code with what makes one.

import { brokenPromises } from '../solve/check-packing.ts';
import type { Packing } from '../solve/problem.ts';
import type { Horizon } from './periods.ts';
import type { Holding, HoldProblem } from './problem.ts';

const BROKEN_MAX = 20;

/** What is broken, one sentence each; empty where nothing is. */
export function brokenHolding(
  problem: HoldProblem,
  periods: readonly Horizon[],
  shortest_ms: number,
  { holding, packings }: { holding: Holding; packings: readonly Packing[] },
): string[] {
  const { packing, counts, held, rentals } = problem;
  const { bins, limits } = packing;
  const broken: string[] = [];
  const [start, end] = [periods[0]?.from_ms ?? 0, periods.at(-1)?.to_ms ?? 0];
  if (packings.length !== periods.length || counts.length !== periods.length)
    broken.push(`${packings.length} of ${periods.length} periods are packed`);
  holding.held.forEach((count, bin) => {
    if (!isCount(count)) broken.push(`${count} of ${bins[bin]?.name} are held`);
    if (count > 0 && held[bin] === undefined) broken.push(`${bins[bin]?.name} is held, and can’t be`);
  });
  const rented = holding.rented.flatMap((count, at) => {
    const rental = rentals[at];
    if (!isCount(count) || (count > 0 && !rental)) broken.push(`${count} of rental ${at} are rented`);
    return rental && count > 0 ? [{ ...rental, count }] : [];
  });
  for (const { bin, from_ms, to_ms } of rented) {
    const name = bins[bin]?.name;
    if (to_ms - from_ms < shortest_ms) broken.push(`${name} is rented for less than the shortest rental`);
    if (from_ms < start || to_ms > end) broken.push(`${name} is rented outside the horizon`);
  }
  periods.forEach(({ from_ms, to_ms }, at) => {
    const available = bins.map((_, bin) =>
      rented.reduce(
        (sum, rental) =>
          rental.bin === bin && rental.from_ms <= from_ms && rental.to_ms >= to_ms ? sum + rental.count : sum,
        holding.held[bin] ?? 0,
      ),
    );
    const taken = bins.map((_, bin) =>
      rented.reduce(
        (sum, rental) =>
          rental.bin === bin && rental.from_ms < to_ms && rental.to_ms > from_ms ? sum + rental.count : sum,
        holding.held[bin] ?? 0,
      ),
    );
    for (const { name, bins: some, max } of limits) {
      const all = some.reduce((sum, bin) => sum + (taken[bin] as number), 0);
      if (all > max) broken.push(`period ${at}: ${all} of ${name}, ${max} at most are there`);
    }
    const items = packing.items.map((item, index) => ({ ...item, count: counts[at]?.[index] ?? 0 }));
    const there = available.map((max, bin) => ({
      name: `${bins[bin]?.name} that are there`,
      bins: [bin],
      max,
    }));
    const inPeriod = { ...packing, items, limits: [...limits, ...there] };
    for (const words of brokenPromises(inPeriod, packings[at] ?? [], []))
      broken.push(`period ${at}: ${words}`);
  });
  return broken.slice(0, BROKEN_MAX);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
