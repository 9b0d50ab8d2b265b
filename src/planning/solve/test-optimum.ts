import type { Highs } from 'highs';
import { columnOf } from './master.ts';
import type { Packing, Problem } from './problem.ts';
import { allPatterns } from './test-problems.ts';

/** With more patterns than this the integer program takes minutes. */
const PATTERNS_MAX = 2_000;
const TIME_MAX_S = 20;

/** By an integer program over every pattern, which shares no code with the solver. */
export function optimumOf(
  problem: Problem,
  solver: Highs,
): { cost: number; packing: Packing } | 'Impossible' | 'TooLarge' {
  const patterns = allPatterns(problem);
  if (patterns.length > PATTERNS_MAX) return 'TooLarge';
  using model = solver.createModel();
  model.options.set({ output_flag: false, mip_rel_gap: 0, mip_abs_gap: 0.5, time_limit: TIME_MAX_S });
  const none = { indices: [], values: [] };
  for (const { count } of problem.items) model.addRow(count, count, none);
  for (const { max } of problem.limits) model.addRow(-solver.infinity, max, none);
  for (const _ of problem.shares) model.addRow(-solver.infinity, 0, none);
  patterns.forEach((pattern, at) => {
    const entries = columnOf(problem, pattern);
    model.addCol(problem.bins[pattern.bin]?.price ?? 0, 0, solver.infinity, {
      indices: entries.map(([row]) => row),
      values: entries.map(([, value]) => value),
    });
    model.changeColIntegrality(at, solver.constants.variableType.integer);
  });
  model.run();
  const { optimal, infeasible } = solver.constants.modelStatus;
  const status = model.getModelStatus();
  if (status === infeasible) return 'Impossible';
  if (status !== optimal) return 'TooLarge';
  const { colValue } = model.getSolution();
  const packing = patterns.flatMap((pattern, at) => {
    const count = Math.round(colValue[at] as number);
    return count > 0 ? [{ pattern, count }] : [];
  });
  return { cost: Math.round(model.getObjectiveValue()), packing };
}
