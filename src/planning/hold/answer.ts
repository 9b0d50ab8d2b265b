// The answer, as it is printed and as `-o json` writes it. docs/planning-hold.md says what each field means.
import type { Reason } from '../../api/fields.ts';
import { toNumber } from '../../platform/kube/quantity.ts';
import { podsOf } from '../plan.ts';
import { sum, together } from '../solve/problem.ts';
import { missingReason } from '../spares.ts';
import { dateWords } from './calendar.ts';
import type { Solved } from './make-hold-plan.ts';
import type { Horizon, Period, Replicas } from './periods.ts';
import type { HoldFleet } from './problem-of.ts';
import { type HoldModelled, mostOf } from './problem-of.ts';

export interface MachineKind {
  class: string;
  zone?: string;
  /** Of the offload card. */
  profile?: string;
  /** Ours already, at no price. */
  owned?: true;
}

/** Times are dates where they are midnight UTC, else as `2026-11-10T23:00Z`. */
export interface HeldMachines extends MachineKind {
  count: number;
  /** Of these, held empty in case that others fail. */
  spare?: number;
  /** Of all of them, all the time. */
  cost: number;
}

export interface RentedMachines extends MachineKind {
  count: number;
  /** Of these, rented empty in case that others fail: all or none. */
  spare?: number;
  /** Delivered, and paid from here. */
  from: string;
  to: string;
  /** The lead time before. */
  orderBy: string;
  cost: number;
}

export interface HoldPeriod {
  from: string;
  to: string;
  /** By workload. */
  pods: Record<string, number>;
  /** Machines that are there all the time; `used` hold Pods. */
  held: number;
  rented: number;
  used: number;
  machines: (MachineKind & { count: number; patterns: { count: number; pods: Record<string, number> }[] })[];
}

export interface CostAndBound {
  cost: number;
  /** No such plan costs less. */
  bound: number;
}

export interface HoldPlan {
  horizon: { from: string; to: string };
  held: HeldMachines[];
  rented: RentedMachines[];
  cost: number;
  /** No plan costs less. */
  bound: number;
  /** (cost - bound) / cost. */
  gap: number;
  event: {
    /** What is over the usual costs: the whole less the best plan without it. */
    cost: number;
    /** By the bounds of both it is between these. */
    least: number;
    most: number;
    /** By workload that has an event: what there is for half the time, and the most. */
    usual: Record<string, number>;
    peak: Record<string, number>;
  };
  /** The others are absent where no such plan is possible. */
  comparison: { withoutEvent: CostAndBound; allHeld?: CostAndBound; allRented?: CostAndBound };
  periods: HoldPeriod[];
  reasons: Reason[];
}

export interface Parts {
  request: HoldFleet & { leadTime_ms: number };
  periods: readonly Period[];
  usual: Replicas;
  whole: Solved;
  base: Solved | undefined;
  held: Solved | undefined;
  rented: Solved | undefined;
}

export function holdPlanOf(parts: Parts): HoldPlan {
  const { request, periods, usual, whole, base, held, rented } = parts;
  const { cost, bound } = whole;
  const peak = mostOf(periods);
  const names = [...peak].flatMap(([name, most]) => (most > (usual.get(name) ?? 0) ? [name] : []));
  const only = (replicas: Replicas) =>
    Object.fromEntries(names.map((name) => [name, replicas.get(name) ?? 0]));
  const horizon = { from_ms: periods[0]?.from_ms ?? 0, to_ms: periods.at(-1)?.to_ms ?? 0 };
  // What does for the event does without it, too.
  const without = { cost: Math.min(base?.cost ?? cost, cost), bound: Math.min(base?.bound ?? 0, cost) };
  return {
    horizon: { from: dateWords(horizon.from_ms), to: dateWords(horizon.to_ms) },
    held: heldOf(whole),
    rented: rentedOf(whole, horizon, request.leadTime_ms),
    cost,
    bound,
    gap: cost > 0 ? (cost - bound) / cost : 0,
    event: {
      cost: rounded(cost - without.cost),
      least: rounded(Math.max(0, bound - without.cost)),
      most: rounded(cost - without.bound),
      usual: only(usual),
      peak: only(peak),
    },
    comparison: {
      withoutEvent: without,
      ...(held && { allHeld: costAndBound(held) }),
      ...(rented && { allRented: costAndBound(rented) }),
    },
    periods: periods.map((period, at) => periodOf(whole, period, at)),
    reasons: reasonsOf(parts),
  };
}

/** The class, zone and offload profile of a bin. */
function kindOf({ bins }: HoldModelled, bin: number): MachineKind {
  const { offer, zone, profile } = bins[bin] as HoldModelled['bins'][number];
  return {
    class: offer.name,
    ...(zone && { zone }),
    ...(profile && { profile }),
    ...(offer.owned && { owned: true as const }),
  };
}

function heldOf({ modelled, solution, spares }: Solved): HeldMachines[] {
  return solution.holding.held.flatMap((needed, bin): HeldMachines[] => {
    const spare = isHeld(modelled, bin) ? (spares.counts.get(bin) ?? 0) : 0;
    const count = needed + spare;
    if (count === 0) return [];
    const cost = priced(modelled, count * (modelled.problem.held[bin] ?? 0));
    return [{ ...kindOf(modelled, bin), count, ...(spare > 0 && { spare }), cost }];
  });
}

/** Spares are held or, where that is less, rented from the first day to the last. */
function isHeld({ problem, always }: HoldModelled, bin: number): boolean {
  return problem.held[bin] !== undefined && problem.held[bin] === always[bin];
}

function rentedOf(
  { modelled, solution, spares }: Solved,
  horizon: Horizon,
  leadTime_ms: number,
): RentedMachines[] {
  const needed = solution.holding.rented.flatMap((count, at) => {
    const rental = modelled.problem.rentals[at];
    return rental && count > 0 ? [{ ...rental, count, spare: false }] : [];
  });
  const empty = [...spares.counts].flatMap(([bin, count]) =>
    isHeld(modelled, bin) ? [] : [{ ...horizon, bin, count, spare: true, cost: modelled.always[bin] ?? 0 }],
  );
  return [...needed, ...empty]
    .sort((a, b) => a.from_ms - b.from_ms || a.to_ms - b.to_ms)
    .map(({ bin, from_ms, to_ms, cost, count, spare }) => ({
      ...kindOf(modelled, bin),
      count,
      ...(spare && { spare: count }),
      from: dateWords(from_ms),
      to: dateWords(to_ms),
      orderBy: dateWords(from_ms - leadTime_ms),
      cost: priced(modelled, count * cost),
    }));
}

function periodOf(
  { modelled, solution, spares }: Solved,
  { from_ms, to_ms, replicas }: Period,
  at: number,
): HoldPeriod {
  const { held, rented } = solution.holding;
  const machines = new Map<number, HoldPeriod['machines'][number]>();
  let used = 0;
  for (const { pattern, count } of together(solution.packings[at] ?? [])) {
    if (pattern.items.length === 0) continue;
    const kind = machines.get(pattern.bin) ?? { ...kindOf(modelled, pattern.bin), count: 0, patterns: [] };
    machines.set(pattern.bin, kind);
    kind.count += count;
    kind.patterns.push({ count, pods: podsOf(pattern, modelled) });
    used += count;
  }
  const sparesIn = (areHeld: boolean) =>
    sum([...spares.counts].map(([bin, count]) => (isHeld(modelled, bin) === areHeld ? count : 0)));
  return {
    from: dateWords(from_ms),
    to: dateWords(to_ms),
    pods: Object.fromEntries(replicas),
    held: sum(held) + sparesIn(true),
    rented: rented.reduce((all, count, rental) => {
      const its = modelled.problem.rentals[rental] as Horizon;
      return its.from_ms <= from_ms && its.to_ms >= to_ms ? all + count : all;
    }, sparesIn(false)),
    used,
    machines: [...machines].sort(([a], [b]) => a - b).map(([, kind]) => kind),
  };
}

function reasonsOf({ request: { offers, rates, wishes }, whole, base, held, rented }: Parts): Reason[] {
  const without = (key: 'daily' | 'promotion') =>
    [...new Set(offers.filter(({ owned }) => !owned).map(({ name }) => name))].filter(
      (name) => !rates.get(name)?.[key],
    );
  const reasons: Reason[] = [];
  const tell = (reason: string, message: string) => reasons.push({ reason, message: message.slice(0, 1024) });
  const [onlyRented, onlyHeld] = [without('daily'), without('promotion')];
  if (onlyHeld.length > 0)
    tell('OnlyHeld', `${onlyHeld.join(', ')}: only held, for there is no price of the tier Promotion`);
  if (onlyRented.length > 0)
    tell('OnlyRented', `${onlyRented.join(', ')}: only rented, for there is no price of the tier Daily`);
  if (whole.spares.missing.length > 0)
    reasons.push(missingReason(whole.modelled, whole.spares, wishes.spares));
  if (!base || [whole, base, held, rented].some((each) => each?.solution.stopped))
    tell('Stopped', 'it was broken off: the best plans so far');
  return reasons;
}

function costAndBound({ cost, bound }: Solved): CostAndBound {
  return { cost, bound };
}

function priced({ costStep }: HoldModelled, whole: number): number {
  return toNumber(BigInt(whole) * costStep);
}

/** A difference of numbers that are exact to 15 digits. */
function rounded(value: number): number {
  return Number(value.toFixed(6));
}
