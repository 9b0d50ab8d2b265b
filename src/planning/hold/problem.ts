// Which machines to hold and which to rent, in whole numbers: all that the solver knows.
import type { Problem } from '../solve/problem.ts';

/** A machine of one bin, from when to when. It takes stock in every period that it touches. */
export interface RentalOf {
  bin: number;
  from_ms: number;
  to_ms: number;
  /** Periods that lie in it, from the first to the last. */
  first: number;
  last: number;
  /** Periods that it touches. */
  touches: readonly [first: number, last: number];
  cost: number;
}

export interface HoldProblem {
  /** Items with the most that there ever are of each; prices are not looked at; no shares. */
  packing: Problem;
  /** By period and item: how many. */
  counts: readonly (readonly number[])[];
  /** By period. */
  hours: readonly number[];
  /** By bin: what one costs all the time; undefined: it can't be held. */
  held: readonly (number | undefined)[];
  rentals: readonly RentalOf[];
}

/** Held machines by bin, and rentals by their place in the problem. */
export interface Holding {
  held: readonly number[];
  rented: readonly number[];
}

export function costOf({ held, rentals }: HoldProblem, holding: Holding): number {
  const ofHeld = holding.held.reduce((sum, count, bin) => sum + count * (held[bin] ?? 0), 0);
  return holding.rented.reduce((sum, count, at) => sum + count * (rentals[at]?.cost ?? 0), ofHeld);
}

/** By period and bin: machines that are there all the time. */
export function thereIn(problem: HoldProblem, holding: Holding): number[][] {
  return machinesIn(problem, holding, ({ first, last }) => [first, last]);
}

/** By period and bin: machines that take stock. */
export function takenIn(problem: HoldProblem, holding: Holding): number[][] {
  return machinesIn(problem, holding, ({ touches }) => touches);
}

function machinesIn(
  { counts, rentals }: HoldProblem,
  { held, rented }: Holding,
  periodsOf: (rental: RentalOf) => readonly [first: number, last: number],
): number[][] {
  const there = counts.map(() => [...held]);
  rented.forEach((count, at) => {
    const rental = rentals[at] as RentalOf;
    const { bin } = rental;
    const [first, last] = periodsOf(rental);
    for (let period = first; period <= last; period++) {
      const row = there[period] as number[];
      row[bin] = (row[bin] as number) + count;
    }
  });
  return there;
}

/** What one period asks for. */
export function problemIn({ packing, counts }: HoldProblem, period: number): Problem {
  const own = counts[period] ?? [];
  return { ...packing, items: packing.items.map((item, at) => ({ ...item, count: own[at] ?? 0 })) };
}
