import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Highs } from 'highs';
import { seededRandom } from '../../platform/clock/random.ts';
import { prove, wholeDuals } from './bound.ts';
import { highs } from './highs.ts';
import { Pricer } from './pricing.ts';
import type { Pattern } from './problem.ts';
import { optimumOf } from './test-optimum.ts';
import { allPatterns, smallProblem } from './test-problems.ts';

let solver: Highs;
before(async () => {
  solver = await highs();
});

test('whatever the prices of the items are, the bound is never over the best', () => {
  const random = seededRandom(1);
  let over0 = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const problem = smallProblem(seed);
    const optimum = optimumOf(problem, solver);
    if (typeof optimum === 'string') continue;
    const pricer = new Pricer(problem);
    for (let draw = 0; draw < 20; draw++) {
      const duals = wholeDuals(
        {
          items: Float64Array.from(problem.items, () => 12 * random()),
          limits: Float64Array.from(problem.limits, () => (draw % 2) * 10 * random()),
          shares: new Float64Array(),
        },
        problem,
      );
      // Broken off after few nodes in half of the draws: then an upper bound stands for the best filling.
      const { worth } = pricer.price(duals, 0.1 * random(), draw < 10 ? 5 : 100_000);
      const { bound } = prove(problem, duals, worth);
      assert.ok(bound <= optimum.cost, `seed ${seed}: ${bound} is over ${optimum.cost}`);
      if (bound > 0.5 * optimum.cost) over0++;
    }
  }
  // Else a bound of nothing would do.
  assert.ok(over0 > 100);
});

test('whatever the prices are, a filling that the proof excludes from anything cheaper is in no best packing', () => {
  const random = seededRandom(2);
  let excluded = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const problem = smallProblem(seed);
    const optimum = optimumOf(problem, solver);
    if (typeof optimum === 'string') continue;
    const pricer = new Pricer(problem);
    for (let draw = 0; draw < 10; draw++) {
      // In the first draw nothing is known of what a filling is worth.
      const items = Float64Array.from(problem.items, () => 12 * random());
      const limits = Float64Array.from(problem.limits, () => (draw % 2) * 10 * random());
      const duals = wholeDuals({ items, limits, shares: new Float64Array() }, problem);
      const nothing = problem.bins.map(() => Number.POSITIVE_INFINITY);
      const worth = draw === 0 ? Float64Array.from(nothing) : pricer.price(duals, 0, 100_000).worth;
      const proof = prove(problem, duals, worth);
      const slack = (optimum.cost - proof.bound) * proof.divisor * proof.duals.scale;
      const reduced = ({ bin, items: held }: Pattern) =>
        (proof.ceilings[bin] as number) -
        held.reduce((sum, [item, count]) => sum + count * (proof.duals.items[item] as number), 0);
      for (const { pattern } of optimum.packing)
        assert.ok(reduced(pattern) <= slack * (1 + 1e-9) + 1, `seed ${seed}, draw ${draw}`);
      excluded += allPatterns(problem).filter((pattern) => reduced(pattern) > slack).length;
    }
  }
  // Else a proof that excludes nothing would do.
  assert.ok(excluded > 1_000);
});
