// Random small problems, solved by the planner and by an integer program over every pattern: `node scripts/plan-trial.ts [300]`.
import { highs } from '../src/planning/solve/highs.ts';
import { solve } from '../src/planning/solve/solve.ts';
import { optimumOf } from '../src/planning/solve/test-optimum.ts';
import { smallProblem } from '../src/planning/solve/test-problems.ts';

const wanted = Number(process.argv[2] ?? 300);
const solver = await highs();
const found = { equal: 0, proven: 0, impossible: 0, differs: 0 };
let left = 0;
for (let seed = 1, tried = 0; tried < wanted; seed++) {
  const problem = smallProblem(seed);
  const optimum = optimumOf(problem, solver);
  if (optimum === 'TooLarge') {
    left++;
    continue;
  }
  tried++;
  const steps = solve(problem, { solver, gap: 0.001 });
  let step = steps.next();
  while (!step.done) step = steps.next();
  const { cost, bound, unplaced } = step.value;
  const ours = unplaced.some((count) => count > 0) ? 'Impossible' : cost;
  const best = optimum === 'Impossible' ? optimum : optimum.cost;
  if (ours !== best) {
    found.differs++;
    console.log(`seed ${seed}: the best is ${best}, ours ${ours}, bound ${bound}`);
  } else if (best === 'Impossible') found.impossible++;
  else {
    found.equal++;
    if (bound === cost) found.proven++;
    else console.log(`seed ${seed}: ${cost} is the best, and only ${bound} is proven`);
  }
}
console.log(
  `${wanted} problems: ${found.equal} of equal cost (${found.proven} proven), ${found.impossible} impossible in both, ${found.differs} differ; ${left} more were too large for the integer program`,
);
process.exitCode = found.differs > 0 ? 1 : 0;
