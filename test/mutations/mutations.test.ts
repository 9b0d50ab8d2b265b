import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MUTANTS } from './mutants.ts';
import { liveOf } from './run.ts';

for (const mutant of MUTANTS) {
  test(`the simulation catches it when ${mutant.name} (invariant ${mutant.invariant}, seed ${mutant.seed})`, () => {
    const { violations } = liveOf(mutant);
    const numbers = violations.map(({ invariant }) => invariant);
    assert.ok(numbers.includes(mutant.invariant), `caught ${numbers.join() || 'nothing'}`);
  });
}
