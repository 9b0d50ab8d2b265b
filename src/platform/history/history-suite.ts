// What every store of history must keep to. One database a suite: opening PGlite takes seconds.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Incident } from '../../api/incident.ts';
import type { NodeOperation } from '../../api/node-operation.ts';
import { DAY, HOUR, MINUTE } from '../clock/clock.ts';
import { type Decision, READ_ROWS_MAX } from './history.ts';
import type { SqlHistory } from './sql-history.ts';

export const T0 = Date.UTC(2026, 10, 11);
const at = (after_ms: number) => new Date(T0 + after_ms).toISOString();

export function aDecision(machine: string, fields: Partial<Decision> = {}): Decision {
  const what = {
    at: T0,
    actor: 'healing',
    kind: 'Act',
    cluster: 'home',
    machine,
    subject: `${machine}-i1`,
  } as const;
  return { ...what, reason: 'RemedyAsked', message: `Crashed: Reboot of ${machine}`, ...fields };
}

export function anIncident(
  machine: string,
  version: string,
  status: Incident['status'] = {},
  created = at(0),
): Incident {
  return {
    apiVersion: 'drover.dev/v1alpha1',
    kind: 'Incident',
    metadata: {
      name: `${machine}-i1`,
      uid: `uid-${machine}`,
      resourceVersion: version,
      creationTimestamp: created,
    },
    spec: { cluster: 'home', machine, node: machine },
    status,
  };
}

export function anOperation(
  machine: string,
  version: string,
  status: NodeOperation['status'] = {},
): NodeOperation {
  return {
    apiVersion: 'drover.dev/v1alpha1',
    kind: 'NodeOperation',
    metadata: {
      name: `${machine}-i1-1`,
      uid: `op-${machine}`,
      resourceVersion: version,
      creationTimestamp: at(0),
    },
    spec: {
      cluster: 'home',
      machine,
      node: machine,
      type: 'Reboot',
      reason: { kind: 'Incident', name: `${machine}-i1`, message: '' },
      drain: { timeout: '5m', onTimeout: 'Fail' },
      deadline: '30m',
      bootTimeout: '10m',
      dumpTimeout: '15m',
      verifyFor: '15s',
      cancelled: false,
    },
    status,
  };
}

const crashed = (stage: 'Located' | 'Healed') =>
  ({
    stage,
    diagnosis: {
      cause: 'Crashed',
      confidence: 'High',
      message: 'it panicked',
      evidence: [],
      domain: 'rack/r1',
      at: at(MINUTE),
    },
    firstSymptomAt: at(0),
    detectedAt: at(20_000),
    locatedAt: at(MINUTE),
  }) satisfies Incident['status'];

export function historySuite(name: string, open: () => Promise<SqlHistory>): void {
  describe(name, () => {
    let history: SqlHistory;
    before(async () => {
      history = await open();
    });
    after(() => history.close());

    test('what is told is in the database a second or so later', async () => {
      const full = aDecision('soon', { evidence: { lease: 'stalled 24 s' }, until: at(HOUR) });
      history.decision(full);
      for (let tries = 0; history.status().pending > 0 && tries < 100; tries++)
        await new Promise((wake) => setTimeout(wake, 100));
      assert.deepEqual(await history.decisions({ machine: 'soon', limit: 10 }), [full]);
      assert.equal(history.status().reachable, true);
    });

    test('decisions are found by machine, subject, cluster and time, newest first', async () => {
      for (let index = 0; index < 5; index++)
        history.decision(aDecision('d1', { at: T0 + index * MINUTE, message: `n${index}` }));
      history.decision(aDecision('d2', { cluster: 'edge', subject: 'd2-op' }));
      await history.flush();
      const found = await history.decisions({ machine: 'd1', since: T0 + 2 * MINUTE, limit: 2 });
      assert.deepEqual(
        found.map((one) => one.message),
        ['n4', 'n3'],
      );
      assert.deepEqual(
        (await history.decisions({ cluster: 'edge', limit: 5 })).map((one) => one.machine),
        ['d2'],
      );
      assert.deepEqual(
        (await history.decisions({ subject: 'd2-op', limit: 5 })).map((one) => one.machine),
        ['d2'],
      );
      assert.deepEqual(await history.decisions({ machine: 'd1', subject: 'd2-op', limit: 5 }), []);
    });

    test('decisions of one moment come in the order in which they were made', async () => {
      for (let index = 0; index < 12; index++) history.decision(aDecision('tie', { message: `n${index}` }));
      await history.flush();
      const found = await history.decisions({ machine: 'tie', limit: 3 });
      assert.deepEqual(
        found.map((one) => one.message),
        ['n11', 'n10', 'n9'],
      );
    });

    test('an incident is one record, in its newest state', async () => {
      const open_ = anIncident('inc1', '9', crashed('Located'));
      history.incident(open_);
      await history.flush();
      assert.deepEqual(await history.incidents({ machine: 'inc1', open: true, limit: 5 }), [open_]);

      const healed = anIncident('inc1', '10', {
        ...crashed('Healed'),
        healedAt: at(5 * MINUTE),
        endedAt: at(5 * MINUTE),
      });
      history.incident(healed);
      history.incident(open_);
      await history.flush();
      assert.deepEqual(
        await history.incidents({
          machine: 'inc1',
          cause: 'Crashed',
          cluster: 'home',
          open: false,
          since: T0,
          limit: 5,
        }),
        [healed],
      );
      assert.deepEqual(await history.incidents({ machine: 'inc1', open: true, limit: 5 }), []);
    });

    test('an older state never overwrites a newer one, however long the version', async () => {
      const versions = ['99999999999999999999', '100000000000000000000', '99999999999999999998', 'none'];
      for (const version of versions) {
        history.incident(
          anIncident('old', version, { stage: version.startsWith('1') ? 'Healed' : 'Detected' }),
        );
        history.operation(
          anOperation('old', version, { state: version.startsWith('1') ? 'Succeeded' : 'Waiting' }),
        );
        await history.flush();
      }
      assert.equal((await history.incidents({ machine: 'old', limit: 5 }))[0]?.status?.stage, 'Healed');
      assert.equal((await history.operations({ machine: 'old', limit: 5 }))[0]?.status?.state, 'Succeeded');
    });

    test('operations are found by what they are and who asked', async () => {
      const done = anOperation('op1', '5', {
        state: 'Succeeded',
        admittedAt: at(0),
        endedAt: at(MINUTE),
        evidence: { bootIDBefore: 'a', bootIDAfter: 'b' },
      });
      history.operation(done);
      history.operation(anOperation('op2', '6', { state: 'Running', admittedAt: at(0) }));
      await history.flush();
      const succeeded = {
        machine: 'op1',
        type: 'Reboot',
        state: 'Succeeded',
        askedBy: 'op1-i1',
        open: false,
        limit: 5,
      };
      assert.deepEqual(await history.operations(succeeded), [done]);
      assert.deepEqual(
        (await history.operations({ machine: 'op2', open: true, limit: 5 })).map((one) => one.metadata.name),
        ['op2-i1-1'],
      );
    });

    test('text that no database likes is stored as well as it can be, and holds up nothing', async () => {
      const odd = 'panic\0 at \ud800 end \u{1f525} 宕机 \\u0000 "quoted"';
      const tame = 'panic at \ufffd end \u{1f525} 宕机 \\u0000 "quoted"';
      history.decision(aDecision('odd', { message: odd, evidence: { [`k${odd}`]: odd }, until: 'no time' }));
      history.decision(
        aDecision('odd', { at: Number.NaN, message: 'x'.repeat(1_000_000), subject: 'y'.repeat(10_000) }),
      );
      history.incident(
        anIncident('odd', '1', {
          stage: 'Detected',
          waiting: { reason: 'Odd', message: odd },
          detectedAt: '+275760-09-13T00:00:00Z',
        }),
      );
      const huge = anIncident('huge', '1');
      huge.metadata.annotations = { note: 'z'.repeat(300_000) };
      history.incident(huge);
      history.decision(aDecision('odd', { at: T0 + 1, message: 'after' }));
      await history.flush();
      const [after_, first, last] = await history.decisions({ machine: 'odd', limit: 5 });
      assert.equal(after_?.message, 'after');
      assert.deepEqual([first?.message, first?.evidence], [tame, { [`k${tame}`]: tame }]);
      assert.deepEqual([last?.at, last?.message.length], [0, 4096]);
      assert.equal(
        (await history.incidents({ machine: 'odd', limit: 5 }))[0]?.status?.waiting?.message,
        tame,
      );
      assert.match(
        (await history.incidents({ machine: 'huge', limit: 5 }))[0]?.metadata.annotations?.[
          'drover.dev/left-out'
        ] ?? '',
        /longer than the 131072 characters/,
      );
    });

    test('an object that can not even be read is dropped and counted, and the next is stored', async () => {
      const { dropped } = history.status();
      const broken = { ...anIncident('broken', '1'), spec: undefined } as unknown as Incident;
      history.incident(broken);
      history.incident({ ...anIncident('nouid', '1'), metadata: { name: 'nouid' } });
      history.incident(anIncident('sound', '1'));
      await history.flush();
      assert.equal(history.status().dropped, dropped + 2);
      assert.equal((await history.incidents({ machine: 'sound', limit: 1 })).length, 1);
    });

    test('ten thousand decisions are written and read within the limits', async () => {
      for (let index = 0; index < 10_000; index++) history.decision(aDecision('many', { at: T0 + index }));
      await history.flush();
      const found = await history.decisions({ machine: 'many', limit: 1_000_000 });
      assert.equal(found.length, READ_ROWS_MAX);
      assert.equal(found[0]?.at, T0 + 9_999);
      assert.equal(history.status().pending, 0);
    });

    test('a limit that is none is refused', async () => {
      for (const limit of [0, -1, 1.5, Number.NaN])
        await assert.rejects(history.decisions({ limit }), /whole number from 1 to 1000/);
      await assert.rejects(history.retain(0), /above 0/);
    });

    test('what is old goes, what is recent or open stays', async () => {
      const long = new Date(Date.now() - 100 * DAY).toISOString();
      const today = new Date().toISOString();
      for (let index = 0; index < 4_100; index++)
        history.decision(aDecision('aged', { at: Date.parse(long) }));
      history.decision(aDecision('aged', { at: Date.now() }));
      history.incident(anIncident('aged', '1', { endedAt: long }, long));
      history.incident(anIncident('aged-open', '1', {}, long));
      history.operation(anOperation('aged', '1', { endedAt: today }));
      await history.flush();
      const { decisions, incidents } = await history.retain(90 * DAY);
      assert.ok(decisions >= 4_100 && incidents >= 1, `${decisions} decisions, ${incidents} incidents`);
      assert.equal((await history.decisions({ machine: 'aged', limit: 10 })).length, 1);
      assert.equal((await history.incidents({ machine: 'aged', limit: 10 })).length, 0);
      assert.equal((await history.incidents({ machine: 'aged-open', limit: 10 })).length, 1);
      assert.equal((await history.operations({ machine: 'aged', limit: 10 })).length, 1);
    });
  });
}
