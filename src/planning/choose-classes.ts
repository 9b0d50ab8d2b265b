// Plans that use so many classes at most.
import type { Modelled } from './problem-of.ts';
import { type Problem, sum } from './solve/problem.ts';
import type { Solution } from './solve/solve.ts';

/** Choices that are all tried, at most. */
const CHOICES_MAX = 60;

/** Solves a problem; `what` names it for who waits. */
export type Solve<Step> = (
  problem: Problem,
  what: string,
  effort: 'Rough' | 'Whole',
) => Generator<Step, Solution>;

interface Choice {
  classes: string[];
  solution: Solution;
}

/** All choices where there are few; else the class that is cheapest to do without goes, one by one. */
export function* withClassesAtMost<Step>(
  modelled: Modelled,
  most: number | undefined,
  solve: Solve<Step>,
): Generator<Step, Solution> {
  const whole = yield* solve(modelled.problem, 'all classes', 'Whole');
  const used = classesOf(modelled, whole);
  if (most === undefined || used.length <= most) return whole;
  const choices = choicesOf([...new Set(modelled.bins.map(({ offer }) => offer.name))], most);
  if (choices) return yield* bestOf(modelled, yield* roughly(modelled, choices, solve), solve);
  let kept = used;
  while (kept.length > most) {
    const fewer = kept.map((dropped) => kept.filter((name) => name !== dropped));
    kept = cheapest(yield* roughly(modelled, fewer, solve)).classes;
  }
  const best = yield* solve(only(modelled, kept), kept.join(', '), 'Whole');
  // Other choices were not tried to their end: what holds is what holds with all classes.
  return { ...best, bound: Math.min(best.bound, whole.bound) };
}

function* roughly<Step>(
  modelled: Modelled,
  all: readonly string[][],
  solve: Solve<Step>,
): Generator<Step, Choice[]> {
  const choices: Choice[] = [];
  for (const classes of all) {
    const solution = yield* solve(only(modelled, classes), classes.join(', '), 'Rough');
    choices.push({ classes, solution });
  }
  return choices;
}

/** Only those that may still be the best are solved to their end. No choice costs less than the bound. */
function* bestOf<Step>(
  modelled: Modelled,
  choices: readonly Choice[],
  solve: Solve<Step>,
): Generator<Step, Solution> {
  let best = cheapest(choices).solution;
  let bound = Number.POSITIVE_INFINITY;
  for (const { classes, solution: rough } of choices.toSorted(
    (a, b) => a.solution.bound - b.solution.bound,
  )) {
    if (sum(rough.unplaced) > sum(best.unplaced)) continue;
    const solution =
      rough.bound < best.cost ? yield* solve(only(modelled, classes), classes.join(', '), 'Whole') : rough;
    bound = Math.min(bound, solution.bound);
    if (isBetter(solution, best)) best = solution;
  }
  return { ...best, bound: Math.min(best.cost, bound) };
}

function cheapest(choices: readonly Choice[]): Choice {
  return choices.reduce((best, each) => (isBetter(each.solution, best.solution) ? each : best));
}

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
  const [left, other] = [sum(a.unplaced), sum(b.unplaced)];
  return left < other || (left === other && a.cost < b.cost);
}
