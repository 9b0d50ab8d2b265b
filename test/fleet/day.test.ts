// The main job at default settings on a real control plane, with boots that take as long as they do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MINUTE } from '../../src/platform/clock/clock.ts';
import { LIMIT_MS, runDay, tableOf } from './day.ts';
import { Stage } from './stage.ts';

const MACHINES = 60;
/** 1-5-10. */
const FOUND_S_MAX = 60;
const LOCATED_S_MAX = 300;
const HEALED_S_MAX = 600;

test('every fault is found within 1 minute, located within 5 and healed within 10, and no machine is touched in vain', {
  timeout: LIMIT_MS,
}, async (t) => {
  await using stage = await Stage.open({ machines: MACHINES, applications: 2 });
  stage.startReplica('drover-0');
  const report = await runDay(stage, MACHINES, {
    crashes: 2,
    dumps: 1,
    hangs: 1,
    kubelets: 2,
    rackDark_ms: 2 * MINUTE,
    spread_ms: MINUTE / 2,
    seed: 7,
    limit_ms: LIMIT_MS,
  });
  t.diagnostic(`\n${tableOf(report)}`);
  for (const { kind, machine, found_s, located_s, ended_s, acts, expected } of report.stories) {
    const who = `${kind} of ${machine}`;
    assert.ok(found_s !== undefined && found_s <= FOUND_S_MAX, `${who}: found after ${found_s} s`);
    assert.ok(located_s !== undefined && located_s <= LOCATED_S_MAX, `${who}: located after ${located_s} s`);
    assert.ok(ended_s !== undefined && ended_s <= HEALED_S_MAX, `${who}: well after ${ended_s} s`);
    assert.equal(acts, expected, `${who}: power acts`);
  }
  const { wrong, doubleActs, cordonsLeft, incidentsLeft, operationsLeft } = report;
  assert.deepEqual(
    { wrong, doubleActs, cordonsLeft, incidentsLeft, operationsLeft },
    { wrong: 0, doubleActs: 0, cordonsLeft: [], incidentsLeft: [], operationsLeft: [] },
  );
});
