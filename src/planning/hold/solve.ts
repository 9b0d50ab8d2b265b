// From a problem to a holding, its packings, its cost and a proof of how far it is from the best possible.
import type { Highs } from 'highs';
import { machineAfterMachine, singlePatterns } from '../solve/greedy.ts';
import { type Pattern, ROUNDING } from '../solve/problem.ts';
import type { HoldProof } from './bound.ts';
import { cheaperOf, possibleColumns } from './exact.ts';
import { costOf, type HoldProblem, problemIn } from './problem.ts';
import { type RelaxedHolding, relaxHolding } from './relax.ts';
import { roundHolding, type WholeHolding } from './round.ts';

export interface HoldProgress {
  cost: number;
  bound: number;
}

export interface HoldSolution extends WholeHolding {
  cost: number;
  /** No plan costs less. */
  bound: number;
  /** Of the relaxation's bound. */
  proof: HoldProof;
  stopped: boolean;
}

export interface HoldOptions {
  solver: Highs;
  /** It ends when the gap is no greater than this share. */
  gap: number;
  stop: () => boolean;
}

/** Starts from machines held as the last one found has them: so many times. */
const REPEATS_MAX = 3;
/** Machines, held and rented. */
const SMALL_MAX = 60;

/** undefined: Pods have no place, whatever is held or rented, or none was found before it was stopped. */
export function* solveHold(
  problem: HoldProblem,
  options: HoldOptions,
): Generator<HoldProgress, HoldSolution | undefined> {
  const { solver, gap, stop } = options;
  const relaxed = yield* relaxHolding(problem, { solver, start: startOf(problem), tolerance: gap / 4, stop });
  if (relaxed.left > ROUNDING && !stop()) return undefined;
  const best = new Best(problem, relaxed.proof.bound);
  const isEnough = () =>
    best.isProven || (best.whole !== undefined && (stop() || (best.gap <= gap && !best.isSmall)));
  for (const held of candidates(problem, relaxed)) {
    if (!isEnough()) yield* settle(problem, best, held, options);
  }
  if (!isEnough() && !stop()) {
    const all = possibleColumns(problem, relaxed.proof, best.cost);
    const answer = all
      ? cheaperOf(solver, problem, { columns: all, are: 'all' }, best.cost)
      : cheaperOf(
          solver,
          problem,
          { columns: [...relaxed.columns, ...columnsOf(best)], are: 'some' },
          best.cost,
        );
    if (answer.is === 'Found') best.take(answer.whole);
    if (all) best.raise(answer.bound);
  }
  const { whole } = best;
  return whole && { ...whole, cost: best.cost, bound: best.bound, proof: relaxed.proof, stopped: stop() };
}

/** From these held machines to a plan, and from those that it holds to another, as long as that is cheaper. */
function* settle(
  problem: HoldProblem,
  best: Best,
  first: readonly number[],
  options: HoldOptions,
): Generator<HoldProgress, void> {
  let held = first;
  for (let repeat = 0; repeat < REPEATS_MAX; repeat++) {
    const rounding = roundHolding(problem, held, options);
    let step = rounding.next();
    for (; !step.done; step = rounding.next()) yield { cost: best.whole ? best.cost : 0, bound: best.bound };
    if (!step.value || !best.take(step.value)) return;
    held = step.value.holding.held;
  }
}

class Best {
  readonly #problem: HoldProblem;
  whole: WholeHolding | undefined;
  cost = Number.POSITIVE_INFINITY;
  #bound: number;

  constructor(problem: HoldProblem, bound: number) {
    this.#problem = problem;
    this.#bound = bound;
  }

  /** Costs are whole numbers. */
  get bound(): number {
    const whole = Math.max(0, Math.ceil(this.#bound - 1e-9));
    return Math.min(this.cost, whole);
  }

  get isProven(): boolean {
    return this.whole !== undefined && this.bound >= this.cost;
  }

  get gap(): number {
    return this.whole ? (this.cost - this.bound) / Math.max(1, this.cost) : 1;
  }

  /** It is to be the best possible, not only near. */
  get isSmall(): boolean {
    const machines = Object.values(this.whole?.holding ?? {}).flat();
    return machines.reduce((sum, count) => sum + count, 0) <= SMALL_MAX;
  }

  take(whole: WholeHolding): boolean {
    const cost = costOf(this.#problem, whole.holding);
    if (cost >= this.cost) return false;
    this.whole = whole;
    this.cost = cost;
    return true;
  }

  raise(bound: number): void {
    this.#bound = Math.max(this.#bound, bound);
  }
}

function startOf(problem: HoldProblem): Pattern[] {
  const cheapest = problem.packing.bins.map((bin, at) => {
    const held = problem.held[at];
    const rates = problem.rentals.filter((rental) => rental.bin === at).map(({ cost }) => cost);
    return { ...bin, price: Math.min(held ?? Number.MAX_SAFE_INTEGER, ...rates) };
  });
  return problem.counts.flatMap((_, period) => {
    const own = { ...problemIn(problem, period), bins: cheapest };
    return [...singlePatterns(own), ...machineAfterMachine(own).packing.map(({ pattern }) => pattern)];
  });
}

/** So many machines are held to begin with. What costs nothing is held as often as there is stock. */
function candidates({ packing, held, counts }: HoldProblem, { holding }: RelaxedHolding): number[][] {
  const free = new Map<number, number>();
  held.forEach((cost, bin) => {
    const own = packing.limits.filter(({ bins }) => bins.length === 1 && bins[0] === bin);
    if (cost === 0 && own.length > 0) free.set(bin, Math.min(...own.map(({ max }) => max)));
  });
  const by = (round: (value: number) => number) =>
    holding.held.map((count, bin) => free.get(bin) ?? Math.max(0, round(count)));
  const all = [
    by((count) => Math.floor(count + ROUNDING)),
    by(Math.round),
    by((count) => Math.ceil(count - ROUNDING)),
  ];
  if (counts.length > 1) all.push(by(() => 0));
  return [...new Map(all.map((each): [string, number[]] => [each.join(), each])).values()];
}

function columnsOf({ whole }: Best) {
  return (whole?.packings ?? []).flatMap((packing, period) =>
    packing.map(({ pattern }) => ({ period, pattern })),
  );
}
