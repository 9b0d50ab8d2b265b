import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../src/simulation/simulate.ts';

/** Some hours each: whole days with many seeds are `drover sim`. */
const SEEDS = [1, 2, 3, 4];

for (const seed of SEEDS) {
  test(`seed ${seed}: a quarter of a day with all faults breaks no invariant and leaves nothing open`, async () => {
    const report = await simulate({ seed, days: 0.25, machines: 36 });
    assert.deepEqual(report.violations, []);
    assert.ok(report.faults > 5, `only ${report.faults} faults struck: the run proves little`);
    assert.ok(report.incidents >= report.faults / 2, 'faults went unnoticed');
  });
}

test('the same seed gives the same run', async () => {
  const strip = ({ wall_ms: _, ...report }: Awaited<ReturnType<typeof simulate>>) => report;
  const options = { seed: 11, days: 0.05, machines: 24 };
  assert.deepEqual(strip(await simulate(options)), strip(await simulate(options)));
});
