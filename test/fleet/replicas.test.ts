// What becomes of a fleet when Drover itself dies, freezes and comes back.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { MINUTE, SECOND } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { killAgainAndAgain, LIMIT_MS, runDay, tableOf } from './day.ts';
import { Stage, until } from './stage.ts';

const MACHINES = 60;
const TAKEOVER_S_MAX = 15;
const KILLS = 10;

let stage: Stage;
before(async () => {
  stage = await Stage.open({ machines: MACHINES, boot: '25s-35s', dump: '20s-40s' });
});
after(() => stage?.[Symbol.asyncDispose]());

const leads = (identity: string) =>
  until(`${identity} leads`, 30 * SECOND, async () => (await stage.leader()) === identity || undefined);

describe('replicas', { timeout: LIMIT_MS }, () => {
  test('a second replica takes over within 15 s when the leader is killed', async () => {
    stage.startReplica('first');
    await leads('first');
    stage.startReplica('second');
    await until(
      'the second is ready',
      30 * SECOND,
      async () => stage.log('second').includes('started') || undefined,
    );
    const killedAt = systemClock.now();
    await stage.kill('first');
    await leads('second');
    const took_s = (systemClock.now() - killedAt) / SECOND;
    assert.ok(took_s <= TAKEOVER_S_MAX, `it took ${took_s} s`);
  });

  test('a leader that was frozen does nothing once it wakes', async () => {
    const machine = 'm00032';
    stage.startReplica('third');
    await until(
      'the third is ready',
      30 * SECOND,
      async () => stage.log('third').includes('started') || undefined,
    );
    await stage.freeze('second');
    const frozenAt = systemClock.now();
    await leads('third');
    assert.ok((systemClock.now() - frozenAt) / SECOND <= TAKEOVER_S_MAX);
    await stage.strike('crash', machine);
    await until(
      'the crash is repaired under the new leader',
      MINUTE,
      async () => (await stage.truth()).acts.some((act) => act.machine === machine) || undefined,
    );
    stage.thaw('second');
    await until(
      'it sees that it no longer leads',
      30 * SECOND,
      async () => stage.log('second').includes('no longer leading') || undefined,
    );
    await until('the incident has ended', 5 * MINUTE, async () => {
      const own = (await stage.incidents()).filter(({ spec }) => spec.machine === machine);
      return (own.length > 0 && own.every(({ status }) => status?.endedAt)) || undefined;
    });
    const acts = (await stage.truth()).acts.filter((act) => act.machine === machine);
    assert.deepEqual(
      acts.map(({ act }) => act),
      ['ForceReboot'],
    );
    assert.equal(await stage.leader(), 'third');
    for (const identity of ['second', 'third']) await stage.kill(identity);
  });

  test(`killed ${KILLS} times at random moments, it reboots nothing twice and leaves nothing behind`, async (t) => {
    stage.startReplica('drover-0');
    const { killed, work } = killAgainAndAgain(stage, KILLS, 11);
    // No more than the brake lets pass: it counts the crash of the test before, too.
    const plan = { crashes: 1, dumps: 2, hangs: 1, kubelets: 4, spread_ms: 2 * MINUTE, seed: 3 };
    const report = await runDay(stage, MACHINES, { ...plan, limit_ms: LIMIT_MS }, work);
    t.diagnostic(`${killed.count} kills, ${killed.whileLeading} of a leader\n${tableOf(report)}`);
    assert.equal(killed.count, KILLS);
    assert.ok(killed.whileLeading >= 3, `only ${killed.whileLeading} kills hit a leader`);
    const { doubleActs, cordonsLeft, incidentsLeft, operationsLeft } = report;
    assert.deepEqual(
      { doubleActs, cordonsLeft, incidentsLeft, operationsLeft },
      { doubleActs: 0, cordonsLeft: [], incidentsLeft: [], operationsLeft: [] },
    );
    // A machine that dumps and boots by itself may be well again before any of ten short-lived leaders has looked.
    const ends = (kind: string) => (kind === 'crash-dump' ? /^(Recovered|missed)$/ : /^(Healed|Recovered)$/);
    for (const { kind, machine, stage: ending } of report.stories)
      assert.match(ending, ends(kind), `${kind} of ${machine}`);
  });
});
