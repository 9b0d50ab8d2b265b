// From workloads, offers and wishes to a plan: the solver, and around it what is asked of a plan beside its cost.
import type { Highs } from 'highs';
import type { Reason } from '../api/fields.ts';
import { toNumber } from '../platform/kube/quantity.ts';
import { someOf } from '../platform/some-of.ts';
import type { Change } from './changes.ts';
import { brokenPlan } from './check-plan.ts';
import { withClassesAtMost } from './choose-classes.ts';
import { bindingLimits, limitWorth, withLimit } from './limits.ts';
import { type Offer, PlanError, type Wishes, type Workload } from './model.ts';
import { fitNowhere, nowhereReason } from './nowhere.ts';
import { type ChangeWorth, machinesOf, type Plan, planOf, unplacedOf } from './plan.ts';
import { type Modelled, problemOf } from './problem-of.ts';
import { brokenSpares } from './solve/check-packing.ts';
import { type Packing, type Problem, sum } from './solve/problem.ts';
import { type Progress, type Solution, type SolveOptions, solve } from './solve/solve.ts';
import { missingReason, NO_SPARES, type Spares, sparesFor } from './spares.ts';

export interface PlanOptions {
  solver: Highs;
  wishes: Wishes;
  /** It ends when the gap is no greater than this share; by default 0.1 %, or 1 % of what is large. */
  gap?: number;
  /** So many of the limits that bind are confirmed by solving again; by default 3, or none of what is large. */
  limits?: number;
  /** Each is planned for by itself. */
  changes?: readonly Change[];
  stop?: () => boolean;
}

/** Shapes of Pods times kinds of machines; over it a plan takes many seconds. */
const LARGE = 1_000;
/** Shapes of Pods that a reason names. */
const LEFT_NAMED = 5;
/** Limits that are told, at most. */
const LIMITS_TOLD = 12;

/** Cost and bound in the units of the prices. */
export type PlanProgress = Progress & { what: string };

export function* makePlan(
  workloads: readonly Workload[],
  offers: readonly Offer[],
  options: PlanOptions,
): Generator<PlanProgress, Plan> {
  const { wishes, solver, stop } = options;
  checkShare(offers, wishes);
  const modelled = problemOf(workloads, offers, wishes);
  const isLarge = modelled.items.length * modelled.bins.length > LARGE;
  const { gap = isLarge ? 0.01 : 0.001, limits = isLarge ? 0 : 3 } = options;
  const effort: SolveOptions = { solver, gap, ...(stop && { stop }) };
  const nowhere = fitNowhere(modelled);
  const possible: Modelled = { ...modelled, problem: without(modelled.problem, new Set(nowhere)) };
  const rough: SolveOptions = { ...effort, isRough: true };
  const solution = yield* withClassesAtMost(possible, wishes.typesMax, (problem, what, how) =>
    named(solve(problem, how === 'Rough' ? rough : effort), possible, what),
  );
  const spares = sparesOf(possible, solution, wishes);
  const unplaced = solution.unplaced.map((count, item) =>
    nowhere.includes(item) ? (modelled.problem.items[item]?.count ?? 0) : count,
  );
  const plan = planOf(modelled, { ...solution, unplaced }, spares.counts);
  checkPlan({ workloads, wishes, plan, packing: solution.packing, spares, modelled });
  if (spares.missing.length > 0) plan.reasons.push(missingReason(possible, spares, wishes.spares));
  plan.reasons.push(...nowhere.map((item) => nowhereReason(modelled, item)));
  plan.reasons.push(...(yield* stockReasons(possible, solution, rough)));
  plan.reasons.push(...(yield* wishReasons(possible, solution, wishes, rough)));
  if (solution.stopped) plan.reasons.push(stoppedReason(plan));
  for (const [at, candidate] of bindingLimits(possible, solution).slice(0, LIMITS_TOLD).entries()) {
    const isTried = at < limits && !stop?.();
    const after = isTried
      ? yield* named(
          solve(withLimit(possible, candidate), rough),
          possible,
          `${candidate.class} with more ${possible.resources[candidate.resource]}`,
        )
      : undefined;
    plan.limits.push(limitWorth(possible, candidate, solution, after?.stopped ? undefined : after));
  }
  for (const change of options.changes ?? []) {
    if (stop?.()) break;
    plan.changes.push(yield* changed(change, plan, { ...options, gap, limits: 0, changes: [] }));
  }
  return plan;
}

/** Throws where the verifier finds that the plan is not what was asked for. */
function checkPlan({
  workloads,
  wishes,
  plan,
  packing,
  spares,
  modelled: { bins, items, zones },
}: {
  workloads: readonly Workload[];
  wishes: Wishes;
  plan: Plan;
  packing: Packing;
  spares: Spares;
  modelled: Modelled;
}): void {
  const empty = [...spares.counts].map(([bin, count]) => ({ pattern: { bin, items: [] }, count }));
  const machines = [...packing, ...empty].map(({ pattern, count }) => ({
    ...(bins[pattern.bin] as Modelled['bins'][number]),
    count,
    pods: pattern.items.map(([item, each]) => ({
      workload: (items[item] as Modelled['items'][number]).workload,
      count: each,
    })),
  }));
  const broken = brokenPlan({ workloads, wishes, zones, machines, unplaced: plan.unplaced });
  if (broken.length > 0) throw new Error(`the plan is wrong: ${broken.join('; ')}`);
}

/** A whole plan of its own, of which only what differs is told. */
function* changed(
  { what, workloads, offers }: Change,
  before: Plan,
  options: PlanOptions,
): Generator<PlanProgress, ChangeWorth> {
  const steps = makePlan(workloads, offers, options);
  for (;;) {
    const { done, value } = steps.next();
    if (!done) {
      yield { ...value, what: `${what}: ${value.what}` };
      continue;
    }
    return {
      what,
      cost: value.cost,
      bound: value.bound,
      saving: before.cost > 0 ? (before.cost - value.cost) / before.cost : 0,
      machines: { before: machinesOf(before), after: machinesOf(value) },
      unplaced: value.unplaced,
    };
  }
}

function* named(
  steps: Generator<Progress, Solution>,
  { priceStep }: Modelled,
  what: string,
): Generator<PlanProgress, Solution> {
  const price = toNumber(priceStep);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    const { cost, bound, inSight } = value;
    yield {
      ...value,
      cost: cost * price,
      bound: bound * price,
      ...(inSight !== undefined && { inSight: inSight * price }),
      what,
    };
  }
}

function checkShare(offers: readonly Offer[], { shareMax }: Wishes): void {
  const names = new Set(offers.map(({ name }) => name));
  if (shareMax !== undefined && names.size * shareMax < 100)
    throw new PlanError(
      `at most ${shareMax} % of each of ${names.size} classes makes less than 100 %: allow more, or name more classes`,
    );
}

function without(problem: Problem, items: ReadonlySet<number>): Problem {
  return {
    ...problem,
    items: problem.items.map((item, at) => (items.has(at) ? { ...item, count: 0 } : item)),
  };
}

/** Throws where the verifier finds them wrong. */
function sparesOf(modelled: Modelled, { packing }: Solution, { spares: k, typesMax }: Wishes): Spares {
  if (k === 0) return NO_SPARES;
  const { problem } = modelled;
  const there = problem.bins.map((_, bin) =>
    sum(packing.map(({ pattern, count }) => (pattern.bin === bin ? count : 0))),
  );
  const spares = sparesFor(modelled, {
    spares: k,
    ...(typesMax !== undefined && { typesMax }),
    patterns: packing.map(({ pattern }) => pattern),
    there: [there],
    prices: problem.bins.map(({ price }) => price),
  });
  const broken = brokenSpares(problem, packing, { ...spares, k });
  if (broken.length > 0) throw new Error(`the spares are wrong: ${broken.join('; ')}`);
  return spares;
}

/** Which stock is used up, and what the plan would cost without that. */
function* stockReasons(
  modelled: Modelled,
  solution: Solution,
  effort: SolveOptions,
): Generator<PlanProgress, Reason[]> {
  const { problem, priceStep } = modelled;
  const binding = problem.limits.filter(({ bins, max }, at) => {
    const used = solution.packing.reduce(
      (sum, { pattern, count }) => (bins.includes(pattern.bin) ? sum + count : sum),
      0,
    );
    return (
      used >= max &&
      ((solution.duals.limits[at] as number) > 0 || solution.unplaced.some((count) => count > 0)) &&
      bins.some((bin) => (problem.bins[bin]?.price ?? 0) > 0)
    );
  });
  if (binding.length === 0 || effort.stop?.()) return [];
  const free = yield* named(
    solve({ ...problem, limits: problem.limits.filter((limit) => !binding.includes(limit)) }, effort),
    modelled,
    'without stock that binds',
  );
  const price = toNumber(priceStep);
  const left = leftWords(modelled, solution);
  const words = binding.map(({ name, max }) => `${name} (${max})`).join(', ');
  // What there is does without a limit too, where it holds all.
  const cost = left.length > 0 ? free.cost : Math.min(free.cost, solution.cost);
  return [
    {
      reason: 'StockBinds',
      message:
        `all is used of ${words}${left.length > 0 ? `, and ${left.join(', ')} have no place` : ''}; without that limit the plan would cost ${money(cost * price)} instead of ${money(solution.cost * price)}`.slice(
          0,
          1024,
        ),
    },
  ];
}

function leftWords(modelled: Modelled, { unplaced }: Solution): string[] {
  return Object.entries(unplacedOf(modelled, unplaced)).map(([name, count]) => `${count} of ${name}`);
}

/** Which wish leaves Pods without a place that have one without it. */
function* wishReasons(
  modelled: Modelled,
  solution: Solution,
  { shareMax, typesMax }: Wishes,
  rough: SolveOptions,
): Generator<PlanProgress, Reason[]> {
  const { problem } = modelled;
  const left = sum(solution.unplaced);
  if (left === 0) return [];
  const reasons: Reason[] = [];
  const wishes: [string, Problem | undefined][] = [
    [
      `no class is more than ${shareMax} % of the machines`,
      shareMax === undefined ? undefined : { ...problem, shares: [] },
    ],
    [`there are ${typesMax} classes at most`, typesMax === undefined ? undefined : problem],
  ];
  for (const [what, without] of wishes) {
    if (!without || rough.stop?.()) continue;
    const free = yield* named(solve(without, rough), modelled, `not that ${what}`);
    const after = Object.values(unplacedOf(modelled, free.unplaced));
    if (sum(free.unplaced) < left)
      reasons.push({
        reason: 'WishBinds',
        message: `the wish that ${what} leaves ${someOf(leftWords(modelled, solution), LEFT_NAMED)} without a place; without it ${sum(after) === 0 ? 'all have one' : `${sum(after)} Pods have none`}`,
      });
  }
  return reasons;
}

function stoppedReason({ gap }: Plan): Reason {
  return {
    reason: 'Stopped',
    message: `it was broken off: the best plan so far, at most ${(gap * 100).toFixed(2)} % over the best possible`,
  };
}

export function money(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: 2, useGrouping: false });
}
