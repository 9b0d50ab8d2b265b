import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogEntry } from '../platform/providers/provider.ts';
import { at, NOW } from '../test-builders.ts';
import { type LastWords, signOfLastWords } from './last-words.ts';

const entry = (seconds: number, message: string, more: Partial<LogEntry> = {}): LogEntry => ({
  id: '7',
  at: at(seconds),
  severity: 'Critical',
  sensor: 'OS Stop/Shutdown',
  message,
  ...more,
});
/** As ipmitool prints it, and as Redfish services word it. */
const PANICS = [
  entry(-8, 'Run-time critical stop | Asserted', { sensor: 'OS Critical Stop' }),
  entry(-8, 'A runtime stop was detected: kernel panic.', { sensor: '' }),
];
const sign = (more: Partial<LastWords>) =>
  signOfLastWords({ lines: [], log: [], from: NOW - 60_000, crashDump: 'NotArmed', ...more });

describe('the last words of a machine without a console', () => {
  it('are a panic, said by its BMC’s log or over netconsole', () => {
    for (const panic of PANICS)
      assert.equal(sign({ log: [entry(-20, 'Power Supply input lost'), panic] }), 'Panicked');
    assert.equal(sign({ lines: ['[  100.1] Kernel panic - not syncing: Fatal exception'] }), 'Panicked');
  });

  it('are taken for a dump unless no crash kernel was loaded: its power must not be cut', () => {
    for (const crashDump of ['Armed', 'Unknown'] as const)
      assert.equal(sign({ log: PANICS, crashDump }), 'Dumping');
  });

  it('are nothing where the panic is of an earlier trouble, has no time, or is over', () => {
    assert.equal(sign({ log: [entry(-61, 'Run-time critical stop')] }), 'None');
    const { at: _, ...timeless } = PANICS[0] as LogEntry;
    assert.equal(sign({ log: [timeless] }), 'None');
    assert.equal(
      sign({ log: [entry(-8, 'Run-time critical stop | Deasserted', { severity: 'OK' })] }),
      'None',
    );
    assert.equal(sign({ log: [entry(-8, 'Uncorrectable ECC', { sensor: 'Memory' })] }), 'None');
  });

  it('are what netconsole says otherwise', () => {
    assert.equal(sign({ lines: ['watchdog: BUG: soft lockup - CPU#3 stuck for 22s!'] }), 'LockedUp');
  });
});
