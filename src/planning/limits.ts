// What a limit of a class is worth: how much cheaper the plan were with more of one resource on each machine. Estimated
// from the duals, and confirmed by solving again.
import { toNumber } from '../platform/kube/quantity.ts';
import type { Modelled } from './problem-of.ts';
import { relax } from './solve/knapsack-lp.ts';
import { mostIn, type Packing, type Problem } from './solve/problem.ts';
import type { Solution } from './solve/solve.ts';

export interface LimitWorth {
  class: string;
  resource: string;
  /** Of one machine. */
  has: number;
  /** What was tried instead. */
  tried: number;
  /** Of the whole plan for one unit more on each machine, by the duals. */
  perUnit: number;
  /** By solving again with `tried`; absent where that was not done. */
  cost?: number;
  /** Of the cost. */
  saving?: number;
  /** Machines, before and after. */
  machines?: { before: number; after: number };
}

export interface Candidate {
  class: string;
  /** Place in the problem's resources. */
  resource: number;
  /** A whole number of the problem. */
  has: number;
  /** Of the whole cost, in the problem's prices, for one more of the resource's steps. */
  perStep: number;
}

/** Limits that bind, the one worth most first. Tried is twice what there is. */
export function bindingLimits(modelled: Modelled, { packing, duals }: Solution): Candidate[] {
  const { problem, bins, resources } = modelled;
  const used = new Map<number, number>();
  for (const { pattern, count } of packing) used.set(pattern.bin, (used.get(pattern.bin) ?? 0) + count);
  const byKey = new Map<string, Candidate>();
  for (const [bin, count] of used) {
    const worth = worthIn(problem, duals.items, bin);
    resources.forEach((_, resource) => {
      const perStep = (worth[resource] as number) * count;
      if (perStep <= 0) return;
      const name = bins[bin]?.offer.name ?? '';
      const has = problem.bins[bin]?.room[resource] ?? 0;
      const known = byKey.get(`${name}/${resource}`);
      if (known) known.perStep += perStep;
      else byKey.set(`${name}/${resource}`, { class: name, resource, has, perStep });
    });
  }
  return [...byKey.values()].sort((a, b) => b.perStep * b.has - a.perStep * a.has);
}

/** By resource: what one more of it in a bin would take in, at what the items are worth. */
function worthIn({ items, bins }: Problem, values: Float64Array, at: number): Float64Array {
  const bin = bins[at];
  if (!bin) return new Float64Array();
  const fitting = items.flatMap((item, index) => {
    const value = values[index] as number;
    if (mostIn(item, index, bin) === 0 || value <= 0) return [];
    // Not how many fit: that would hide which resource keeps more of them out.
    return [{ item, value, most: Math.min(item.count, item.most ?? item.count) }];
  });
  return relax({
    values: Float64Array.from(fitting, ({ value }) => value),
    needs: Float64Array.from(fitting.flatMap(({ item }) => item.need)),
    most: Float64Array.from(fitting, ({ most }) => most),
    room: Float64Array.from(bin.room),
  }).worth;
}

/** The same problem, with twice as much of one resource on the machines of one class. */
export function withLimit(
  { problem, bins, rooms, steps }: Modelled,
  { class: name, resource }: Candidate,
): Problem {
  const tried = (bin: number) => Number((2n * (rooms[bin]?.[resource] ?? 0n)) / (steps[resource] as bigint));
  return {
    ...problem,
    bins: problem.bins.map((bin, at) =>
      bins[at]?.offer.name === name ? { ...bin, room: bin.room.with(resource, tried(at)) } : bin,
    ),
  };
}

export function limitWorth(
  modelled: Modelled,
  candidate: Candidate,
  before: { cost: number; packing: Packing },
  after?: { cost: number; packing: Packing },
): LimitWorth {
  const { resources, steps, priceStep, bins, rooms } = modelled;
  const bin = bins.findIndex(({ offer }) => offer.name === candidate.class);
  const has = toNumber(rooms[bin]?.[candidate.resource] ?? 0n);
  const step = toNumber(steps[candidate.resource] as bigint);
  const price = toNumber(priceStep);
  const machines = (packing: Packing) => packing.reduce((sum, { count }) => sum + count, 0);
  // What there is does with more of a resource too.
  const better = after && after.cost > before.cost ? before : after;
  return {
    class: candidate.class,
    resource: resources[candidate.resource] ?? '',
    has,
    tried: 2 * has,
    perUnit: (candidate.perStep / step) * price,
    ...(better && {
      cost: better.cost * price,
      saving: before.cost > 0 ? (before.cost - better.cost) / before.cost : 0,
      machines: { before: machines(before.packing), after: machines(better.packing) },
    }),
  };
}
