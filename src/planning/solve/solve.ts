// From a problem to a packing, its cost, and the proof of how far it is from the best possible.
import type { Highs } from 'highs';
import { wholeDuals } from './bound.ts';
import { brokenPromises } from './check-packing.ts';
import { generateColumns, type Relaxed } from './columns.ts';
import { lookForCheaper } from './exact.ts';
import { machineAfterMachine, singlePatterns } from './greedy.ts';
import type { Duals } from './master.ts';
import { Pricer } from './pricing.ts';
import type { Packing, Pattern, Problem } from './problem.ts';
import { Refiner } from './refine.ts';

export interface Progress {
  phase: 'Greedy' | 'Bound' | 'Refine' | 'Exact';
  /** Of the best packing so far. */
  cost: number;
  /** Nothing costs less. */
  bound: number;
}

export interface Solution {
  packing: Packing;
  /** By item. */
  unplaced: readonly number[];
  cost: number;
  /** No packing that places as many costs less. */
  bound: number;
  /** What the rows are worth at the relaxation's optimum: which limits bind, and what an item costs. */
  duals: Duals;
  /** Whether it was broken off before it had come to its end. */
  stopped: boolean;
}

export interface SolveOptions {
  solver: Highs;
  /** It ends when the gap is no greater than this share. */
  gap: number;
  /** Asked between steps of some milliseconds to a second: true ends it with the best so far. */
  stop?: () => boolean;
}

const ROUNDS_MAX = 1_000;
const STEPS_MAX = 20_000;
/** It is refined no further when so many steps have not made it cheaper. */
const STALLED_MAX = 3_000;
/** Packings of so many machines are to be the best possible, and proven, not only near. */
const SMALL_MAX = 60;
/** Of the gap, for the relaxation; the rest is for whole numbers. */
const RELAXED_SHARE = 0.25;

export function* solve(problem: Problem, options: SolveOptions): Generator<Progress, Solution> {
  const stop = options.stop ?? (() => false);
  const first = machineAfterMachine(problem);
  const nothing: Best = { packing: [], unplaced: problem.items.map(({ count }) => count), cost: 0 };
  let best: Best = keepsShares(problem, first.packing)
    ? { ...first, cost: costOf(problem, first.packing) }
    : nothing;
  yield { phase: 'Greedy', cost: best.cost, bound: 0 };

  const start = [...singlePatterns(problem), ...first.packing.map(({ pattern }) => pattern)];
  const columns = generateColumns(problem, {
    solver: options.solver,
    start,
    penalty: penaltyOf(problem),
    tolerance: options.gap * RELAXED_SHARE,
    rounds: ROUNDS_MAX,
    stop,
  });
  let relaxed: Relaxed;
  for (;;) {
    const { done, value } = columns.next();
    if (done) {
      relaxed = value;
      break;
    }
    yield { phase: 'Bound', cost: best.cost, bound: value.bound };
  }
  const { duals, proof } = relaxed;
  const pricer = new Pricer(problem);
  const refiner = refinerOf(problem, pricer, relaxed);
  const take = (candidate: Best) => {
    if (isBetter(candidate, best) && keepsShares(problem, candidate.packing)) best = candidate;
  };
  take(refiner.best);
  let { bound } = proof;
  const step = commonDivisor(problem.bins.map(({ price }) => price));
  const isDone = () => best.cost - bound < step * 0.999999;
  yield { phase: 'Refine', cost: best.cost, bound };
  const isSmall = () => machinesOf(best.packing) <= SMALL_MAX;
  const isNear = () => best.cost - bound <= options.gap * best.cost;
  for (let steps = 0, stalled = 0; steps < STEPS_MAX && stalled < STALLED_MAX; steps++) {
    if (stop() || isDone() || (isNear() && !isSmall())) break;
    stalled = refiner.step() ? 0 : stalled + 1;
    if (stalled > 0) continue;
    take(refiner.best);
    yield { phase: 'Refine', cost: best.cost, bound };
  }
  const isWhole = best.unplaced.every((count) => count === 0);
  if (isWhole && isSmall() && !stop() && !isDone()) {
    yield { phase: 'Exact', cost: best.cost, bound };
    const exact = lookForCheaper(problem, { solver: options.solver, pricer, proof, cost: best.cost, step });
    if (exact.is === 'Cheaper') {
      const packing = trimmed(problem, exact.packing);
      take({ packing, unplaced: best.unplaced, cost: costOf(problem, packing) });
      bound = exact.proven ? best.cost : Math.max(bound, exact.bound);
    } else bound = exact.is === 'Proven' ? best.cost : Math.max(bound, exact.bound);
  }
  const broken = brokenPromises(problem, best.packing, best.unplaced);
  if (broken.length > 0) throw new Error(`the packing is wrong: ${broken.join('; ')}`);
  const whole = Math.min(best.cost, step * Math.ceil(bound / step - 1e-6));
  return { ...best, bound: whole, duals, stopped: stop() };
}

/** Shares become limits for it, at as many machines as the relaxation has: to count on more would break them. */
function refinerOf(problem: Problem, pricer: Pricer, { patterns, amounts, duals }: Relaxed): Refiner {
  const all = amounts.reduce((sum, amount) => sum + amount, 0);
  const shares = problem.shares.map(({ name, bins, share }) => ({
    name,
    bins,
    max: Math.floor(share * all),
  }));
  return new Refiner({
    problem: { ...problem, limits: [...problem.limits, ...shares] },
    pricer,
    patterns,
    amounts,
    values: wholeDuals(duals, problem).items,
  });
}

function keepsShares(problem: Problem, packing: Packing): boolean {
  if (problem.shares.length === 0) return true;
  const all = machinesOf(packing);
  return problem.shares.every(({ bins, share }) => {
    const some = packing.reduce(
      (sum, { pattern, count }) => (bins.includes(pattern.bin) ? sum + count : sum),
      0,
    );
    return some <= share * all;
  });
}

interface Best {
  packing: Packing;
  unplaced: readonly number[];
  cost: number;
}

/** Fewer left out comes first. */
function isBetter(a: Best, b: Best): boolean {
  const left = (best: Best) => best.unplaced.reduce((sum, count) => sum + count, 0);
  return left(a) < left(b) || (left(a) === left(b) && a.cost < b.cost);
}

/** An item that is left out costs more than any machine that could take it. */
function penaltyOf({ bins }: Problem): number {
  return 10 * Math.max(1, ...bins.map(({ price }) => price));
}

export function costOf({ bins }: Problem, packing: Packing): number {
  return packing.reduce((cost, { pattern, count }) => cost + count * (bins[pattern.bin]?.price ?? 0), 0);
}

function commonDivisor(values: readonly number[]): number {
  const two = (a: number, b: number): number => (b === 0 ? a : two(b, a % b));
  return Math.max(1, values.reduce(two, 0));
}

function machinesOf(packing: Packing): number {
  return packing.reduce((sum, { count }) => sum + count, 0);
}

/** Takes out what is there more often than asked for. */
function trimmed({ items }: Problem, packing: Packing): Packing {
  const rest = items.map(({ count }) => count);
  const machines: { pattern: Pattern; count: number }[] = [];
  for (const { pattern, count } of packing) {
    for (let n = 0; n < count; n++) {
      const kept = pattern.items
        .map(([item, each]): [number, number] => [item, Math.min(each, rest[item] as number)])
        .filter(([, each]) => each > 0);
      for (const [item, each] of kept) rest[item] = (rest[item] as number) - each;
      machines.push({ pattern: { bin: pattern.bin, items: kept }, count: 1 });
    }
  }
  return machines;
}
