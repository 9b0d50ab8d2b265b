// The last step for small problems: every pattern that a cheaper packing could use is listed, and an integer program
// chooses among them. A pattern whose reduced cost is over the gap is in no cheaper packing (Baldacci et al. 2008).
import type { Highs } from 'highs';
import type { Proof } from './bound.ts';
import { addRows, columnOf } from './master.ts';
import type { Pricer } from './pricing.ts';
import type { Packing, Pattern, Problem } from './problem.ts';

export interface Effort {
  patterns: number;
  /** Of the search that lists them. */
  listed: number;
  /** Of the integer program. */
  nodes: number;
}

/** Takes some hundredths of a second. */
export const QUICK: Effort = { patterns: 300, listed: 20_000, nodes: 50 };
/** Takes some seconds. */
export const THOROUGH: Effort = { patterns: 2_000, listed: 1_000_000, nodes: 200 };

export type Exact =
  /** There are too many patterns, or too many branches. `bound` may be better than it was. */
  | { is: 'Open'; bound: number }
  /** What we have is the cheapest. */
  | { is: 'Proven'; bound: number }
  /** This one is cheaper. It may hold more of an item than is asked for. */
  | { is: 'Cheaper'; packing: Packing; proven: boolean; bound: number };

export interface ExactOptions {
  solver: Highs;
  pricer: Pricer;
  proof: Proof;
  /** Of the packing that we have; infinite: we have none. */
  cost: number;
  /** Every price is a multiple of this. */
  step: number;
  effort: Effort;
}

export function lookForCheaper(problem: Problem, options: ExactOptions): Exact {
  const { solver, cost, step, proof, effort } = options;
  const patterns = possiblePatterns(problem, options);
  if (!patterns) return { is: 'Open', bound: proof.bound };
  if (patterns.length === 0) return { is: 'Proven', bound: cost };
  const found = cheapestOf(problem, patterns, { solver, cost, step, nodes: effort.nodes });
  const bound = Math.max(proof.bound, found.bound);
  if (found.packing) return { is: 'Cheaper', packing: found.packing, proven: found.isProven, bound };
  return found.isProven ? { is: 'Proven', bound: cost } : { is: 'Open', bound };
}

export interface Cheapest {
  /** It may hold more of an item than is asked for. */
  packing?: Packing;
  /** Of all packings of these patterns that cost less than was asked. */
  bound: number;
  /** Whether it is the cheapest of them or, where there is none, there is none. */
  isProven: boolean;
}

/** The cheapest packing of these patterns, by an integer program. Only what costs less, by a step or more, is looked for. */
export function cheapestOf(
  problem: Problem,
  patterns: readonly Pattern[],
  { solver, cost, step, nodes }: { solver: Highs; cost: number; step: number; nodes: number },
): Cheapest {
  using model = solver.createModel();
  const { infinity, constants } = solver;
  // Costs are multiples of a step: under one step there is nothing left to find.
  model.options.set({
    output_flag: false,
    mip_max_nodes: nodes,
    mip_rel_gap: 0,
    mip_abs_gap: 0.9 * step,
  });
  addRows(model, solver, problem);
  const budget = model.getDimensions().numRows;
  model.addRow(-infinity, Math.min(cost - step, infinity), { indices: [], values: [] });
  patterns.forEach((pattern, at) => {
    const price = problem.bins[pattern.bin]?.price ?? 0;
    const entries = [...columnOf(problem, pattern), [budget, price] as const];
    model.addCol(price, 0, infinity, {
      indices: entries.map(([row]) => row),
      values: entries.map(([, value]) => value),
    });
    model.changeColIntegrality(at, constants.variableType.integer);
  });
  model.run();
  const status = model.getModelStatus();
  if (status === constants.modelStatus.infeasible) return { bound: cost, isProven: true };
  const said = Number(model.info.get('mip_dual_bound'));
  const bound = Number.isFinite(said) ? Math.min(said, cost) - 1e-6 * step : 0;
  if (model.info.get('primal_solution_status') !== constants.solutionStatus.feasible)
    return { bound, isProven: false };
  const { colValue } = model.getSolution();
  const packing = patterns.flatMap((pattern, at) => {
    const count = Math.round(colValue[at] as number);
    return count > 0 ? [{ pattern, count }] : [];
  });
  return { packing, bound, isProven: status === constants.modelStatus.optimal };
}

function possiblePatterns(
  problem: Problem,
  { pricer, proof, cost, step, effort }: ExactOptions,
): Pattern[] | undefined {
  const slack = (cost - step - proof.bound) * proof.divisor * proof.duals.scale;
  if (slack < 0) return [];
  const patterns: Pattern[] = [];
  for (const group of pricer.groups) {
    const ceiling = Math.min(...group.bins.map((bin) => proof.ceilings[bin] as number));
    const least = Math.max(0, Math.floor((ceiling - slack) * (1 - 1e-9)) - problem.items.length);
    const found = pricer.all(group, proof.duals.items, least, {
      max: effort.patterns - patterns.length,
      nodes: effort.listed,
    });
    if (!found) return undefined;
    patterns.push(...found);
  }
  return patterns;
}
