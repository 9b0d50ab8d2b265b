// Small holdings from a seed, and the best of each by trying everything.
import { seededRandom } from '../../platform/clock/random.ts';
import { allPatterns } from '../solve/test-problems.ts';
import type { HoldProblem, RentalOf } from './problem.ts';
import { problemIn } from './problem.ts';

/** One or two kinds of machines, up to three periods, a few Pods. */
export function smallHolding(seed: number): HoldProblem {
  const random = seededRandom(seed);
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const periods = between(1, 3);
  const resources = between(1, 2);
  const bins = Array.from({ length: between(1, 2) }, (_, at) => ({
    name: `type-${at}`,
    room: Array.from({ length: resources }, () => between(4, 10)),
    price: 0,
  }));
  const items = Array.from({ length: between(1, 2) }, (_, at) => ({
    name: `pod-${at}`,
    count: 0,
    need: Array.from({ length: resources }, () => between(1, 4)),
  }));
  const counts = Array.from({ length: periods }, () => items.map(() => between(0, 4)));
  const hours = Array.from({ length: periods }, () => between(1, 5));
  const all = hours.reduce((sum, each) => sum + each, 0);
  const daily = bins.map(() => between(1, 4));
  const dearer = between(1, 3);
  const shortest = between(1, 4);
  const rentals = bins.flatMap((_, bin) =>
    hours.flatMap((_, first) =>
      hours.slice(first).map((_, more): RentalOf => {
        const last = first + more;
        const length = hours.slice(first, last + 1).reduce((sum, each) => sum + each, 0);
        const cost = (daily[bin] as number) * dearer * Math.max(length, shortest);
        return { bin, first, last, touches: [first, last], from_ms: 0, to_ms: 0, cost };
      }),
    ),
  );
  return {
    packing: {
      items: items.map((item, at) => ({ ...item, count: Math.max(1, ...counts.map((own) => own[at] ?? 0)) })),
      bins,
      limits: random() < 0.3 ? [{ name: 'stock', bins: [0], max: between(1, 3) }] : [],
      shares: [],
      apart: [],
    },
    counts,
    hours,
    held: daily.map((price) => (random() < 0.1 ? undefined : price * all)),
    rentals,
  };
}

const MACHINES_MAX = 8;

/**
 * The least cost: every number of held machines is tried, with every number of machines there in each period that does
 * for its Pods; rentals are found by trying, too.
 */
export function bestByTrying(problem: HoldProblem): number | undefined {
  const { packing, counts, held } = problem;
  const enough = counts.map((_, period) => enoughIn(problem, period));
  const cap = (bin: number) =>
    Math.min(MACHINES_MAX, ...packing.limits.filter(({ bins }) => bins.includes(bin)).map(({ max }) => max));
  let best: number | undefined;
  const visit = (bin: number, own: number[]): void => {
    if (bin < packing.bins.length) {
      const most = held[bin] === undefined ? 0 : cap(bin);
      for (let count = 0; count <= most; count++) visit(bin + 1, [...own, count]);
      return;
    }
    const ofHeld = own.reduce((sum, count, at) => sum + count * (held[at] ?? 0), 0);
    const rented = leastRent(problem, own, enough, cap);
    if (rented !== undefined && (best === undefined || ofHeld + rented < best)) best = ofHeld + rented;
  };
  visit(0, []);
  return best;
}

/** By every choice of machines in each period; rentals cover what is not held. */
function leastRent(
  problem: HoldProblem,
  own: readonly number[],
  enough: readonly (readonly number[])[][],
  cap: (bin: number) => number,
): number | undefined {
  let best: number | undefined;
  const visit = (period: number, extra: number[][]): void => {
    if (period === enough.length) {
      const costs = own.map((held, bin) =>
        rentFor(
          problem,
          bin,
          extra.map((each) => each[bin] as number),
          cap(bin) - held,
        ),
      );
      if (costs.some((cost) => cost === undefined)) return;
      const cost = costs.reduce<number>((sum, each) => sum + (each ?? 0), 0);
      if (best === undefined || cost < best) best = cost;
      return;
    }
    for (const needs of enough[period] ?? [])
      visit(period + 1, [...extra, needs.map((need, bin) => Math.max(0, need - (own[bin] as number)))]);
  };
  visit(0, []);
  return best;
}

/** The least that rentals of one bin cost which cover these in each period, no more than `most` at once. */
function rentFor(
  { rentals }: HoldProblem,
  bin: number,
  wanted: readonly number[],
  most: number,
): number | undefined {
  const own = rentals.filter((rental) => rental.bin === bin);
  const known = new Map<string, number | undefined>();
  const visit = (open: readonly number[], there: readonly number[]): number | undefined => {
    const first = open.findIndex((count) => count > 0);
    if (first < 0) return 0;
    const key = JSON.stringify([open, there]);
    if (known.has(key)) return known.get(key);
    let best: number | undefined;
    for (const rental of own) {
      if (rental.first > first || rental.last < first) continue;
      const covers = (at: number) => at >= rental.first && at <= rental.last;
      const now = there.map((count, at) => count + (covers(at) ? 1 : 0));
      if (now.some((count) => count > most)) continue;
      const rest = visit(
        open.map((count, at) => count - (covers(at) && count > 0 ? 1 : 0)),
        now,
      );
      if (rest !== undefined && (best === undefined || rest + rental.cost < best)) best = rest + rental.cost;
    }
    known.set(key, best);
    return best;
  };
  return visit(
    wanted,
    wanted.map(() => 0),
  );
}

/** Numbers of machines, by bin, that do for the period's Pods; none of them more than needed. */
function enoughIn(problem: HoldProblem, period: number): number[][] {
  const own = problemIn(problem, period);
  const patterns = allPatterns(own);
  const found: number[][] = [];
  const seen = new Set<string>();
  const visit = (rest: readonly number[], machines: readonly number[]): void => {
    const key = JSON.stringify([rest, machines]);
    if (seen.has(key)) return;
    seen.add(key);
    if (found.some((known) => known.every((count, bin) => count <= (machines[bin] as number)))) return;
    const first = rest.findIndex((count) => count > 0);
    if (first < 0) {
      found.push([...machines]);
      return;
    }
    for (const { bin, items } of patterns) {
      const [takes] = [new Map(items)];
      if (!takes.has(first) || (machines[bin] as number) >= MACHINES_MAX) continue;
      visit(
        rest.map((count, item) => Math.max(0, count - (takes.get(item) ?? 0))),
        machines.map((count, at) => (at === bin ? count + 1 : count)),
      );
    }
  };
  visit(
    own.items.map(({ count }) => count),
    own.bins.map(() => 0),
  );
  return found.filter(
    (one, at) =>
      !found.some(
        (other, place) =>
          place !== at &&
          other.every((count, bin) => count <= (one[bin] as number)) &&
          (other.some((count, bin) => count < (one[bin] as number)) || place < at),
      ),
  );
}
