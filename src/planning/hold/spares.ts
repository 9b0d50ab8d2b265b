// Machines that are there empty all the time, so that any k may fail together on any date.
import { brokenSpares } from '../solve/check-packing.ts';
import { together } from '../solve/problem.ts';
import { NO_SPARES, type Spares, sparesFor } from '../spares.ts';
import { type HoldProblem, takenIn } from './problem.ts';
import type { HoldModelled } from './problem-of.ts';
import type { HoldSolution } from './solve.ts';

/** What a solution's spares are, what it costs with them, and the bound with them. */
export interface WithSpares {
  spares: Spares;
  cost: number;
  bound: number;
}

/** Throws where the verifier finds them wrong. */
export function withSpares(modelled: HoldModelled, solution: HoldSolution, k: number): WithSpares {
  const { problem, bins, always } = modelled;
  const { holding, packings, cost, bound } = solution;
  if (k === 0) return { spares: NO_SPARES, cost, bound };
  const packing = together(packings.flat().filter(({ pattern }) => pattern.items.length > 0));
  const spares = sparesFor(
    { problem: problem.packing, bins },
    {
      spares: k,
      patterns: packing.map(({ pattern }) => pattern),
      there: takenIn(problem, holding),
      prices: always,
    },
  );
  // Stock is looked at with all machines, period by period.
  const broken = brokenSpares({ ...problem.packing, limits: [] }, packing, { ...spares, k });
  if (broken.length > 0) throw new Error(`the spares are wrong: ${broken.join('; ')}`);
  const extra = [...spares.counts].reduce((sum, [bin, count]) => sum + count * (always[bin] ?? 0), 0);
  const isFull = spares.missing.length === 0;
  return {
    spares,
    cost: cost + extra,
    bound: isFull ? Math.min(cost + extra, boundWith(problem, solution, k)) : bound,
  };
}

/**
 * In a plan of which any k machines may fail, k may in every period be taken by things that fill a whole machine. Such a
 * thing may be priced at what no machine's filling is worth more than: the proof holds with it as it did without.
 * Also, such a plan without k of its machines is a plan.
 */
function boundWith({ held, rentals }: HoldProblem, { bound, proof }: HoldSolution, k: number): number {
  const { duals, worth, divisor } = proof;
  const least = worth.reduce((sum, values) => sum + Math.min(...values), 0);
  const cheapest = Math.min(...held.filter((cost) => cost !== undefined), ...rentals.map(({ cost }) => cost));
  const priced = proof.bound + ((k * least) / (divisor * duals.scale)) * (1 - 1e-9);
  return Math.max(bound + k * cheapest, Math.ceil(priced - 1e-6));
}
