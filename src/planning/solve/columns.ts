// Column generation (Gilmore and Gomory 1961) with smoothed duals (Wentges 1997): patterns are made as prices ask for
// them, until what the patterns cost and what is proven come together.

import type { Highs } from 'highs';
import { type Proof, prove, wholeDuals } from './bound.ts';
import { Effort } from './effort.ts';
import { type Duals, Master, type MasterAnswer } from './master.ts';
import { Pricer } from './pricing.ts';
import { keyOf, type Pattern, type Problem } from './problem.ts';

/** As far as it has come. */
export interface Relaxed {
  round: number;
  /** Of the fractions: no packing of these patterns costs less. */
  cost: number;
  /** Items that these fractions leave out. */
  left: number;
  /** No packing at all costs less. */
  bound: number;
  /** It goes on with these, and adds more. */
  patterns: readonly Pattern[];
  /** Of the patterns, in their order. */
  amounts: Float64Array;
  duals: Duals;
  /** Of the bound. */
  proof: Proof;
}

export interface ColumnOptions {
  solver: Highs;
  start: readonly Pattern[];
  /** It ends when cost and bound are no further apart than this share. */
  tolerance: number;
  rounds: number;
  stop?: () => boolean;
}

const SMOOTH = 0.7;

export function* generateColumns(problem: Problem, options: ColumnOptions): Generator<Relaxed, Relaxed> {
  const { solver, tolerance } = options;
  using master = new Master(solver, problem, penaltyOf(problem));
  const pricer = new Pricer(problem);
  const known = new Set<string>();
  const add = (pattern: Pattern): boolean => {
    const key = keyOf(pattern);
    if (known.has(key)) return false;
    known.add(key);
    master.add(pattern);
    return true;
  };
  for (const pattern of options.start) add(pattern);
  let answer: MasterAnswer = master.solve();
  let proof = prove(
    problem,
    wholeDuals(answer.duals, problem),
    new Float64Array(problem.bins.length).fill(Number.POSITIVE_INFINITY),
  );
  let centre = answer.duals;
  const effort = new Effort({ smooth: SMOOTH, tolerance });
  let round = 0;
  const soFar = (): Relaxed => {
    const { cost, left, amounts, duals } = answer;
    return { round, cost, left, bound: proof.bound, patterns: master.patterns, amounts, duals, proof };
  };
  const gap = () => (answer.cost - proof.bound) / Math.max(answer.cost, 1e-9);
  while (round < options.rounds && gap() > tolerance && !options.stop?.()) {
    round++;
    const duals = between(answer.duals, centre, effort.smooth);
    const whole = wholeDuals(duals, problem);
    const priced = pricer.price(whole, Math.min(effort.spare, gap() / 4), effort.nodes);
    const proven = prove(problem, whole, priced.worth);
    const isBetterBound = proven.bound > proof.bound * (1 + 1e-6);
    if (proven.bound > proof.bound) [proof, centre] = [proven, duals];
    let added = 0;
    for (const { pattern, bins } of priced.patterns)
      for (const bin of bins) if (add({ ...pattern, bin })) added++;
    const costBefore = answer.cost;
    if (added > 0) answer = master.solve();
    yield soFar();
    const { cost } = answer;
    if (!effort.after({ costBefore, cost, isBetterBound, added, open: priced.open })) break;
  }
  return soFar();
}

/** An item that is left out costs more than any machine that could take it, and those that its share asks for beside it. */
function penaltyOf({ bins, shares }: Problem): number {
  const beside = Math.max(1, ...shares.map(({ share }) => 1 / share));
  return 10 * beside * Math.max(1, ...bins.map(({ price }) => price));
}

function between(near: Duals, far: Duals, share: number): Duals {
  const mixed = (a: Float64Array, b: Float64Array) =>
    a.map((value, at) => (1 - share) * value + share * (b[at] as number));
  return {
    items: mixed(near.items, far.items),
    limits: mixed(near.limits, far.limits),
    shares: mixed(near.shares, far.shares),
  };
}
