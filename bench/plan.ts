// Planning: how near to the proven bound in what time, and how much dearer the greedy rules of autoscalers are, by 6
// resources: 12 shapes × 8 types × 20,000 Pods (0.1 %), 200 × 50 × 100,000 (1 %), and small ones, which are to be the best.
import { decreasingFit, machineAfterMachine } from '../src/planning/solve/greedy.ts';
import { highs } from '../src/planning/solve/highs.ts';
import { costOf } from '../src/planning/solve/incumbent.ts';
import type { Problem } from '../src/planning/solve/problem.ts';
import { solve } from '../src/planning/solve/solve.ts';
import { type FleetSize, fleetProblem } from '../src/planning/solve/test-problems.ts';
import { type Row, report } from './report.ts';

const SIZES: readonly { name: string; size: FleetSize; gap: number; budget_s: number; seeds: number }[] = [
  {
    name: '12 × 8 × 20,000',
    size: { shapes: 12, types: 8, pods: 20_000 },
    gap: 0.001,
    budget_s: 2,
    seeds: 5,
  },
  {
    name: '200 × 50 × 100,000',
    size: { shapes: 200, types: 50, pods: 100_000 },
    gap: 0.01,
    budget_s: 60,
    seeds: 2,
  },
  { name: '6 × 4 × 100', size: { shapes: 6, types: 4, pods: 100 }, gap: 0.001, budget_s: 60, seeds: 12 },
  { name: '20 × 10 × 300', size: { shapes: 20, types: 10, pods: 300 }, gap: 0.001, budget_s: 60, seeds: 6 },
];
/** The gap on the way, told at these times. */
const TOLD_AT_S = [0.5, 1, 2, 5, 10, 20, 40];

interface Run {
  gap: number;
  seconds: number;
  first_s: number;
  /** By the times above; undefined: it had ended. */
  course: (number | undefined)[];
  greedy: { machineAfterMachine: number; firstFit: number; bestFit: number };
}

const RULES = [
  ['machineAfterMachine', 'one machine after another'],
  ['firstFit', 'first fit decreasing'],
  ['bestFit', 'best fit by dominant resource'],
] as const;

const solver = await highs();
const rows: Row[] = [];
for (const { name, size, gap, budget_s, seeds } of SIZES) {
  const runs = Array.from({ length: seeds }, (_, at) => run(fleetProblem(at + 1, size), gap));
  const worst = (of: (run: Run) => number) => Math.max(...runs.map(of));
  const percent = (what: string, share: number) => ({
    what: `${name}: ${what}`,
    value: share * 100,
    unit: '%',
  });
  const worstGap = worst((each) => each.gap);
  const proven = runs.filter((each) => each.gap === 0).length;
  if (proven > 0) rows.push({ what: `${name}: proven to be the best`, value: proven, unit: `of ${seeds}` });
  const seconds = worst((each) => each.seconds);
  rows.push({
    ...percent(`gap proven (worst of ${seeds})`, worstGap),
    times: worstGap / gap,
    of: 'what is wanted',
  });
  rows.push({
    what: `${name}: time`,
    value: seconds,
    unit: 's',
    times: seconds / budget_s,
    of: `${budget_s} s`,
  });
  rows.push({ what: `${name}: first plan`, value: worst((each) => each.first_s), unit: 's' });
  TOLD_AT_S.forEach((at_s, index) => {
    const gaps = runs.flatMap(({ course }) => course[index] ?? []);
    if (gaps.length > 0) rows.push(percent(`gap after ${at_s} s`, Math.max(...gaps)));
  });
  for (const [rule, words] of RULES) {
    const times = runs.reduce((sum, { greedy }) => sum + greedy[rule], 0) / seeds;
    rows.push({ ...percent(`${words} is dearer by`, times - 1), times, of: 'the proven bound' });
  }
}
report('plan', 'cost and proof, beside what autoscalers do', rows);

function run(problem: Problem, gap: number): Run {
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  const course: (number | undefined)[] = [];
  let first_s = 0;
  const steps = solve(problem, { solver, gap });
  let step = steps.next();
  while (!step.done) {
    first_s ||= seconds();
    const { cost, bound } = step.value;
    while (seconds() >= (TOLD_AT_S[course.length] ?? Number.POSITIVE_INFINITY))
      course.push((cost - bound) / cost);
    step = steps.next();
  }
  const { cost, bound } = step.value;
  const times = (rule: 'First' | 'Best') => costOf(problem, decreasingFit(problem, rule).packing) / bound;
  return {
    gap: (cost - bound) / cost,
    seconds: seconds(),
    first_s,
    course,
    greedy: {
      machineAfterMachine: costOf(problem, machineAfterMachine(problem).packing) / bound,
      firstFit: times('First'),
      bestFit: times('Best'),
    },
  };
}
