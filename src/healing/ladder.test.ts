import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CAUSES, type Cause } from '../api/diagnosis.ts';
import type { Rung } from '../api/healing-policy.ts';
import type { Attempt } from '../api/incident.ts';
import { abilities } from '../platform/providers/provider.ts';
import { at, NOW, policy } from '../test-builders.ts';
import { LADDERS, type LadderState, ladderFor, nextRung } from './ladder.ts';

const MINUTE = 60;
const rung = (remedy: Rung['remedy'], more: Partial<Rung> = {}): Rung => ({
  remedy,
  after: '0s',
  timeout: '10m',
  ...more,
});
/** A try that began and ended so many seconds after the diagnosis. */
const tried = (remedy: Attempt['remedy'], ended: number, more: Partial<Attempt> = {}): Attempt => ({
  remedy,
  at: at(ended - 60),
  endedAt: at(ended),
  outcome: 'Failed',
  message: '',
  ...more,
});

/** What is next, so many seconds after the diagnosis, in short. */
function next(seconds: number, ladder: readonly Rung[], more: Partial<LadderState> = {}): string {
  const found = nextRung({
    cause: 'Crashed',
    ladder,
    attempts: [],
    diagnosedAt_ms: NOW,
    lowConfidence: false,
    now: NOW + seconds * 1000,
    ...more,
  });
  if (found.do === 'try') return [found.rung.remedy, found.rung.service].filter(Boolean).join(' ');
  if (found.do === 'wait') return `wait until ${(found.until_ms - NOW) / 1000} s: ${found.why.reason}`;
  return `escalate: ${found.why.reason}`;
}

describe('a ladder', () => {
  const ladder = [rung('Reboot', { after: '20s' }), rung('PowerCycle', { after: '1m' }), rung('Escalate')];

  it('begins after the wait of its first rung, counted from the diagnosis', () => {
    assert.equal(next(19, ladder), 'wait until 20 s: BeforeRemedy');
    assert.equal(next(20, ladder), 'Reboot');
  });

  it('goes on with the second, its wait counted from the end of the first try', () => {
    const attempts = [tried('Reboot', 300)];
    assert.equal(next(301, ladder, { attempts }), 'wait until 360 s: BeforeRemedy');
    assert.equal(next(360, ladder, { attempts }), 'PowerCycle');
  });

  it('ends with a person', () => {
    const attempts = [tried('Reboot', 300), tried('PowerCycle', 600)];
    assert.equal(next(600, ladder, { attempts }), 'escalate: LadderEnded');
    assert.equal(next(0, [rung('Reboot')], { attempts: [tried('Reboot', 0)] }), 'escalate: LadderEnded');
    assert.equal(next(0, [rung('Escalate')]), 'escalate: LadderEnded');
  });

  it('waits before a person is called, where the last rung says so', () => {
    const patient = [rung('Escalate', { after: '5m' })];
    assert.equal(next(299, patient), 'wait until 300 s: BeforeRemedy');
    assert.equal(next(300, patient), 'escalate: LadderEnded');
  });

  it('tries a remedy twice that stands in it twice, and no third time', () => {
    const twice = [rung('Reboot'), rung('Reboot', { after: '5m' }), rung('Escalate')];
    assert.equal(next(0, twice), 'Reboot');
    assert.equal(next(100, twice, { attempts: [tried('Reboot', 100)] }), 'wait until 400 s: BeforeRemedy');
    assert.equal(next(400, twice, { attempts: [tried('Reboot', 100)] }), 'Reboot');
    const both = [tried('Reboot', 100), tried('Reboot', 500)];
    assert.equal(next(500, twice, { attempts: both }), 'escalate: LadderEnded');
  });

  it('tells the restart of one service from that of another', () => {
    const attempts = [tried('RestartService', 30, { service: 'kubelet' })];
    assert.equal(next(30, LADDERS.KubeletDown), 'RestartService kubelet');
    assert.equal(next(30, LADDERS.KubeletDown, { attempts }), 'RestartService containerd');
  });

  it('does not count what was tried for another cause and stands not in it', () => {
    assert.equal(next(60, LADDERS.Hung, { attempts: [tried('Reboot', 50)] }), 'Nmi');
  });

  it('waits two minutes longer on a diagnosis of low confidence', () => {
    const lowConfidence = true;
    assert.equal(next(139, ladder, { lowConfidence }), 'wait until 140 s: BeforeRemedy');
    assert.equal(next(140, ladder, { lowConfidence }), 'Reboot');
  });

  it('says what was tried when a person has to look', () => {
    const attempts = [tried('Reboot', 300), tried('PowerCycle', 600)];
    const found = nextRung({
      cause: 'Crashed',
      ladder,
      attempts,
      diagnosedAt_ms: NOW,
      lowConfidence: false,
      now: NOW + 600_000,
    });
    assert.equal(found.do, 'escalate');
    assert.match(found.do === 'escalate' ? found.why.message : '', /tried Reboot, PowerCycle, and it is not/);
  });
});

describe('a rung that waits', () => {
  const ladder = [rung('Wait', { timeout: '10m' }), rung('Reboot'), rung('Escalate')];

  it('gives the machine its whole time, and then the next rung comes at once', () => {
    assert.equal(next(0, ladder), 'wait until 600 s: MayHealItself');
    assert.equal(next(10 * MINUTE, ladder), 'Reboot');
  });

  it('and every other says where in the ladder it stands', () => {
    const state = { cause: 'Restarted', ladder, diagnosedAt_ms: NOW, lowConfidence: false } as const;
    const place = (seconds: number, attempts: Attempt[]) =>
      nextRung({ ...state, attempts, now: NOW + seconds * 1000 }).place;
    assert.deepEqual([place(0, []), place(600, []), place(900, [tried('Reboot', 900)])], [0, 1, 2]);
  });

  it('is not waited through again after what follows it was tried', () => {
    assert.equal(next(900, ladder, { attempts: [tried('Reboot', 900)] }), 'escalate: LadderEnded');
  });

  it('has its time between two tries as well', () => {
    const pause = [rung('Reboot'), rung('Wait', { timeout: '5m' }), rung('PowerCycle')];
    const attempts = [tried('Reboot', 100)];
    assert.equal(next(100, pause, { attempts }), 'wait until 400 s: MayHealItself');
    assert.equal(next(400, pause, { attempts }), 'PowerCycle');
  });
});

describe('Drover’s own ladders', () => {
  it('all end with a person', () => {
    for (const cause of Object.keys(CAUSES) as Cause[])
      assert.equal(LADDERS[cause].at(-1)?.remedy, 'Escalate', cause);
  });

  it('do nothing where a reboot mends nothing', () => {
    const idle = [
      'NetworkLost',
      'DomainOutage',
      'ControlPlaneBlind',
      'Planned',
      'HardwareFailing',
      'Restarted',
      'Unknown',
    ] as const;
    for (const cause of idle)
      assert.deepEqual(
        LADDERS[cause].map(({ remedy }) => remedy),
        ['Wait', 'Escalate'],
        cause,
      );
  });

  it('take an NMI first of a hung machine, so that its dump is not lost', () => {
    assert.equal(next(9, LADDERS.Hung), 'wait until 10 s: BeforeRemedy');
    assert.equal(next(10, LADDERS.Hung), 'Nmi');
  });

  it('leave out what the provider of the machine has said it cannot do', () => {
    const remedies = (cause: Cause, cannot: Parameters<typeof abilities>[1], spec = {}) =>
      ladderFor(policy(spec), cause, abilities(true, cannot)).map(({ remedy }) => remedy);
    const words = 'there is no such thing';
    assert.deepEqual(remedies('Hung', {}), ['Nmi', 'PowerCycle', 'Escalate']);
    assert.deepEqual(remedies('Hung', { Nmi: words }), ['PowerCycle', 'Escalate']);
    assert.deepEqual(
      remedies('Crashed', { Reboot: words }),
      ['Reboot', 'PowerCycle', 'Escalate'],
      'it is reset',
    );
    assert.deepEqual(remedies('Crashed', { Reboot: words, ForceReboot: words }), ['PowerCycle', 'Escalate']);
    const last = remedies('KubeletDown', { Reboot: words, ForceReboot: words, PowerCycle: words });
    assert.deepEqual(last, ['RestartService', 'RestartService', 'Escalate']);
  });

  it('move a machine to other hardware only where a policy allows it', () => {
    const remedies = (spec: object) =>
      ladderFor(policy({ ...spec }), 'RedeployDue').map(({ remedy }) => remedy);
    assert.deepEqual(remedies({}), ['Escalate']);
    assert.deepEqual(remedies({ redeploy: 'Allowed' }), ['Redeploy', 'Escalate']);
  });

  it('give way to those of a policy, cause by cause', () => {
    const own = policy({ ladders: { Crashed: [{ remedy: 'Escalate' }] } });
    assert.deepEqual(
      ladderFor(own, 'Crashed').map(({ remedy }) => remedy),
      ['Escalate'],
    );
    assert.equal(ladderFor(own, 'Hung'), LADDERS.Hung);
  });
});
