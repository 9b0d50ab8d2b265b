// What machines said that crashed under qemu, also where there is no qemu.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainLog } from '../../src/crash/kernel-log/explain.ts';
import { assertExplained, CRASHES, type Expected, ON_ARM64, QUIET_ON_ARM64 } from './expected.ts';
import { keptLogs } from './keep.ts';

describe('logs of Debian kernels that crashed', () => {
  const logs = keptLogs();
  const ofArm64 = logs.filter(({ name }) => name.startsWith('arm64.'));
  const crashed = ofArm64.filter(({ how }) => !QUIET_ON_ARM64.includes(how));
  for (const { name, how, log } of logs.filter((each) => !ofArm64.includes(each)))
    it(`are explained: ${name}`, () => assertExplained(log, CRASHES[how] as Expected));
  for (const { name, how, log } of crashed)
    it(`are explained: ${name}`, () =>
      assertExplained(log, { ...(CRASHES[how] as Expected), ...ON_ARM64[how] }));
  it('hold no crash where arm64 goes on', () => {
    const quiet = ofArm64.filter(({ how }) => QUIET_ON_ARM64.includes(how));
    assert.deepEqual(
      quiet.map(({ log }) => explainLog(Buffer.from(log, 'latin1')).title),
      QUIET_ON_ARM64.map(() => ''),
    );
  });
  it('are there for every bug and every way of collecting', () => {
    const names = logs.map(({ name }) => name);
    for (const how of Object.keys(CRASHES)) assert.ok(names.includes(how), how);
    for (const way of ['pstore', 'vmcore-dmesg', 'netconsole']) assert.ok(names.includes(`${way}.null`), way);
    assert.ok(crashed.length >= 10);
  });
});
