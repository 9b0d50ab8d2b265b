// From series of Pods and prices by tier to machines held and rented, and what the event costs by itself.
import type { Highs } from 'highs';
import { toNumber } from '../../platform/kube/quantity.ts';
import type { Series } from '../by-date.ts';
import { PlanError } from '../model.ts';
import { solve } from '../solve/solve.ts';
import type { Spares } from '../spares.ts';
import { type HoldPlan, holdPlanOf } from './answer.ts';
import { dateWords } from './calendar.ts';
import { brokenHolding } from './check.ts';
import { type Horizon, horizonOf, type Period, periodsOf, usualOf, withoutEvent } from './periods.ts';
import { problemIn } from './problem.ts';
import { type HoldFleet, type HoldModelled, holdProblemOf, type Ways } from './problem-of.ts';
import { type HoldSolution, solveHold } from './solve.ts';
import { withSpares } from './spares.ts';

export interface HoldRequest extends HoldFleet {
  /** Of every workload; without dates it stays as it is. */
  series: readonly Series[];
  from?: string;
  to?: string;
  leadTime_ms: number;
}

export interface MakeHoldOptions {
  solver: Highs;
  /** It ends when the gap is no greater than this share. */
  gap: number;
  stop?: () => boolean;
}

export interface HoldProgressWords {
  what: string;
  /** 0: there is none yet. */
  cost: number;
  bound: number;
}

/** Of what is only compared with. */
const ROUGH_GAP = 0.005;

/** A plan with its cost in the unit of the prices. */
export interface Solved {
  modelled: HoldModelled;
  solution: HoldSolution;
  /** There all the time, beside what the solution has. */
  spares: Spares;
  cost: number;
  bound: number;
}

export function* makeHoldPlan(
  request: HoldRequest,
  options: MakeHoldOptions,
): Generator<HoldProgressWords, HoldPlan> {
  const horizon = horizonOf(request.series, request);
  checkRates(request, horizon);
  const periods = periodsOf(request.series, horizon);
  const usual = usualOf(periods);
  const whole = yield* solvedOf(request, periods, 'held and rented', options);
  if (!whole) throw yield* noPlace(request, periods, options);
  // What is compared with it has no spares either, where it can have none.
  const { wishes } = request;
  const like = {
    ...request,
    wishes: { ...wishes, spares: whole.spares.missing.length > 0 ? 0 : wishes.spares },
  };
  const usualPeriods = withoutEvent(periods, usual);
  const isEvent = periods.some(({ replicas }) =>
    [...replicas].some(([name, count]) => count > (usual.get(name) ?? 0)),
  );
  const base = isEvent ? yield* solvedOf(like, usualPeriods, 'without the event', options) : whole;
  const rough = { ...options, gap: Math.max(options.gap, ROUGH_GAP) };
  const held = yield* solvedOf(like, periods, 'all held', rough, 'Held');
  const rented = yield* solvedOf(like, periods, 'all rented', rough, 'Rented');
  return holdPlanOf({ request, periods, usual, whole, base, held, rented });
}

function* solvedOf(
  request: HoldRequest,
  periods: readonly Period[],
  what: string,
  { solver, gap, stop = () => false }: MakeHoldOptions,
  ways?: Ways,
): Generator<HoldProgressWords, Solved | undefined> {
  const modelled = holdProblemOf(request, periods, ways);
  const { problem, costStep } = modelled;
  const step = toNumber(costStep);
  const steps = solveHold(problem, { solver, gap, stop });
  for (;;) {
    const { done, value } = steps.next();
    if (!done) {
      yield { what, cost: value.cost * step, bound: value.bound * step };
      continue;
    }
    if (!value) return undefined;
    const { spares, cost, bound } = withSpares(modelled, value, request.wishes.spares);
    // Spares are there all the time, as what is held.
    const held = value.holding.held.map((count, bin) => count + (spares.counts.get(bin) ?? 0));
    const broken = brokenHolding({ ...problem, held: modelled.always }, periods, request.shortestRental_ms, {
      ...value,
      holding: { ...value.holding, held },
    });
    if (broken.length > 0) throw new Error(`the plan is wrong: ${broken.join('; ')}`);
    const price = (count: number) => toNumber(BigInt(count) * costStep);
    return { modelled, solution: value, spares, cost: price(cost), bound: price(bound) };
  }
}

function checkRates({ offers, rates, shortestRental_ms }: HoldRequest, horizon: Horizon): void {
  const names = [...new Set(offers.filter(({ owned }) => !owned).map(({ name }) => name))];
  if (shortestRental_ms > horizon.to_ms - horizon.from_ms)
    throw new PlanError(
      `the shortest rental is longer than the time from ${dateWords(horizon.from_ms)} to ${dateWords(horizon.to_ms)}: nothing could be rented; take a longer time or a shorter rental`,
    );
  for (const [tier, key] of [
    ['Daily', 'daily'],
    ['Promotion', 'promotion'],
  ] as const)
    if (names.length > 0 && !names.some((name) => rates.get(name)?.[key]))
      throw new PlanError(
        `no class has a price of the tier ${tier}: write { tier: ${tier}, hour: "12.50" } at spec.prices of the classes that can be ${tier === 'Daily' ? 'held' : 'rented'}`,
      );
}

/** Which Pods have none, and when. */
function* noPlace(
  request: HoldRequest,
  periods: readonly Period[],
  { solver, stop = () => false }: MakeHoldOptions,
): Generator<HoldProgressWords, PlanError> {
  if (stop()) return new PlanError('it was broken off before there was any plan');
  const { problem } = holdProblemOf(request, periods);
  const bins = problem.packing.bins.map((bin) => ({ ...bin, price: 1 }));
  for (const [at, period] of periods.entries()) {
    const own = { ...problemIn(problem, at), bins };
    const steps = solve(own, { solver, gap: 0.01, stop });
    for (;;) {
      const { done, value } = steps.next();
      if (!done) {
        yield { what: 'what has no place', cost: 0, bound: 0 };
        continue;
      }
      const left = value.unplaced.flatMap((count, item) =>
        count > 0 ? [`${count} of ${own.items[item]?.name}`] : [],
      );
      if (left.length > 0)
        return new PlanError(
          `from ${dateWords(period.from_ms)} on there is no place for ${left.slice(0, 10).join(', ')}, whatever is held or rented: drover plan --at ${dateWords(period.from_ms)} says what they lack`,
        );
      break;
    }
  }
  return new PlanError(
    'each date by itself has machines enough, but not all together: stock or quota is too small for rentals as long as the shortest',
  );
}
