// The answer, as it is printed and as `-o json` writes it. docs/planning.md says what each field means.
import type { Reason } from '../api/fields.ts';
import { toNumber } from '../platform/kube/quantity.ts';
import type { LimitWorth } from './limits.ts';
import type { Amounts } from './model.ts';
import type { Modelled } from './problem-of.ts';
import { type Pattern, sum } from './solve/problem.ts';
import type { Solution } from './solve/solve.ts';
import { type Waste, wasteOf } from './waste.ts';

/** Machines of one kind. */
export interface PlannedMachines {
  class: string;
  zone?: string;
  /** Of the offload card. */
  profile?: string;
  /** Ours already, at no price. */
  owned?: true;
  count: number;
  /** Of these, held empty in case that others fail. */
  spare?: number;
  /** Of one. */
  price: number;
  cost: number;
  /** The ways in which they are filled. */
  patterns: { count: number; pods: Record<string, number> }[];
}

/** One shape of Pods. */
export interface PlannedPods {
  name: string;
  replicas: number;
  /** What one needs in all, by resource. */
  size: Record<string, number>;
  /** Of that, by role of the containers; absent where only the whole is said. */
  containers?: Record<string, Record<string, number>>;
  /** Of each of its cloud disks, in bytes. */
  cloudDiskSize?: number;
}

export interface Plan {
  machines: PlannedMachines[];
  cost: number;
  /** No plan costs less. */
  bound: number;
  /** (cost - bound) / cost. */
  gap: number;
  /** Pods without a place, by workload. */
  unplaced: Record<string, number>;
  waste: Waste[];
  limits: LimitWorth[];
  /** What would be if something were otherwise, as was asked. */
  changes: ChangeWorth[];
  /** Why Pods have no place, which stock binds, what was broken off. */
  reasons: Reason[];
  pods: PlannedPods[];
}

export interface ChangeWorth {
  what: string;
  cost: number;
  bound: number;
  /** Of the cost of the plan; negative where the change makes it dearer. */
  saving: number;
  machines: { before: number; after: number };
  unplaced: Record<string, number>;
}

export function machinesOf({ machines }: Plan, name?: string): number {
  return machines.reduce(
    (sum, each) => (name === undefined || each.class === name ? sum + each.count : sum),
    0,
  );
}

export function planOf(modelled: Modelled, solution: Solution, spares: ReadonlyMap<number, number>): Plan {
  const { bins, priceStep } = modelled;
  const price = (whole: number) => toNumber(BigInt(Math.round(whole)) * priceStep);
  const kinds = new Map<number, PlannedMachines>();
  const kindOf = (bin: number): PlannedMachines => {
    const known = kinds.get(bin);
    if (known) return known;
    const { offer, zone, profile } = bins[bin] as Modelled['bins'][number];
    const made: PlannedMachines = {
      class: offer.name,
      ...(zone && { zone }),
      ...(profile && { profile }),
      ...(offer.owned && { owned: true as const }),
      count: 0,
      price: toNumber(offer.price),
      cost: 0,
      patterns: [],
    };
    kinds.set(bin, made);
    return made;
  };
  for (const { pattern, count } of solution.packing) {
    const kind = kindOf(pattern.bin);
    kind.count += count;
    kind.patterns.push({ count, pods: podsOf(pattern, modelled) });
  }
  for (const [bin, count] of spares) {
    const kind = kindOf(bin);
    kind.count += count;
    kind.spare = count;
  }
  let extra = 0;
  for (const [bin, count] of spares) extra += count * (modelled.problem.bins[bin]?.price ?? 0);
  for (const [bin, kind] of kinds) {
    kind.cost = price(kind.count * (modelled.problem.bins[bin]?.price ?? 0));
    kind.patterns.sort((a, b) => b.count - a.count);
  }
  const cost = price(solution.cost + extra);
  const bound = Math.min(cost, boundOf(modelled, solution, spares));
  return {
    machines: [...kinds].sort(([a], [b]) => a - b).map(([, kind]) => kind),
    cost,
    bound,
    gap: cost > 0 ? (cost - bound) / cost : 0,
    unplaced: unplacedOf(modelled, solution.unplaced),
    waste: wasteOf(modelled, solution.packing, solution.duals.items),
    limits: [],
    changes: [],
    reasons: [],
    pods: plannedPods(modelled),
  };
}

function plannedPods({ items }: Modelled): PlannedPods[] {
  const size = (amounts: Amounts) =>
    Object.fromEntries([...amounts].map(([name, amount]) => [name, toNumber(amount)]));
  return [...new Set(items.map(({ workload }) => workload))].map(
    ({ name, replicas, need, containers, cloudDiskSize }) => ({
      name,
      replicas,
      size: size(need),
      ...(containers && {
        containers: Object.fromEntries([...containers].map(([role, its]) => [role, size(its)])),
      }),
      ...(cloudDiskSize !== undefined && { cloudDiskSize: toNumber(cloudDiskSize) }),
    }),
  );
}

/**
 * Whoever can lose any k machines can lose the k dearest, and the rest is a plan too: so such a plan costs at least the
 * bound and k of the cheapest machines.
 */
function boundOf(
  { problem, priceStep }: Modelled,
  { bound }: Solution,
  spares: ReadonlyMap<number, number>,
): number {
  const least = Math.min(...problem.bins.map(({ price }) => price));
  const held = Math.max(0, ...spares.values());
  return (bound + held * least) * toNumber(priceStep);
}

export function podsOf({ items }: Pattern, modelled: Pick<Modelled, 'items'>): Record<string, number> {
  const pods: Record<string, number> = {};
  for (const [item, count] of items) {
    const name = modelled.items[item]?.workload.name ?? '';
    pods[name] = (pods[name] ?? 0) + count;
  }
  return pods;
}

/** `6 trade, 5 search`. */
export function podsWords(pods: Readonly<Record<string, number>>): string {
  return Object.entries(pods)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

/** By workload. Where a zone may be lost, the Pods that would have no place then. */
export function unplacedOf(
  { problem, items }: Modelled,
  unplaced: readonly number[],
): Record<string, number> {
  const left: Record<string, number> = {};
  for (const workload of new Set(items.map((item) => item.workload))) {
    const own = [...items.keys()].filter((item) => items[item]?.workload === workload);
    const counts = own.map((item) => problem.items[item]?.count ?? 0);
    const without = own.map((item) => unplaced[item] ?? 0);
    const placed = counts.map((count, at) => count - (without[at] as number));
    const hasMore = sum(counts) > workload.replicas;
    const missing = hasMore ? workload.replicas - sum(placed) + Math.max(...placed) : sum(without);
    if (missing > 0) left[workload.name] = missing;
  }
  return left;
}
