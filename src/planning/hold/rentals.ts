// What it costs to have a machine, for the whole time or for a part of it, and which parts are worth a thought.
import type { Quantity } from '../../platform/kube/quantity.ts';
import { hoursBetween, monthsBetween } from './calendar.ts';
import type { Horizon } from './periods.ts';

/** Prices of one tier of one class. */
export interface Rates {
  hour?: Quantity;
  month?: Quantity;
  /** Once, for as long as one likes. */
  oneOff?: Quantity;
}

/** The cheapest that the rates allow; undefined where there is none. */
export function costFor({ hour, month, oneOff }: Rates, { from_ms, to_ms }: Horizon): Quantity | undefined {
  const costs = [
    hour === undefined ? undefined : hour * BigInt(hoursBetween(from_ms, to_ms)),
    month === undefined ? undefined : month * BigInt(monthsBetween(from_ms, to_ms)),
    oneOff,
  ];
  return leastOf(costs);
}

/** undefined: there is none. */
export function leastOf(costs: readonly (Quantity | undefined)[]): Quantity | undefined {
  return costs.reduce(
    (least, cost) => (cost !== undefined && (least === undefined || cost < least) ? cost : least),
    undefined,
  );
}

/** A machine from when to when, and the periods that lie in it. */
export interface Rental extends Horizon {
  first: number;
  last: number;
  cost: Quantity;
}

export interface Useful {
  shortest_ms: number;
  /** There are only so many machines: what covers more may take one that is needed elsewhere. */
  isLimited: boolean;
  /** What holding one costs all the time. */
  held: Quantity | undefined;
}

/**
 * Rentals of one class that the best plan may need: the others cover no more than one of these that costs no more, or
 * than two of them together. A rental begins with a period, or ends with the horizon.
 */
export function usefulRentals(
  periods: readonly Horizon[],
  { month, hour }: Rates,
  { shortest_ms, isLimited, held }: Useful,
): Rental[] {
  const end = periods.at(-1)?.to_ms ?? 0;
  const rates: Rates = { ...(month !== undefined && { month }), ...(hour !== undefined && { hour }) };
  // By first period, then by last.
  const all = periods.map(({ from_ms }, first) =>
    periods.map(({ to_ms }, last): Rental | undefined => {
      if (last < first) return undefined;
      const span = spanOf(from_ms, to_ms, shortest_ms, end);
      const cost = costFor(rates, span);
      return cost === undefined ? undefined : { ...span, first, last, cost };
    }),
  );
  const isAsGood = (wider: Rental | undefined, rental: Rental) =>
    wider !== undefined &&
    wider.cost <= rental.cost &&
    (!isLimited || (wider.from_ms === rental.from_ms && wider.to_ms === rental.to_ms));
  const isNeedless = (rental: Rental): boolean => {
    const { first, last, cost } = rental;
    if (held !== undefined && !isLimited && held <= cost) return true;
    if (isAsGood(all[first]?.[last + 1], rental) || isAsGood(all[first - 1]?.[last], rental)) return true;
    for (let middle = first; middle < last; middle++) {
      const [one, other] = [all[first]?.[middle], all[middle + 1]?.[last]];
      if (!one || !other || one.to_ms > other.from_ms) continue;
      // Each cheaper than this one, so that nothing at no price is in the end left out for itself.
      if (one.cost < cost && other.cost < cost && one.cost + other.cost <= cost) return true;
    }
    return false;
  };
  return all.flatMap((row) =>
    row.filter((rental) => rental !== undefined).filter((each) => !isNeedless(each)),
  );
}

/** At least the shortest rental: longer at its end, or earlier where the horizon ends before. */
function spanOf(from_ms: number, to_ms: number, shortest_ms: number, end: number): Horizon {
  const to = Math.min(end, Math.max(to_ms, from_ms + shortest_ms));
  return { from_ms: Math.min(from_ms, to - shortest_ms), to_ms: to };
}
