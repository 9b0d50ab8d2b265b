import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NodeOperationStatus } from '../../api/node-operation.ts';
import { at, type Looks, NOW, operation, SILENT, WELL } from '../../test-builders.ts';
import { act } from './act.ts';
import { proof } from './proof.ts';
import { setUp } from './test-context.ts';
import { verify } from './verify.ts';

const SENT: NodeOperationStatus = {
  intent: { key: 'k', at: at(0), answer: 'Accepted' },
  evidence: { bootIDBefore: 'boot-1' },
};

/** A look at the machine so many seconds after the act was sent. */
async function look(seconds: number, looks: Looks, spec: Record<string, unknown> = {}, status = SENT) {
  const { context } = setUp({ operation: operation(spec), looks, status, now: NOW + seconds * 1000 });
  return proof(context);
}

describe('a reboot', () => {
  it('is proven by a new boot id, and by nothing else', async () => {
    const found = await look(60, { ...WELL, bootID: 'boot-2' });
    assert.equal(found.is, 'done');
    assert.deepEqual('status' in found && found.status?.evidence, {
      bootIDBefore: 'boot-1',
      bootIDAfter: 'boot-2',
    });
    assert.equal((await look(60, WELL)).is, 'waiting', 'Ready=True of the old boot proves nothing');
    assert.equal((await look(60, { ...WELL, bootID: '' })).is, 'waiting');
    assert.equal((await look(60, { ...SILENT, noNode: true })).is, 'waiting');
  });

  it('is given its boot timeout from the moment it was sent, and then has failed', async () => {
    const found = await look(599, WELL);
    assert.deepEqual(found.is === 'waiting' && [found.why.reason, found.why.until], ['Booting', at(600)]);
    const late = await look(600, WELL);
    assert.equal(late.is === 'failed' && late.why.reason, 'NotRebooted');
    assert.equal((await look(60, WELL, { bootTimeout: '1m' })).is, 'failed');
  });

  it('that is proven late is proven all the same', async () => {
    assert.equal((await look(6000, { ...WELL, bootID: 'boot-2' })).is, 'done');
  });

  it('has the time of its dump beside it, after an NMI or where the console shows one', async () => {
    const limits = { bootTimeout: '10m', dumpTimeout: '15m' };
    const until = async (looks: Looks, type = 'PowerCycle') => {
      const found = await look(60, looks, { ...limits, type });
      return found.is === 'waiting' && found.why.until;
    };
    assert.equal(await until(SILENT), at(600));
    assert.equal(await until({ ...SILENT, power: 'On', console: 'Dumping' }), at(1500));
    assert.equal(await until(SILENT, 'Nmi'), at(1500));
  });

  it('that begins only after a long dump has its whole boot timeout', async () => {
    // The console has shown the boot for 30 s.
    const found = await look(800, { ...SILENT, power: 'On', console: 'Booting' });
    assert.equal(found.is === 'waiting' && found.why.until, at(770 + 600));
  });

  it('remembers that the power was seen off since', async () => {
    const found = await look(60, { ...SILENT, power: 'Off' });
    assert.equal(found.is === 'waiting' && found.status?.evidence?.powerSeenOff, true);
    const before = await look(10, { ...SILENT, power: 'Off' });
    assert.equal(before.is === 'waiting' && before.status, undefined, 'off before it was sent is no news');
  });

  it('is not proven by the old boot of a Node that was missing when it was sent', async () => {
    const setting = setUp({ bootID: '' });
    await act(setting.context);
    assert.equal(setting.written()?.evidence?.bootIDBefore, 'boot-1', 'from what we saw before');
    assert.equal((await look(60, WELL, {}, setting.written())).is, 'waiting');
    const restarted = setUp({ bootID: '', operation: operation({ expectBootID: 'boot-0' }) });
    restarted.context.belief.boot.value = '';
    await act(restarted.context);
    assert.equal(restarted.written()?.evidence?.bootIDBefore, 'boot-0', 'from what was asked for');
  });
});

describe('a repaired machine', () => {
  const RESTART = { type: 'RestartService', service: 'kubelet' };
  /** It has been well for 30 s, and the step began so many seconds ago. */
  const checked = async (began_s: number, looks: Looks, spec: Record<string, unknown> = RESTART) => {
    const { context } = setUp({ operation: operation(spec), looks, startedAt: NOW - began_s * 1000 });
    return verify(context);
  };

  it('must stay well for 15 s, counted from the repair at the earliest', async () => {
    assert.equal((await checked(14, WELL)).is, 'waiting');
    assert.equal((await checked(15, WELL)).is, 'done');
    assert.equal((await checked(300, WELL, { ...RESTART, verifyFor: '31s' })).is, 'failed');
    assert.equal((await checked(60, WELL, { ...RESTART, verifyFor: '30s' })).is, 'done');
  });

  it('that is not well waits with what is wrong, and fails after 2 min, after a boot when that had its time', async () => {
    const sick: Looks = { ...WELL, kubelet: 'Refused' };
    const found = await checked(119, sick);
    assert.equal(found.is === 'waiting' && found.why.until, at(1));
    assert.match(found.is === 'waiting' ? found.why.message : '', /not well yet: the kubelet’s port refuses/);
    const late = await checked(120, sick);
    assert.equal(late.is === 'failed' && late.why.reason, 'NotWell');
    assert.equal((await checked(599, sick, {})).is, 'waiting');
    assert.equal((await checked(600, sick, {})).is, 'failed');
  });
});
