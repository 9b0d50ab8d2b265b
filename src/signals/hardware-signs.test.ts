import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { selEntries } from '../platform/providers/ipmi/sel.ts';
import type { LogEntry } from '../platform/providers/provider.ts';
import { NOW } from '../test-builders.ts';
import { type HardwareSign, STANDS_MS, signOf, troubleAfter, troubleText } from './hardware-signs.ts';

const entry = (sensor: string, message: string, severity: LogEntry['severity'] = 'Critical'): LogEntry => ({
  id: '1',
  severity,
  sensor,
  message,
});

/** As ipmitool prints them, and as BMCs of several vendors say them over Redfish. */
const SIGNS: readonly [HardwareSign, LogEntry][] = [
  ['Failing', entry('Memory', 'Uncorrectable ECC, DIMM A3')],
  ['Failing', entry('', 'Multi-bit memory errors detected on a memory device at location DIMM_A3.')],
  ['Failing', entry('Processor', 'IERR')],
  ['Failing', entry('', 'CPU 1 machine check error detected.')],
  ['Failing', entry('', 'A fatal error was detected on a component at bus 59 device 0 function 0.')],
  ['Failing', entry('Power Supply', 'Power Supply AC lost | Asserted')],
  ['Failing', entry('', 'The power input for power supply 1 is lost.')],
  ['Failing', entry('Processor', 'Thermal Trip')],
  ['Failing', entry('', 'Fault detected on drive 3 in disk drive bay 1.')],
  ['Failing', entry('Critical Interrupt', 'NMI: PCI SERR')],
  ['Stopped', entry('OS Critical Stop', 'Run-time critical stop')],
  ['Stopped', entry('OS Stop/Shutdown', 'Run-time Stop', 'Warning')],
  ['Over', entry('Power Supply', 'Power Supply AC lost | Deasserted', 'OK')],
  ['Over', entry('Memory', 'Uncorrectable ECC | Resolved', 'OK')],
  ['Warned', entry('Memory', 'Correctable ECC', 'Warning')],
  ['Warned', entry('', 'The firmware image is not signed.')],
  ['None', entry('Critical Interrupt', 'NMI/Diag Interrupt')],
  ['None', entry('Watchdog2', 'Hard reset')],
  ['None', entry('Physical Security', 'General Chassis intrusion')],
  ['None', entry('', 'The system board log was cleared by root.')],
  ['None', entry('Memory', 'Presence detected', 'OK')],
];

describe('an entry of a hardware’s log', () => {
  for (const [sign, said] of SIGNS)
    it(`"${said.sensor} ${said.message}" (${said.severity}) means ${sign}`, () =>
      assert.equal(signOf(said), sign));

  it('means the same when it comes by ipmitool', () => {
    const csv = [
      '1,11/25/2026,14:03:22,Memory #0x01,Uncorrectable ECC,Asserted',
      '2,11/25/2026,14:03:23,Power Supply #0x51,Failure detected,Asserted',
      '3,11/25/2026,14:03:24,Power Supply #0x51,Failure detected,Deasserted',
      '4,11/25/2026,14:03:25,OS Critical Stop #0x46,Run-time critical stop,Asserted',
      '5,11/25/2026,14:03:26,Memory #0x01,Correctable ECC,Asserted',
    ].join('\n');
    assert.deepEqual(selEntries(csv).map(signOf), ['Failing', 'Failing', 'Over', 'Stopped', 'Warned']);
  });
});

describe('what is wrong with the hardware', () => {
  const supply = entry('Power Supply', 'Power Supply AC lost | Asserted');
  const back = entry('Power Supply', 'Power Supply AC lost | Deasserted', 'OK');

  it('is what its log has said and not taken back, one by one', () => {
    const both = troubleAfter(undefined, [supply, supply], NOW);
    const one = troubleAfter(both, [back], NOW + 1000);
    assert.deepEqual([both?.entries.length, one?.entries.length], [2, 1]);
    assert.equal(troubleAfter(one, [back], NOW + 2000), undefined);
  });

  it('is taken back only by what is about the same', () => {
    const memory = troubleAfter(undefined, [entry('Memory', 'Uncorrectable ECC')], NOW);
    assert.equal(troubleAfter(memory, [back], NOW)?.entries.length, 1);
  });

  it('stands for its time after the last entry, since the first, and names the newest', () => {
    const first = troubleAfter(undefined, [supply], NOW);
    const trouble = troubleAfter(first, [entry('Memory', 'Uncorrectable ECC')], NOW + 5000) ?? assert.fail();
    assert.deepEqual([trouble.since, trouble.until], [NOW, NOW + 5000 + STANDS_MS]);
    assert.equal(
      troubleText(trouble),
      'its hardware’s log says: Memory: Uncorrectable ECC (and 1 before it)',
    );
  });

  it('is nothing new where a warning comes, and never more than a few entries', () => {
    assert.equal(troubleAfter(undefined, [entry('Memory', 'Correctable ECC', 'Warning')], NOW), undefined);
    const many = troubleAfter(
      undefined,
      Array.from({ length: 500 }, () => supply),
      NOW,
    );
    assert.equal(many?.entries.length, 8);
  });
});
