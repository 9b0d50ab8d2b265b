// From a problem to a packing, its cost, and the proof of how far it is from the best possible.
import type { Highs } from 'highs';
import { prove } from './bound.ts';
import { branch } from './branch.ts';
import { generateColumns, type Relaxed } from './columns.ts';
import { type Effort, lookForCheaper, QUICK, THOROUGH } from './exact.ts';
import { machineAfterMachine, singlePatterns } from './greedy.ts';
import { Incumbent } from './incumbent.ts';
import type { Duals } from './master.ts';
import { Pricer } from './pricing.ts';
import { type Packing, type Pattern, type Problem, ROUNDING } from './problem.ts';
import { Refiner } from './refine.ts';

export interface Progress {
  phase: 'Greedy' | 'Bound' | 'Refine' | 'Branch' | 'Exact';
  /** Of the best packing so far. */
  cost: number;
  /** Nothing costs less. */
  bound: number;
  /** Of the fractions so far, while there are only they: what it would cost about if it were broken off now. */
  inSight?: number;
}

export interface Solution {
  packing: Packing;
  /** By item. */
  unplaced: readonly number[];
  cost: number;
  /** No packing that leaves out the same items costs less. */
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
  /** Near is enough of small ones too, which else are to be the best. */
  isRough?: boolean;
  /** Asked between steps of some milliseconds to some seconds: true ends it with the best so far. */
  stop?: () => boolean;
}

const ROUNDS_MAX = 1_000;
const STEPS_MAX = 20_000;
/** It is refined no further when so many steps have not made it cheaper. */
const STALLED_MAX = 3_000;
/** Of a small problem, for which there are better ways. */
const STALLED_SMALL = 300;
/** Steps from one word of progress to the next. */
const STEPS_TOLD = 50;
/** Of the gap, for the relaxation, at least and at most; the rest is for whole numbers. */
const RELAXED_SHARE = { least: 0.25, most: 0.9 };
/** Whole numbers cost about so many machines more than fractions. */
const ROUNDING_MACHINES = 1.5;

/**
 * Limits are counts of steps, never times: the same problem has the same solution on every machine, unless `stop` ends it.
 * Throws where the verifier finds the packing wrong.
 */
export function* solve(problem: Problem, options: SolveOptions): Generator<Progress, Solution> {
  const stop = options.stop ?? (() => false);
  if (problem.items.length === 0) return nothing(problem);
  const incumbent = new Incumbent(problem, options.gap);
  const first = machineAfterMachine(problem);
  incumbent.takePacking(first.packing, first.unplaced);
  yield progress('Greedy', incumbent);
  const start = [...singlePatterns(problem), ...first.packing.map(({ pattern }) => pattern)];
  const relaxed = yield* relaxedOf(problem, incumbent, start, options);
  yield* improve(problem, incumbent, relaxed, options);
  incumbent.check();
  const { best } = incumbent;
  return { ...best, bound: boundOf(problem, incumbent, relaxed), duals: relaxed.duals, stopped: stop() };
}

/** Of no items: HiGHS solves no program without rows. */
function nothing({ limits, shares }: Problem): Solution {
  const [items, none] = [new Float64Array(), (all: readonly unknown[]) => new Float64Array(all.length)];
  const duals = { items, limits: none(limits), shares: none(shares) };
  return { packing: [], unplaced: [], cost: 0, bound: 0, duals, stopped: false };
}

function* relaxedOf(
  problem: Problem,
  incumbent: Incumbent,
  start: readonly Pattern[],
  { solver, gap, stop }: SolveOptions,
): Generator<Progress, Relaxed> {
  const dearest = Math.max(...problem.bins.map(({ price }) => price));
  const rounding = (ROUNDING_MACHINES * dearest) / Math.max(1, incumbent.cost);
  const share = Math.min(RELAXED_SHARE.most, Math.max(RELAXED_SHARE.least, 1 - rounding / gap));
  const columns = generateColumns(problem, {
    solver,
    start,
    tolerance: gap * share,
    rounds: ROUNDS_MAX,
    ...(stop && { stop }),
  });
  for (;;) {
    const { done, value } = columns.next();
    incumbent.raise(value.bound);
    if (done) return value;
    yield { ...progress('Bound', incumbent), inSight: value.cost };
  }
}

/** Whole machines, cheaper and cheaper: rounded, looked at quickly, refined; small ones are branched on and looked at thoroughly. */
function* improve(
  problem: Problem,
  incumbent: Incumbent,
  relaxed: Relaxed,
  { solver, isRough = false, stop = () => false }: SolveOptions,
): Generator<Progress, void> {
  const pricer = new Pricer(problem);
  const refiner = new Refiner(problem, pricer, relaxed);
  const isEnough = () =>
    stop() || incumbent.isProven || (incumbent.isNear && (isRough || !incumbent.isSmall));
  const look = (effort: Effort) => {
    const { cutoff: cost, step } = incumbent;
    const exact = lookForCheaper(problem, { solver, pricer, proof: relaxed.proof, cost, step, effort });
    if (exact.is === 'Cheaper') incumbent.takeTrimmed(exact.packing);
    incumbent.raise(exact.is === 'Cheaper' && exact.proven ? incumbent.cost : exact.bound);
  };
  incumbent.take(refiner.best);
  yield progress('Refine', incumbent);
  const isPossible = relaxed.left < ROUNDING;
  if (isPossible && !isEnough()) look(QUICK);
  const patience = incumbent.isSmall ? STALLED_SMALL : STALLED_MAX;
  for (let steps = 0, stalled = 0; steps < STEPS_MAX && stalled < patience && !isEnough(); steps++) {
    stalled = refiner.step() ? 0 : stalled + 1;
    if (stalled === 0) incumbent.take(refiner.best);
    if (stalled === 0 || steps % STEPS_TOLD === 0) yield progress('Refine', incumbent);
  }
  if (!isPossible || isEnough() || (isRough && incumbent.isWhole)) return;
  for (const _ of branch(problem, incumbent, relaxed, { solver, stop })) yield progress('Branch', incumbent);
  if (isEnough()) return;
  yield progress('Exact', incumbent);
  look(THOROUGH);
}

function progress(phase: Progress['phase'], { cost, bound }: Incumbent): Progress {
  return { phase, cost, bound };
}

/** Where items are left out, what the others cost at least. */
function boundOf(problem: Problem, incumbent: Incumbent, { proof }: Relaxed): number {
  if (incumbent.isWhole) return incumbent.bound;
  const { unplaced, cost } = incumbent.best;
  const placed = problem.items.map((item, at) => ({ ...item, count: item.count - (unplaced[at] as number) }));
  return Math.min(cost, prove({ ...problem, items: placed }, proof.duals, proof.worth).bound);
}
