import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branch } from './branch.ts';
import { brokenPromises } from './check-packing.ts';
import { generateColumns } from './columns.ts';
import { machineAfterMachine, singlePatterns } from './greedy.ts';
import { highs } from './highs.ts';
import { Incumbent } from './incumbent.ts';
import type { Problem } from './problem.ts';
import { optimumOf } from './test-optimum.ts';
import { fleetProblem, smallProblem } from './test-problems.ts';

const solver = await highs();

/** From a greedy packing, with nothing else that looks for a better one; stopped after so many steps. */
function branched(problem: Problem, steps = Number.POSITIVE_INFINITY): Incumbent {
  const incumbent = new Incumbent(problem, 0);
  const first = machineAfterMachine(problem);
  incumbent.takePacking(first.packing, first.unplaced);
  const start = [...singlePatterns(problem), ...first.packing.map(({ pattern }) => pattern)];
  const columns = generateColumns(problem, { solver, start, tolerance: 1e-9, rounds: 1_000 });
  let step = columns.next();
  while (!step.done) step = columns.next();
  incumbent.raise(step.value.bound);
  let done = 0;
  const stop = () => done >= steps;
  for (const _ of branch(problem, incumbent, step.value, { solver, stop })) done++;
  return incumbent;
}

test('100 small problems: never a bound over the best that an integer program finds, and nearly all are proven', () => {
  let compared = 0;
  let proven = 0;
  for (let seed = 1; compared < 100; seed++) {
    const problem = smallProblem(seed);
    const optimum = optimumOf(problem, solver);
    if (optimum === 'TooLarge' || optimum === 'Impossible') continue;
    compared++;
    const found = branched(problem);
    assert.ok(found.bound <= optimum.cost, `seed ${seed}: the bound ${found.bound} is over ${optimum.cost}`);
    if (found.isWhole) assert.ok(found.cost >= optimum.cost, `seed ${seed}`);
    if (found.isProven) proven++;
  }
  assert.ok(proven >= 95, `${proven} are proven`);
});

test('wherever it is stopped, the bound holds', () => {
  let compared = 0;
  for (let seed = 1; compared < 40; seed++) {
    const problem = smallProblem(seed);
    const optimum = optimumOf(problem, solver);
    if (typeof optimum === 'string') continue;
    compared++;
    for (const steps of [1, 2, 3, 5, 8, 13]) {
      const { bound } = branched(problem, steps);
      assert.ok(bound <= optimum.cost, `seed ${seed}, after ${steps}: ${bound} is over ${optimum.cost}`);
    }
  }
});

test('where types have uneven prices, whole numbers of machines close what fractions leave open', () => {
  const problem = fleetProblem(2, { shapes: 6, types: 4, pods: 100 });
  const found = branched(problem);
  assert.equal(found.bound, found.cost);
  const { packing, unplaced } = found.best;
  assert.deepEqual(brokenPromises(problem, packing, unplaced), []);
});
