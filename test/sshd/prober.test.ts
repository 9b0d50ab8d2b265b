import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/platform/clock/system.ts';
import { tcpProber } from '../../src/platform/hosts/tcp-prober.ts';
import { noSshd, startSshd } from './start.ts';

const skip = noSshd() ?? false;

test('a real sshd answers, is Silent while it stands still, answers again, and refuses when it is gone', {
  skip,
}, async () => {
  await using sshd = await startSshd();
  const prober = tcpProber(systemClock, { answer_ms: 1_000 });
  const { signal } = new AbortController();
  const ask = async () => {
    const { address } = sshd;
    const [probe] = await prober.probe([{ machine: 'm1', id: 'm1', ssh: address, kubelet: address }], signal);
    return probe?.ssh;
  };
  for (let times = 0; times < 20; times++) assert.equal(await ask(), 'Answers');
  await sshd.pause();
  assert.equal(await ask(), 'Silent');
  sshd.resume();
  assert.equal(await ask(), 'Answers');
  await sshd.kill();
  assert.equal(await ask(), 'Refused');
});
