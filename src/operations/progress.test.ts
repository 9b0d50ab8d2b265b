import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeOperationKind } from '../api/node-operation.ts';
import { at, NOW, operation } from '../test-builders.ts';
import { admitted, advanced, begun, currentStep, ended, isOverdue, refused } from './progress.ts';

const SPENT = { reason: 'BudgetSpent', message: '2 of 100 machines are disrupted' };
const OFF = { reason: 'Cancelled', message: 'called off' };
const later = (seconds: number) => NOW + seconds * 1000;
const conditionOf = (status: ReturnType<typeof ended>, type: string) =>
  status.conditions?.find((condition) => condition.type === type);

describe('an operation that the gate refuses', () => {
  it('waits, and says for what', () => {
    const status = refused({}, SPENT, NOW);
    assert.deepEqual([status.state, status.waiting], ['Waiting', SPENT]);
    assert.deepEqual(conditionOf(status, 'Admitted'), {
      type: 'Admitted',
      status: 'False',
      ...SPENT,
      lastTransitionTime: at(0),
    });
  });

  it('keeps the time since which it is refused while its reasons change', () => {
    const again = refused(refused({}, SPENT, NOW), { ...SPENT, reason: 'Frozen' }, later(60));
    const condition = conditionOf(again, 'Admitted');
    assert.deepEqual([condition?.reason, condition?.lastTransitionTime], ['Frozen', at(0)]);
    assert.equal(again.conditions?.length, 1);
  });

  it('is admitted in the end, with what it costs, and waits for nothing any more', () => {
    for (const takesPods of [true, false]) {
      const status = admitted(refused({}, SPENT, NOW), takesPods, later(60));
      assert.deepEqual(
        [status.state, status.admittedAt, status.costsBudget, status.waiting],
        ['Running', at(60), takesPods, undefined],
      );
      assert.equal(conditionOf(status, 'Admitted')?.lastTransitionTime, at(60));
    }
  });
});

describe('the steps of an operation', () => {
  const walk = (spec: Record<string, unknown>) => {
    const found: string[] = [];
    let status = admitted({}, true, NOW);
    for (let seconds = 0; seconds < 10; seconds++) {
      const name = currentStep(operation(spec, status));
      if (!name) break;
      found.push(name);
      status = begun(status, name, later(seconds));
      status = advanced(status, name, { is: 'done', message: 'done' }, later(seconds + 1));
    }
    return found;
  };

  it('come one after another, as its type says', () => {
    assert.deepEqual(walk({ type: 'Reboot' }), ['cordon', 'drain', 'act', 'proof', 'verify', 'uncordon']);
    assert.deepEqual(walk({ type: 'RestartService', service: 'kubelet' }), ['act', 'verify']);
  });

  it('are begun once: a look that comes again leaves the time of the first', () => {
    const status = begun(begun({}, 'drain', NOW), 'drain', later(60));
    assert.deepEqual(
      status.steps?.map(({ startedAt }) => startedAt),
      [at(0)],
    );
  });

  it('wait with a reason, and lose it when they go on', () => {
    const waiting = advanced(
      begun({}, 'drain', NOW),
      'drain',
      { is: 'waiting', why: SPENT, again_ms: 1 },
      later(5),
    );
    assert.deepEqual([waiting.waiting, waiting.steps?.[0]?.endedAt], [SPENT, undefined]);
    assert.equal(currentStep(operation({}, waiting)), 'cordon');
    const done = advanced(waiting, 'drain', { is: 'done', message: 'empty' }, later(9));
    assert.equal(done.waiting, undefined);
    assert.deepEqual(done.steps?.[0], {
      name: 'drain',
      startedAt: at(0),
      endedAt: at(9),
      outcome: 'Done',
      message: 'empty',
    });
  });

  it('that were skipped are over as well', () => {
    const status = advanced(
      begun({}, 'cordon', NOW),
      'cordon',
      { is: 'skipped', message: 'another’s' },
      later(1),
    );
    assert.equal(status.steps?.[0]?.outcome, 'Skipped');
    assert.equal(currentStep(operation({}, status)), 'drain');
  });

  it('add to the status what they found, and keep the rest of it', () => {
    const intent = { key: 'k', at: at(0) };
    const status = advanced(
      begun({ intent, costsBudget: true }, 'proof', NOW),
      'proof',
      { is: 'done', message: '', status: { evidence: { bootIDAfter: 'boot-2' } } },
      later(1),
    );
    assert.deepEqual(
      [status.intent, status.costsBudget, status.evidence],
      [intent, true, { bootIDAfter: 'boot-2' }],
    );
  });

  it('that fail end the operation, and so do those for which nothing is left to do', () => {
    const base = begun(admitted({}, true, NOW), 'act', NOW);
    const failed = advanced(base, 'act', { is: 'failed', why: SPENT }, later(7));
    assert.deepEqual(
      [failed.state, failed.endedAt, failed.waiting, failed.steps?.[0]?.outcome],
      ['Failed', at(7), SPENT, 'Failed'],
    );
    assert.equal(conditionOf(failed, 'Failed')?.reason, 'BudgetSpent');
    const needless = advanced(base, 'act', { is: 'needless', why: OFF }, later(7));
    assert.deepEqual(
      [needless.state, needless.endedAt, needless.steps?.[0]?.outcome],
      ['Cancelled', at(7), 'Skipped'],
    );
  });
});

describe('an operation that has ended', () => {
  it('says how, why and when, beside when it was admitted', () => {
    const status = ended(admitted({}, true, NOW), 'Cancelled', OFF, later(30));
    assert.deepEqual([status.state, status.endedAt, status.waiting], ['Cancelled', at(30), OFF]);
    assert.deepEqual(
      status.conditions?.map(({ type, status: is, lastTransitionTime }) => [type, is, lastTransitionTime]),
      [
        ['Admitted', 'True', at(0)],
        ['Cancelled', 'True', at(30)],
      ],
    );
  });

  it('has a status that the API takes, however long the reasons were', () => {
    const why = { reason: 'Long', message: 'x'.repeat(5000) };
    const result = { is: 'failed', why } as const;
    const all = [
      refused({}, why, NOW),
      ended({}, 'Failed', why, NOW),
      advanced(begun({}, 'act', NOW), 'act', result, NOW),
      advanced(begun({}, 'act', NOW), 'act', { is: 'waiting', why, again_ms: 1 }, NOW),
      advanced(begun({}, 'act', NOW), 'act', { is: 'done', message: why.message }, NOW),
    ];
    for (const status of all) assert.equal(nodeOperationKind.status.safeParse(status).error, undefined);
  });
});

it('a deadline counts from the admission, and waiting at the gate costs nothing of it', () => {
  const running = operation({ deadline: '30m' }, admitted({}, true, NOW));
  assert.deepEqual([isOverdue(running, later(1800)), isOverdue(running, later(1801))], [false, true]);
  const held = operation({ deadline: '30m' }, refused({}, SPENT, NOW));
  assert.equal(isOverdue(held, later(86_400)), false);
});
