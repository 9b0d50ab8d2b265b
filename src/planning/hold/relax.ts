// The best holding in fractions, by column generation with smoothed duals, as solve/columns.ts does it for one period.
import type { Highs } from 'highs';
import { Effort } from '../solve/effort.ts';
import { Pricer } from '../solve/pricing.ts';
import { keyOf, type Pattern } from '../solve/problem.ts';
import { dearestOf, type HoldProof, proveHold, wholeHoldDuals } from './bound.ts';
import { type Column, type HoldDuals, HoldModel } from './model.ts';
import type { Holding, HoldProblem } from './problem.ts';

export interface RelaxedHolding {
  holding: Holding;
  cost: number;
  /** Items that have no place. */
  left: number;
  columns: readonly Column[];
  proof: HoldProof;
}

export interface RelaxOptions {
  solver: Highs;
  /** Tried in every period. */
  start: readonly Pattern[];
  /** It ends when cost and bound are no further apart than this share. */
  tolerance: number;
  stop: () => boolean;
}

const ROUNDS_MAX = 500;
const SMOOTH = 0.6;

export function* relaxHolding(
  problem: HoldProblem,
  { solver, start, tolerance, stop }: RelaxOptions,
): Generator<{ cost: number; bound: number }, RelaxedHolding> {
  using master = new HoldModel(solver, problem, 10 * dearestOf(problem));
  const known = problem.counts.map(() => new Set<string>());
  const add = (period: number, pattern: Pattern): boolean => {
    const key = keyOf(pattern);
    if (known[period]?.has(key)) return false;
    known[period]?.add(key);
    master.add({ period, pattern });
    return true;
  };
  problem.counts.forEach((counts, period) => {
    for (const pattern of start) {
      const items = pattern.items
        .map(([item, count]): [number, number] => [item, Math.min(count, counts[item] as number)])
        .filter(([, count]) => count > 0);
      if (items.length > 0) add(period, { bin: pattern.bin, items });
    }
  });
  const solve = () => {
    master.model.run();
    return { ...master.read(), duals: master.duals() };
  };
  const pricer = new Pricer(problem.packing);
  let answer = solve();
  let proof: HoldProof = { bound: 0, duals: wholeHoldDuals(problem, answer.duals), worth: [], divisor: 1 };
  let centre = answer.duals;
  const effort = new Effort({ smooth: SMOOTH, tolerance });
  const gap = () => (answer.cost - proof.bound) / Math.max(answer.cost, 1e-9);
  for (let round = 0; round < ROUNDS_MAX && gap() > tolerance && !stop(); round++) {
    const duals = between(answer.duals, centre, effort.smooth);
    const whole = wholeHoldDuals(problem, duals);
    const priced = price(problem, pricer, whole, {
      spare: Math.min(effort.spare, gap() / 4),
      nodes: effort.nodes,
    });
    const proven = proveHold(problem, whole, priced.worth);
    const isBetterBound = proven.bound > proof.bound * (1 + 1e-6);
    if (proven.bound > proof.bound) [proof, centre] = [proven, duals];
    let added = 0;
    for (const { period, pattern } of priced.found) if (add(period, pattern)) added++;
    const costBefore = answer.cost;
    if (added > 0) answer = solve();
    yield { cost: answer.cost, bound: proof.bound };
    const { cost } = answer;
    if (!effort.after({ costBefore, cost, isBetterBound, added, open: priced.open })) break;
  }
  const { holding, cost, left } = answer;
  return { holding, cost, left, columns: [...master.columns], proof };
}

/** In every period and kind of bin the fillings that are worth more than a machine there. */
function price(
  { counts }: HoldProblem,
  pricer: Pricer,
  duals: ReturnType<typeof wholeHoldDuals>,
  { spare, nodes }: { spare: number; nodes: number },
): { found: Column[]; worth: Float64Array[]; open: boolean } {
  const found: Column[] = [];
  let open = false;
  const worth = counts.map((rest, period) => {
    const values = duals.items[period] as Float64Array;
    const bins = duals.bins[period] as Float64Array;
    const own = new Float64Array(bins.length);
    for (const group of pricer.groups) {
      const least = Math.min(...group.bins.map((bin) => bins[bin] as number));
      const target = Math.floor(least * (1 + spare));
      const answer = pricer.fill(group, values, { target, nodes, rest });
      if (answer.nodes >= nodes) open = true;
      for (const bin of group.bins) {
        own[bin] = answer.upper;
        for (const { value, items } of answer.fillings)
          if (value > (bins[bin] as number)) found.push({ period, pattern: { bin, items } });
      }
    }
    return own;
  });
  return { found, worth, open };
}

function between(near: HoldDuals, far: HoldDuals, share: number): HoldDuals {
  const mixed = (a: Float64Array[], b: Float64Array[]) =>
    a.map((values, period) =>
      values.map((value, at) => (1 - share) * value + share * (b[period]?.[at] as number)),
    );
  return {
    items: mixed(near.items, far.items),
    bins: mixed(near.bins, far.bins),
    limits: mixed(near.limits, far.limits),
  };
}
