// From workloads, offers and wishes to a plan: the solver, and around it what is asked of a plan beside its cost.
import type { Highs } from 'highs';
import type { Reason } from '../api/fields.ts';
import { formatQuantity, toNumber } from '../platform/kube/quantity.ts';
import { bindingLimits, limitWorth, withLimit } from './limits.ts';
import { type Offer, PlanError, type Wishes, type Workload } from './model.ts';
import { type Plan, planOf, unplacedOf } from './plan.ts';
import { type Modelled, nameOf, problemOf } from './problem-of.ts';
import { mostIn, type Problem } from './solve/problem.ts';
import { type Progress, type Solution, solve } from './solve/solve.ts';
import { sparesFor } from './spares.ts';

export interface PlanOptions {
  solver: Highs;
  wishes: Wishes;
  /** It ends when the gap is no greater than this share. */
  gap: number;
  /** So many of the limits that bind are confirmed by solving again. */
  limits: number;
  stop?: () => boolean;
}

/** Cost and bound in the units of the prices. */
export type PlanProgress = Progress & { what: string };

export function* makePlan(
  workloads: readonly Workload[],
  offers: readonly Offer[],
  options: PlanOptions,
): Generator<PlanProgress, Plan> {
  const { wishes } = options;
  checkShare(offers, wishes);
  const modelled = problemOf(workloads, offers, wishes);
  const nowhere = fitNowhere(modelled);
  const possible: Modelled = { ...modelled, problem: without(modelled.problem, new Set(nowhere)) };
  const solution = yield* solveWithTypes(possible, options);
  const spares = sparesFor(possible, solution.packing, wishes.spares);
  const unplaced = solution.unplaced.map((count, item) =>
    nowhere.includes(item) ? (modelled.problem.items[item]?.count ?? 0) : count,
  );
  const plan = planOf(possible, { ...solution, unplaced }, spares);
  plan.reasons.push(...nowhere.map((item) => nowhereReason(modelled, item)));
  plan.reasons.push(...(yield* stockReasons(possible, solution, options)));
  if (solution.stopped) plan.reasons.push(stoppedReason(plan));
  for (const candidate of bindingLimits(possible, solution).slice(0, options.stop?.() ? 0 : options.limits)) {
    const problem = withLimit(possible, candidate);
    const after = yield* named(
      solve(problem, { ...options }),
      possible,
      `${candidate.class} with more ${possible.resources[candidate.resource]}`,
    );
    if (after.stopped) break;
    plan.limits.push(limitWorth(possible, candidate, solution, after));
  }
  return plan;
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
    yield { ...value, cost: value.cost * price, bound: value.bound * price, what };
  }
}

function checkShare(offers: readonly Offer[], { shareMax }: Wishes): void {
  const names = new Set(offers.map(({ name }) => name));
  if (shareMax !== undefined && names.size * shareMax < 100)
    throw new PlanError(
      `at most ${shareMax} % of each of ${names.size} classes makes less than 100 %: allow more, or name more classes`,
    );
}

/** Of classes only so many: all choices where there are few, else the dearest to do without stays, one by one. */
function* solveWithTypes(modelled: Modelled, options: PlanOptions): Generator<PlanProgress, Solution> {
  const { typesMax } = options.wishes;
  const whole = yield* named(solve(modelled.problem, options), modelled, 'all classes');
  const used = classesOf(modelled, whole);
  if (typesMax === undefined || used.length <= typesMax) return whole;
  const classes = [...new Set(modelled.bins.map(({ offer }) => offer.name))];
  let best: Solution | undefined;
  const sets = choicesOf(classes, typesMax);
  if (sets) {
    for (const set of sets) {
      const solution = yield* named(solve(only(modelled, set), options), modelled, set.join(', '));
      if (!best || isBetter(solution, best)) best = solution;
    }
  } else {
    let set = used;
    while (set.length > typesMax) {
      let bestSet: string[] | undefined;
      best = undefined;
      for (const dropped of set) {
        const rest = set.filter((name) => name !== dropped);
        const solution = yield* named(
          solve(only(modelled, rest), { ...options, gap: Math.max(options.gap, 0.01) }),
          modelled,
          `without ${dropped}`,
        );
        if (!best || isBetter(solution, best)) [best, bestSet] = [solution, rest];
      }
      set = bestSet as string[];
    }
    best = yield* named(solve(only(modelled, set), options), modelled, set.join(', '));
  }
  if (!best) return whole;
  // With all classes allowed nothing costs less than this; for the best of all choices its own bound holds too.
  return { ...best, bound: sets ? best.bound : Math.min(best.bound, whole.bound) };
}

const CHOICES_MAX = 60;

/** All sets of so many; undefined where there are too many of them. */
function choicesOf(names: readonly string[], count: number): string[][] | undefined {
  const sets: string[][] = [];
  const visit = (from: number, set: string[]): boolean => {
    if (set.length === count) return sets.push(set) <= CHOICES_MAX;
    for (let at = from; at < names.length; at++)
      if (!visit(at + 1, [...set, names[at] as string])) return false;
    return true;
  };
  return visit(0, []) ? sets : undefined;
}

function only({ problem, bins }: Modelled, classes: readonly string[]): Problem {
  const all = new Set(problem.items.keys());
  return {
    ...problem,
    bins: problem.bins.map((bin, at) =>
      classes.includes(bins[at]?.offer.name ?? '') ? bin : { ...bin, refuses: all },
    ),
  };
}

function classesOf({ bins }: Modelled, { packing }: Solution): string[] {
  return [...new Set(packing.map(({ pattern }) => bins[pattern.bin]?.offer.name ?? ''))];
}

function isBetter(a: Solution, b: Solution): boolean {
  const left = ({ unplaced }: Solution) => unplaced.reduce((sum, count) => sum + count, 0);
  return left(a) < left(b) || (left(a) === left(b) && a.cost < b.cost);
}

/** Items that no bin takes. */
function fitNowhere({ problem }: Modelled): number[] {
  return problem.items.flatMap((item, at) =>
    problem.bins.some((bin) => mostIn(item, at, bin) > 0) ? [] : [at],
  );
}

function without(problem: Problem, items: ReadonlySet<number>): Problem {
  return {
    ...problem,
    items: problem.items.map((item, at) => (items.has(at) ? { ...item, count: 0 } : item)),
  };
}

function nowhereReason(modelled: Modelled, item: number): Reason {
  const { problem, resources, steps, bins, items } = modelled;
  const need = problem.items[item]?.need ?? [];
  const lacksOf = (bin: number) =>
    need.flatMap((amount, at) => (amount > (problem.bins[bin]?.room[at] ?? 0) ? [at] : []));
  const allowed = [...problem.bins.keys()].filter((bin) => !problem.bins[bin]?.refuses?.has(item));
  const name = problem.items[item]?.name ?? '';
  const nearest = allowed.sort((a, b) => lacksOf(a).length - lacksOf(b).length || shortBy(a) - shortBy(b))[0];
  function shortBy(bin: number): number {
    return Math.max(
      0,
      ...lacksOf(bin).map((at) => (need[at] as number) / Math.max(1, problem.bins[bin]?.room[at] ?? 0)),
    );
  }
  if (nearest === undefined)
    return {
      reason: 'FitsNowhere',
      message: `${name} has no class that it may be on: ${items[item]?.workload.classes?.join(', ') ?? 'none suits its kind'}`,
    };
  const amount = (whole: number, at: number) => formatQuantity(BigInt(whole) * (steps[at] as bigint));
  const lacks = lacksOf(nearest).map(
    (at) =>
      `${amount(need[at] as number, at)} ${resources[at]}, and ${nameOf(bins[nearest] as Modelled['bins'][number])} has ${amount(problem.bins[nearest]?.room[at] ?? 0, at)}`,
  );
  return {
    reason: 'FitsNowhere',
    message: `${name} fits on no class; the nearest lacks least: it needs ${lacks.join('; ')}`,
  };
}

/** Which stock is used up, and what the plan would cost without that. */
function* stockReasons(
  modelled: Modelled,
  solution: Solution,
  options: PlanOptions,
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
  if (binding.length === 0 || options.stop?.()) return [];
  const free = yield* named(
    solve({ ...problem, limits: problem.limits.filter((limit) => !binding.includes(limit)) }, options),
    modelled,
    'without stock that binds',
  );
  const price = toNumber(priceStep);
  const left = Object.entries(unplacedOf(modelled, solution.unplaced)).map(
    ([name, count]) => `${count} of ${name}`,
  );
  const words = binding.map(({ name, max }) => `${name} (${max})`).join(', ');
  return [
    {
      reason: 'StockBinds',
      message:
        `all is used of ${words}${left.length > 0 ? `, and ${left.join(', ')} have no place` : ''}; without that limit the plan would cost ${money(free.cost * price)} instead of ${money(solution.cost * price)}`.slice(
          0,
          1024,
        ),
    },
  ];
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
