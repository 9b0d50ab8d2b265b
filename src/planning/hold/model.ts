// The program over all periods, for HiGHS: as fractions for the bound, in whole numbers for small ones. Rows: for each
// period its items, then its bins (filled are no more than there are), then its limits (there are no more than the stock).
import type { Highs, Model } from 'highs';
import type { Pattern } from '../solve/problem.ts';
import type { Holding, HoldProblem } from './problem.ts';

/** What the rows are worth; none is negative. Each by period, then by item, bin or limit. */
export interface HoldDuals {
  items: Float64Array[];
  bins: Float64Array[];
  limits: Float64Array[];
}

export interface Column {
  period: number;
  pattern: Pattern;
}

export class HoldModel {
  readonly #problem: HoldProblem;
  readonly #solver: Highs;
  readonly model: Model;
  readonly columns: Column[] = [];
  /** Of columns that are not patterns, in their order: items left out, held bins, rentals. */
  readonly #before: { left: number; held: readonly number[]; rentals: number };
  readonly #rows: number;

  /** `penalty` is what one item costs that is not placed; undefined: all must be. */
  constructor(solver: Highs, problem: HoldProblem, penalty?: number) {
    const { packing, counts, held, rentals } = problem;
    const { items, bins, limits } = packing;
    this.#problem = problem;
    this.#solver = solver;
    this.#rows = items.length + bins.length + limits.length;
    this.model = solver.createModel();
    this.model.options.set({ output_flag: false });
    const { infinity } = solver;
    const none = { indices: [], values: [] };
    for (const own of counts) {
      for (const count of own) this.model.addRow(count, infinity, none);
      for (const _ of bins) this.model.addRow(-infinity, 0, none);
      for (const { max } of limits) this.model.addRow(-infinity, max, none);
    }
    let left = 0;
    counts.forEach((own, period) => {
      own.forEach((count, item) => {
        if (count === 0 || penalty === undefined) return;
        this.#add(penalty, [[this.#row(period, item), 1]]);
        left++;
      });
    });
    const all = counts.map((_, period) => period);
    const able = [...bins.keys()].filter((bin) => held[bin] !== undefined);
    for (const bin of able) this.#add(held[bin] ?? 0, this.#machine(bin, all, all));
    for (const { bin, first, last, touches, cost } of rentals)
      this.#add(cost, this.#machine(bin, all.slice(first, last + 1), all.slice(touches[0], touches[1] + 1)));
    this.#before = { left, held: able, rentals: rentals.length };
  }

  add(column: Column): void {
    const { period, pattern } = column;
    const { items } = this.#problem.packing;
    this.#add(0, [
      ...pattern.items.map(([item, count]): [number, number] => [this.#row(period, item), count]),
      [this.#row(period, items.length + pattern.bin), 1],
    ]);
    this.columns.push(column);
  }

  /** Every column in whole numbers, none dearer than `most` together. */
  makeWhole(most: number): void {
    const { held, rentals } = this.#problem;
    const { left, held: able } = this.#before;
    const costs = [...able.map((bin) => held[bin] ?? 0), ...rentals.map(({ cost }) => cost)];
    const priced = costs.flatMap((cost, at): [number, number][] => (cost > 0 ? [[left + at, cost]] : []));
    this.model.addRow(-this.#solver.infinity, Math.min(most, this.#solver.infinity), {
      indices: priced.map(([column]) => column),
      values: priced.map(([, cost]) => cost),
    });
    const { numCols } = this.model.getDimensions();
    for (let column = 0; column < numCols; column++)
      this.model.changeColIntegrality(column, this.#solver.constants.variableType.integer);
  }

  /** After a run. `amounts` is by column. */
  read(): { cost: number; left: number; holding: Holding; amounts: number[] } {
    const values = [...this.model.getSolution().colValue];
    const { left, held: able, rentals } = this.#before;
    const held = this.#problem.packing.bins.map(() => 0);
    able.forEach((bin, at) => {
      held[bin] = values[left + at] ?? 0;
    });
    const after = left + able.length;
    return {
      cost: this.model.getObjectiveValue(),
      left: values.slice(0, left).reduce((sum, value) => sum + value, 0),
      holding: { held, rented: values.slice(after, after + rentals) },
      amounts: values.slice(after + rentals),
    };
  }

  duals(): HoldDuals {
    const { packing, counts } = this.#problem;
    const { rowDual } = this.model.getSolution();
    const [items, bins] = [packing.items.length, packing.bins.length];
    const part = (from: number, count: number, sign: number) =>
      counts.map((_, period) => {
        const start = period * this.#rows + from;
        return rowDual.slice(start, start + count).map((dual) => Math.max(0, sign * dual));
      });
    return {
      items: part(0, items, 1),
      bins: part(items, bins, -1),
      limits: part(items + bins, packing.limits.length, -1),
    };
  }

  [Symbol.dispose](): void {
    this.model.dispose();
  }

  #row(period: number, row: number): number {
    return period * this.#rows + row;
  }

  /** It may be filled in some periods, and takes stock in others beside. */
  #machine(bin: number, filled: readonly number[], stocked: readonly number[]): [number, number][] {
    const { items, bins, limits } = this.#problem.packing;
    return [
      ...filled.map((period): [number, number] => [this.#row(period, items.length + bin), -1]),
      ...stocked.flatMap((period) =>
        limits.flatMap((limit, at): [number, number][] =>
          limit.bins.includes(bin) ? [[this.#row(period, items.length + bins.length + at), 1]] : [],
        ),
      ),
    ];
  }

  #add(cost: number, entries: readonly (readonly [number, number])[]): void {
    this.model.addCol(cost, 0, this.#solver.infinity, {
      indices: entries.map(([row]) => row),
      values: entries.map(([, value]) => value),
    });
  }
}
