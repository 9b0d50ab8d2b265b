// What machines said that crashed under qemu, also where there is no qemu.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertExplained, CRASHES, type Expected } from './expected.ts';
import { keptLogs } from './keep.ts';

describe('logs of Debian kernels that crashed', () => {
  const logs = keptLogs();
  for (const { name, how, log } of logs)
    it(`are explained: ${name}`, () => assertExplained(log, CRASHES[how] as Expected));
  it('are there for every bug and every way of collecting', () => {
    const names = logs.map(({ name }) => name);
    for (const how of Object.keys(CRASHES)) assert.ok(names.includes(how), how);
    for (const way of ['pstore', 'vmcore-dmesg', 'netconsole']) assert.ok(names.includes(`${way}.null`), way);
  });
});
