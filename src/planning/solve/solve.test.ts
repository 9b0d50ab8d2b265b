import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Highs } from 'highs';
import { brokenPromises } from './check-packing.ts';
import { highs } from './highs.ts';
import type { Problem } from './problem.ts';
import { type Solution, type SolveOptions, solve } from './solve.ts';
import { optimumOf } from './test-optimum.ts';
import { fleetProblem, smallProblem } from './test-problems.ts';

let solver: Highs;
before(async () => {
  solver = await highs();
});

function solved(problem: Problem, options: Partial<SolveOptions> = {}): Solution {
  const steps = solve(problem, { solver, gap: 0.001, ...options });
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

const left = ({ unplaced }: Solution) => unplaced.reduce((sum, count) => sum + count, 0);

test('60 small problems cost what an integer program over every pattern says, and the bound is never over it', () => {
  let compared = 0;
  for (let seed = 1; compared < 60; seed++) {
    const problem = smallProblem(seed);
    const optimum = optimumOf(problem, solver);
    if (optimum === 'TooLarge') continue;
    compared++;
    const solution = solved(problem);
    if (optimum === 'Impossible') assert.ok(left(solution) > 0, `seed ${seed}`);
    else {
      assert.equal(left(solution), 0, `seed ${seed}`);
      assert.equal(solution.cost, optimum.cost, `seed ${seed}`);
      assert.ok(solution.bound <= optimum.cost, `seed ${seed}: the bound ${solution.bound} is over the best`);
    }
  }
});

test('40 small problems with shares: what can be placed is, at the least cost', () => {
  let compared = 0;
  for (let seed = 1; compared < 40; seed++) {
    const small = smallProblem(seed);
    if (small.bins.length < 2) continue;
    const share = [0.5, 0.6, 0.8][seed % 3] as number;
    const shares = small.bins.map(({ name }, at) => ({ name, bins: [at], share }));
    const problem = { ...small, shares };
    const optimum = optimumOf(problem, solver);
    if (typeof optimum === 'string') continue;
    compared++;
    const solution = solved(problem);
    assert.equal(left(solution), 0, `seed ${seed}`);
    // A machine may be bought empty for its share, which the integer program does not know of.
    assert.ok(solution.cost <= optimum.cost, `seed ${seed}: ${solution.cost} is over ${optimum.cost}`);
    assert.deepEqual(brokenPromises(problem, solution.packing, solution.unplaced), []);
  }
});

test('12 shapes × 8 types × 20,000 Pods are proven to a thousandth', () => {
  const problem = fleetProblem(1, { shapes: 12, types: 8, pods: 20_000 });
  const solution = solved(problem);
  assert.deepEqual(brokenPromises(problem, solution.packing, solution.unplaced), []);
  assert.ok(solution.cost - solution.bound <= 0.001 * solution.cost);
});

test('the same problem has the same solution', () => {
  const problem = () => fleetProblem(7, { shapes: 8, types: 5, pods: 400 });
  assert.deepEqual(solved(problem()).packing, solved(problem()).packing);
});

test('one that is stopped at once has a whole plan all the same', () => {
  const problem = fleetProblem(2, { shapes: 12, types: 8, pods: 5_000 });
  const solution = solved(problem, { stop: () => true });
  assert.equal(solution.stopped, true);
  assert.equal(left(solution), 0);
  assert.deepEqual(brokenPromises(problem, solution.packing, solution.unplaced), []);
});

test('machines of ours are filled first, since they cost nothing', () => {
  const base = fleetProblem(3, { shapes: 6, types: 3, pods: 300 });
  const [first] = base.bins;
  assert.ok(first);
  const owned = { ...first, name: 'owned', price: 0 };
  const problem: Problem = {
    ...base,
    bins: [owned, ...base.bins],
    limits: [{ name: 'owned', bins: [0], max: 10 }],
  };
  const [without, with10] = [solved(base), solved(problem)];
  const used = with10.packing.reduce((sum, { pattern, count }) => (pattern.bin === 0 ? sum + count : sum), 0);
  assert.equal(used, 10);
  assert.ok(with10.cost < without.cost);
  assert.ok(with10.bound <= with10.cost);
});

test('what stock does not allow is left out, and the bound holds for what is placed', () => {
  const problem: Problem = {
    items: [{ name: 'a', count: 25, need: [1] }],
    bins: [{ name: 'b', room: [4], price: 10 }],
    limits: [{ name: 'b', bins: [0], max: 5 }],
    shares: [],
    apart: [],
  };
  const solution = solved(problem);
  assert.deepEqual([left(solution), solution.cost], [5, 50]);
  assert.ok(solution.bound <= 50);
});

test('no class is more than its share of the machines', () => {
  const base = fleetProblem(4, { shapes: 8, types: 4, pods: 2_000 });
  const shares = base.bins.map(({ name }, bin) => ({ name, bins: [bin], share: 0.4 }));
  const problem = { ...base, shares };
  const solution = solved(problem, { gap: 0.01 });
  assert.equal(left(solution), 0);
  assert.deepEqual(brokenPromises(problem, solution.packing, solution.unplaced), []);
  assert.ok(solution.cost >= solved(base, { gap: 0.01 }).bound);
});
