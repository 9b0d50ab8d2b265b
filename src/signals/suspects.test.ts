import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Machine } from '../api/machine.ts';
import type { Clusters } from '../fleet/clusters.ts';
import { SECOND } from '../platform/clock/clock.ts';
import { VirtualClock } from '../platform/clock/virtual.ts';
import type { Outside } from '../platform/outside.ts';
import type { LogEntry, Reading } from '../platform/providers/provider.ts';
import { machine, nodeView, reading } from '../test-builders.ts';
import { Beliefs } from './beliefs.ts';
import { READ_MS, Suspects } from './suspects.ts';

test('a BMC that takes long to fail keeps no other machine waiting, and is not asked twice at once', async () => {
  const clock = new VirtualClock();
  const beliefs = new Beliefs(clock, () => false);
  const machines = new Map<string, Machine>();
  for (let index = 0; index < 40; index++) {
    const name = `m${index}`;
    machines.set(name, machine({}, { name }));
    beliefs.setMachine(name, machines.get(name) as Machine, nodeView({ name, ready: 'Unknown' }));
    beliefs.setProbe(name, { ssh: 'Timeout', kubelet: 'Timeout' });
  }
  let asked = 0;
  const describe = async (id: string): Promise<Reading> => {
    if (id !== 'i-m39') asked++;
    // All but the last are dead, and take 30 s to say so.
    if (id === 'i-m39') return reading({ power: 'Off' });
    await clock.sleep(30 * SECOND);
    throw new Error('no answer');
  };
  const errors: string[] = [];
  const suspects = new Suspects({
    clock,
    beliefs,
    clusters: { get: () => undefined } as unknown as Clusters,
    machine: (name) => machines.get(name),
    outside: () => ({ provider: { describe } }) as unknown as Outside,
    netconsole: () => [],
    onAnswer: () => {},
    onError: (name) => errors.push(name),
  });
  for (let pass = 0; pass < 3; pass++) {
    await suspects.read();
    await clock.advance(READ_MS);
    assert.equal(beliefs.get('m39')?.power?.value, 'Off');
    assert.equal(asked, 39, `pass ${pass}`);
  }
  await clock.advance(20 * SECOND);
  assert.equal(errors.length, 39);
  await suspects.read();
  assert.equal(asked, 78, 'those that failed are asked again');
});

test('a BMC that shows no console still tells of power at once, and of a panic by its log', async () => {
  const clock = new VirtualClock();
  const beliefs = new Beliefs(clock, () => false);
  const machines = new Map<string, Machine>();
  for (const name of ['m1', 'm2', 'm3']) {
    machines.set(name, machine({}, { name }));
    beliefs.setMachine(name, machines.get(name) as Machine, nodeView({ name, ready: 'Unknown' }));
    beliefs.setProbe(name, { ssh: 'Timeout', kubelet: 'Timeout' });
  }
  const panic: LogEntry = {
    id: '1',
    at: new Date(clock.now() - 5 * SECOND).toISOString(),
    severity: 'Critical',
    sensor: 'OS Critical Stop',
    message: 'Run-time critical stop',
  };
  const logs: Readonly<Record<string, () => Promise<LogEntry[]>>> = {
    'i-m1': async () => [panic],
    'i-m2': async () => Promise.reject(new Error('the log cannot be read')),
    // A slow one.
    'i-m3': async () => {
      await clock.sleep(60 * SECOND);
      return [];
    },
  };
  const errors: string[] = [];
  const suspects = new Suspects({
    clock,
    beliefs,
    clusters: { get: () => undefined } as unknown as Clusters,
    machine: (name) => machines.get(name),
    outside: () =>
      ({
        provider: { describe: async () => reading({ console: [] }), eventLog: (id: string) => logs[id]?.() },
      }) as unknown as Outside,
    netconsole: () => [],
    onAnswer: () => {},
    onError: (name) => errors.push(name),
  });
  const seen = (name: string) => [beliefs.get(name)?.power?.value, beliefs.get(name)?.console?.value];
  await suspects.read();
  await clock.advance(SECOND);
  assert.deepEqual(seen('m1'), ['On', 'Dumping'], 'no crash kernel is known not to be there');
  assert.deepEqual([seen('m2'), errors], [['On', 'None'], ['m2']]);
  assert.deepEqual(seen('m3'), ['On', 'None']);
  const since = beliefs.get('m1')?.console?.since;
  for (let pass = 0; pass < 3; pass++) {
    await clock.advance(READ_MS);
    await suspects.read();
  }
  await clock.advance(SECOND);
  assert.deepEqual([seen('m1')[1], beliefs.get('m1')?.console?.since], ['Dumping', since], 'it stays so');
});
