import type { Problem } from './problem.ts';

/** How many bins of each kind have been taken, against the limits. */
export class BinCounts {
  readonly #limits: readonly { max: number }[];
  readonly #limitsOf: readonly (readonly number[])[];
  readonly #taken: number[];

  constructor({ bins, limits }: Pick<Problem, 'bins' | 'limits'>) {
    this.#limits = limits;
    this.#limitsOf = bins.map((_, bin) =>
      limits.flatMap((limit, at) => (limit.bins.includes(bin) ? [at] : [])),
    );
    this.#taken = limits.map(() => 0);
  }

  /** How many more of this kind may be taken; Infinity where nothing limits it. */
  left(bin: number): number {
    let left = Number.POSITIVE_INFINITY;
    for (const limit of this.#limitsOf[bin] ?? [])
      left = Math.min(left, (this.#limits[limit]?.max ?? 0) - (this.#taken[limit] as number));
    return left;
  }

  /** A negative count gives back. */
  add(bin: number, count: number): void {
    for (const limit of this.#limitsOf[bin] ?? [])
      this.#taken[limit] = (this.#taken[limit] as number) + count;
  }
}
