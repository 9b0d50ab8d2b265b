// Plans that use so many classes at most.
import type { Modelled } from './problem-of.ts';
import { type Problem, sum } from './solve/problem.ts';
import type { Solution } from './solve/solve.ts';

/** Choices that are all tried, at most. */
const CHOICES_MAX = 60;
/** On the way, where not all are tried, plans need not be nearer than this. */
const ROUGH_GAP = 0.01;

/** Solves a problem; `what` names it for who waits. */
export type Solve<Step> = (problem: Problem, what: string, gap?: number) => Generator<Step, Solution>;

/** All choices where there are few; else the class that is cheapest to do without goes, one by one. */
export function* withClassesAtMost<Step>(
  modelled: Modelled,
  most: number | undefined,
  solve: Solve<Step>,
): Generator<Step, Solution> {
  const whole = yield* solve(modelled.problem, 'all classes');
  const used = classesOf(modelled, whole);
  if (most === undefined || used.length <= most) return whole;
  const choices = choicesOf([...new Set(modelled.bins.map(({ offer }) => offer.name))], most);
  if (choices) return (yield* bestOf(modelled, choices, solve)).solution;
  let kept = used;
  while (kept.length > most) {
    const fewer = kept.map((dropped) => kept.filter((name) => name !== dropped));
    kept = (yield* bestOf(modelled, fewer, solve, ROUGH_GAP)).choice;
  }
  const best = yield* solve(only(modelled, kept), kept.join(', '));
  // Other choices were not tried to their end: what holds is what holds with all classes.
  return { ...best, bound: Math.min(best.bound, whole.bound) };
}

/** The bound is that of the lowest: no choice costs less. */
function* bestOf<Step>(
  modelled: Modelled,
  choices: readonly string[][],
  solve: Solve<Step>,
  gap?: number,
): Generator<Step, { choice: string[]; solution: Solution }> {
  let best: { choice: string[]; solution: Solution } | undefined;
  let bound = Number.POSITIVE_INFINITY;
  for (const choice of choices) {
    const solution = yield* solve(only(modelled, choice), choice.join(', '), gap);
    if (sum(solution.unplaced) === 0) bound = Math.min(bound, solution.bound);
    if (!best || isBetter(solution, best.solution)) best = { choice, solution };
  }
  if (!best) throw new Error('there was nothing to choose from');
  const { choice, solution } = best;
  return { choice, solution: { ...solution, bound: Math.min(solution.bound, bound) } };
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
