// The restricted master program: how many of each pattern, as fractions, by HiGHS. One row for each item, limit and share.
import type { Highs, Model } from 'highs';
import type { Pattern, Problem } from './problem.ts';

/** What the rows are worth at the optimum; none is negative. */
export interface Duals {
  /** By item: what one more of it costs. */
  items: Float64Array;
  /** By limit: what one more bin saves. */
  limits: Float64Array;
  shares: Float64Array;
}

export interface MasterAnswer {
  cost: number;
  /** Items that have no place. */
  left: number;
  /** By column, in the order in which they were added. */
  amounts: Float64Array;
  duals: Duals;
}

export class Master {
  readonly #problem: Problem;
  readonly #model: Model;
  readonly #infinity: number;
  readonly #patterns: Pattern[] = [];

  /** `penalty` is what one item costs that is not placed. */
  constructor(solver: Highs, problem: Problem, penalty: number) {
    this.#problem = problem;
    this.#infinity = solver.infinity;
    this.#model = solver.createModel();
    this.#model.options.set({ output_flag: false });
    addRows(this.#model, solver, problem);
    problem.items.forEach((_, item) => {
      this.#model.addCol(penalty, 0, solver.infinity, { indices: [item], values: [1] });
    });
  }

  get patterns(): readonly Pattern[] {
    return this.#patterns;
  }

  add(pattern: Pattern): void {
    const { bins } = this.#problem;
    const entries = columnOf(this.#problem, pattern);
    this.#model.addCol(bins[pattern.bin]?.price ?? 0, 0, this.#infinity, {
      indices: entries.map(([row]) => row),
      values: entries.map(([, value]) => value),
    });
    this.#patterns.push(pattern);
  }

  solve(): MasterAnswer {
    const { items, limits } = this.#problem;
    this.#model.run();
    const { colValue, rowDual } = this.#model.getSolution();
    const [afterItems, afterLimits] = [items.length, items.length + limits.length];
    return {
      cost: this.#model.getObjectiveValue(),
      left: colValue.slice(0, items.length).reduce((sum, count) => sum + count, 0),
      amounts: colValue.slice(items.length),
      duals: {
        items: rowDual.slice(0, afterItems).map((dual) => Math.max(0, dual)),
        limits: rowDual.slice(afterItems, afterLimits).map((dual) => Math.max(0, -dual)),
        shares: rowDual.slice(afterLimits).map((dual) => Math.max(0, -dual)),
      },
    };
  }

  [Symbol.dispose](): void {
    this.#model.dispose();
  }
}

/** Without columns yet: as many of each item as asked for or more, no more bins than limits and shares allow. */
export function addRows(model: Model, { infinity }: Highs, { items, limits, shares }: Problem): void {
  const none = { indices: [], values: [] };
  for (const { count } of items) model.addRow(count, infinity, none);
  for (const { max } of limits) model.addRow(-infinity, max, none);
  for (const _ of shares) model.addRow(-infinity, 0, none);
}

/** The entries of a pattern's column, by row: items, then limits, then shares. */
export function columnOf({ items, limits, shares }: Problem, pattern: Pattern): [number, number][] {
  const entries: [number, number][] = pattern.items.map(([item, count]) => [item, count]);
  limits.forEach(({ bins }, at) => {
    if (bins.includes(pattern.bin)) entries.push([items.length + at, 1]);
  });
  shares.forEach(({ bins, share }, at) => {
    const value = (bins.includes(pattern.bin) ? 1 : 0) - share;
    if (value !== 0) entries.push([items.length + limits.length + at, value]);
  });
  return entries;
}
