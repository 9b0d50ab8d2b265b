// Small problems as one integer program over patterns of all periods. Where every pattern that a cheaper plan could use is
// among them, it also proves that there is none.
import type { Highs } from 'highs';
import { Pricer } from '../solve/pricing.ts';
import { keyOf, type Packing, type Pattern, trimmed } from '../solve/problem.ts';

import type { HoldProof } from './bound.ts';
import { type Column, HoldModel } from './model.ts';
import { type HoldProblem, problemIn } from './problem.ts';
import type { WholeHolding } from './round.ts';

const PATTERNS_MAX = 2_000;
const COLUMNS_MAX = 2_500;
const LISTED_MAX = 200_000;
/** Branches, where it may prove something, and where it can only find something. */
const NODES = { all: 500, some: 50 };
/** Comparisons of patterns with one another. */
const COMPARED_MAX = 1_000;

/** Every column that can be in a plan cheaper than `cost`; undefined: there are too many. */
export function possibleColumns(problem: HoldProblem, proof: HoldProof, cost: number): Column[] | undefined {
  const pricer = new Pricer(problem.packing);
  const nothing = new Float64Array(problem.packing.items.length);
  const patterns: Pattern[] = [];
  for (const group of pricer.groups) {
    const found = pricer.all(group, nothing, 0, { max: PATTERNS_MAX - patterns.length, nodes: LISTED_MAX });
    if (!found) return undefined;
    patterns.push(...found);
  }
  const slack = (cost - 1 - proof.bound) * proof.divisor * proof.duals.scale * (1 + 1e-9) + 1;
  const columns: Column[] = [];
  for (const [period, counts] of problem.counts.entries()) {
    const values = proof.duals.items[period];
    const worth = proof.worth[period];
    const own = new Map<string, Pattern>();
    for (const { bin, items } of patterns) {
      const kept = items
        .map(([item, count]): [number, number] => [item, Math.min(count, counts[item] as number)])
        .filter(([, count]) => count > 0);
      const value = kept.reduce((sum, [item, count]) => sum + count * (values?.[item] ?? 0), 0);
      if (kept.length === 0 || (worth && (worth[bin] as number) - value > slack)) continue;
      const pattern = { bin, items: kept };
      own.set(keyOf(pattern), pattern);
    }
    columns.push(...largest([...own.values()]).map((pattern) => ({ period, pattern })));
    if (columns.length > COLUMNS_MAX) return undefined;
  }
  return columns;
}

/** Without those that hold no more of anything than another of the same bin. */
function largest(patterns: readonly Pattern[]): readonly Pattern[] {
  if (patterns.length > COMPARED_MAX) return patterns;
  const holds = patterns.map(({ items }) => new Map(items));
  return patterns.filter(
    ({ bin, items }, at) =>
      !patterns.some(
        (other, place) =>
          place !== at &&
          other.bin === bin &&
          items.every(([item, count]) => (holds[place]?.get(item) ?? 0) >= count),
      ),
  );
}

export type Cheaper =
  /** `bound`: no plan of these columns costs less. */
  { is: 'Found'; whole: WholeHolding; bound: number } | { is: 'None'; bound: number };

/** A plan of these columns that costs less than `cost`. The bound is HiGHS', in floating point. */
export function cheaperOf(
  solver: Highs,
  problem: HoldProblem,
  { columns, are }: { columns: readonly Column[]; are: keyof typeof NODES },
  cost: number,
): Cheaper {
  if (columns.length > COLUMNS_MAX) return { is: 'None', bound: 0 };
  using whole = new HoldModel(solver, problem);
  for (const column of columns) whole.add(column);
  whole.makeWhole(cost - 1);
  const { model } = whole;
  // Costs are whole: under 1 there is nothing left to find.
  model.options.set({ mip_rel_gap: 0, mip_abs_gap: 0.9, mip_max_nodes: NODES[are] });
  model.run();
  const { modelStatus, solutionStatus } = solver.constants;
  if (model.getModelStatus() === modelStatus.infeasible) return { is: 'None', bound: cost };
  const said = Number(model.info.get('mip_dual_bound'));
  const bound = Number.isFinite(said) ? Math.ceil(Math.min(said, cost) - 1e-3) : 0;
  if (model.info.get('primal_solution_status') !== solutionStatus.feasible) return { is: 'None', bound };
  const { holding, amounts } = whole.read();
  const packings = problem.counts.map((_, period): Packing => {
    const filled = columns.flatMap(({ period: its, pattern }, at) => {
      const count = Math.round(amounts[at] as number);
      return its === period && count > 0 ? [{ pattern, count }] : [];
    });
    return trimmed(problemIn(problem, period), filled);
  });
  const round = (values: readonly number[]) => values.map((value) => Math.round(value));
  return {
    is: 'Found',
    whole: { holding: { held: round(holding.held), rented: round(holding.rented) }, packings },
    bound,
  };
}
