import { brokenPromises } from './check-packing.ts';
import { type Packing, type Problem, sum, trimmed } from './problem.ts';

export interface Candidate {
  packing: Packing;
  /** By item: how many have no place. */
  unplaced: readonly number[];
  cost: number;
}

/** Packings of so many machines are to be the best possible, and proven, not only near. */
const SMALL_MAX = 60;

/** The best packing so far, and how far from the best possible it may be. */
export class Incumbent {
  readonly #problem: Problem;
  readonly #gap: number;
  /** Every cost is a multiple of this. */
  readonly step: number;
  #best: Candidate;
  #bound = 0;

  /** `gap`: a share of the cost that is near enough. */
  constructor(problem: Problem, gap: number) {
    this.#problem = problem;
    this.#gap = gap;
    this.step = commonDivisor(problem.bins.map(({ price }) => price));
    this.#best = { packing: [], unplaced: problem.items.map(({ count }) => count), cost: 0 };
  }

  get best(): Candidate {
    return this.#best;
  }

  get cost(): number {
    return this.#best.cost;
  }

  /** No packing that places every item costs less: a multiple of the step. */
  get bound(): number {
    const whole = this.#stepUp(this.#bound);
    return this.isWhole ? Math.min(this.cost, whole) : whole;
  }

  /** Every item has a place. */
  get isWhole(): boolean {
    return this.#best.unplaced.every((count) => count === 0);
  }

  /** No packing can cost less. */
  get isProven(): boolean {
    return this.isWhole && this.bound >= this.cost;
  }

  get isNear(): boolean {
    return this.isWhole && this.cost - this.bound <= this.#gap * this.cost;
  }

  get isSmall(): boolean {
    return this.#best.packing.reduce((sum, { count }) => sum + count, 0) <= SMALL_MAX;
  }

  /** Whole packings that cost as much are no better. */
  get cutoff(): number {
    return this.isWhole ? this.cost : Number.POSITIVE_INFINITY;
  }

  /** Whether what costs no less than this may be better. */
  canBeat(bound: number): boolean {
    return this.#stepUp(bound) < this.cutoff;
  }

  /** Takes it where it is better: fewer left out comes first. */
  take(candidate: Candidate): void {
    const [left, leftBefore] = [sum(candidate.unplaced), sum(this.#best.unplaced)];
    if (left > leftBefore || (left === leftBefore && candidate.cost >= this.cost)) return;
    // Greedy and refined packings know nothing of shares.
    if (this.#problem.shares.length > 0 && this.#breaks(candidate)) return;
    this.#best = candidate;
  }

  takePacking(packing: Packing, unplaced: readonly number[]): void {
    this.take({ packing, unplaced, cost: costOf(this.#problem, packing) });
  }

  /** One that may hold more of an item than is asked for, and places all. */
  takeTrimmed(packing: Packing): void {
    const unplaced = this.#problem.items.map(() => 0);
    this.takePacking(trimmed(this.#problem, packing), unplaced);
  }

  /** Where nothing was found at all, an infinite bound says nothing of its cost. */
  raise(bound: number): void {
    if (bound === Number.POSITIVE_INFINITY) return;
    this.#bound = Math.max(this.#bound, bound);
  }

  /** Throws where the packing does not keep what it promises: then it is not given out. */
  check(): void {
    const broken = brokenPromises(this.#problem, this.#best.packing, this.#best.unplaced);
    if (broken.length > 0) throw new Error(`the packing is wrong: ${broken.join('; ')}`);
  }

  #stepUp(bound: number): number {
    return this.step * Math.ceil(bound / this.step - 1e-6);
  }

  #breaks({ packing, unplaced }: Candidate): boolean {
    return brokenPromises(this.#problem, packing, unplaced).length > 0;
  }
}

export function costOf({ bins }: Problem, packing: Packing): number {
  return packing.reduce((cost, { pattern, count }) => cost + count * (bins[pattern.bin]?.price ?? 0), 0);
}

function commonDivisor(values: readonly number[]): number {
  const two = (a: number, b: number): number => (b === 0 ? a : two(b, a % b));
  return Math.max(1, values.reduce(two, 0));
}
