// When it is known how many machines are filled in each period: which of them to hold and which to rent.
import type { Highs } from 'highs';
import type { Holding, HoldProblem } from './problem.ts';

const NODES_MAX = 200;

/**
 * `used` is by period and bin. Each kind of machine for itself is a program over intervals, in which the best fractions
 * are whole already (its columns are runs of ones); only stock that several kinds share makes HiGHS branch. undefined:
 * there is not so much stock.
 */
export function cheapestHolding(
  solver: Highs,
  { packing, counts, held, rentals }: HoldProblem,
  used: readonly (readonly number[])[],
): Holding | undefined {
  using model = solver.createModel();
  model.options.set({ output_flag: false, mip_rel_gap: 0, mip_abs_gap: 0.9, mip_max_nodes: NODES_MAX });
  const { bins, limits } = packing;
  const none = { indices: [], values: [] };
  for (const own of used) {
    for (const count of own) model.addRow(count, solver.infinity, none);
    for (const { max } of limits) model.addRow(-solver.infinity, max, none);
  }
  const rows = bins.length + limits.length;
  const entries = (
    bin: number,
    [first, last]: readonly [number, number],
    touches: readonly [number, number],
  ) => {
    const indices: number[] = [];
    for (let period = first; period <= last; period++) indices.push(period * rows + bin);
    for (let period = touches[0]; period <= touches[1]; period++)
      limits.forEach((limit, at) => {
        if (limit.bins.includes(bin)) indices.push(period * rows + bins.length + at);
      });
    return { indices, values: indices.map(() => 1) };
  };
  const all = [0, counts.length - 1] as const;
  const able = [...bins.keys()].filter((bin) => held[bin] !== undefined);
  for (const bin of able) model.addCol(held[bin] ?? 0, 0, solver.infinity, entries(bin, all, all));
  for (const { bin, cost, first, last, touches } of rentals)
    model.addCol(cost, 0, solver.infinity, entries(bin, [first, last], touches));
  for (let column = 0; column < able.length + rentals.length; column++)
    model.changeColIntegrality(column, solver.constants.variableType.integer);
  model.run();
  if (model.info.get('primal_solution_status') !== solver.constants.solutionStatus.feasible) return undefined;
  const values = [...model.getSolution().colValue].map((value) => Math.round(value));
  const holding = bins.map(() => 0);
  able.forEach((bin, at) => {
    holding[bin] = values[at] ?? 0;
  });
  return { held: holding, rented: values.slice(able.length) };
}
