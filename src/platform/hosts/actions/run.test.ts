import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../clock/virtual.ts';
import { HostError } from '../host.ts';
import { type ActionRecord, hostsOver } from './run.ts';
import type { Order, Ran } from './shell.ts';

const HOST = { id: 'm1', ssh: '10.0.0.1:22' };
const LOAD = '0.42 1.22 2.19 3/1350 23456\n0-1\n';

function stage(answer: Partial<Ran> | Error) {
  const clock = new VirtualClock();
  const records: ActionRecord[] = [];
  const orders: Order[] = [];
  const exec = async (_: unknown, order: Order): Promise<Ran> => {
    orders.push(order);
    await clock.sleep(250);
    if (answer instanceof Error) throw answer;
    const usual = {
      exitCode: 0,
      stdout: Buffer.from(LOAD),
      stderr: Buffer.alloc(0),
      truncated: false,
      duration_ms: 1,
    };
    return { ...usual, ...answer };
  };
  const hosts = hostsOver({ exec }, { clock, onRecord: (record) => records.push(record) });
  const run = async (...args: Parameters<typeof hosts.run>) => {
    const result = hosts.run(...args).catch((error: unknown) => error);
    await clock.advance(1000);
    return await result;
  };
  return { run, records, orders };
}

test('each run is written down: who, what, with what, since when, how long, how it ended', async () => {
  const { run, records } = stage({});
  await run(HOST, 'load', {});
  const began_ms = Date.UTC(2019, 10, 11);
  assert.deepEqual(records, [
    { host: 'm1', action: 'load', params: '{}', began_ms, took_ms: 250, outcome: 'Done' },
  ]);
});

test('wrong parameters are refused before anything is sent, and that is written down too', async () => {
  const { run, records, orders } = stage({});
  for (const params of [{ unit: 'sshd' }, { unit: 'kubelet', also: 1 }, {}, null, 'kubelet']) {
    const error = await run(HOST, 'restartUnit', params as never);
    assert.ok(error instanceof HostError && error.failure === 'Refused');
    assert.match(error.message, /parameters of restartUnit are refused/);
  }
  assert.deepEqual(orders, []);
  assert.deepEqual(new Set(records.map(({ outcome }) => outcome)), new Set(['Refused']));
});

test('long parameters do not make long records', async () => {
  const { run, records } = stage({});
  await run(HOST, 'readFile', { path: `/var/crash/${'x'.repeat(1_000_000)}`, from_bytes: 0, bytes_max: 1 });
  assert.ok((records[0]?.params.length ?? 0) < 500);
});

test('how it ends: the action’s own failure with its reason, what cannot be read, what is too much, what the way says', async () => {
  const failed = await stage({ exitCode: 69, stderr: Buffer.from('no\nway\n') }).run(HOST, 'load', {});
  assert.ok(failed instanceof HostError && failed.failure === 'Failed' && failed.exitCode === 69);
  assert.equal(failed.message, 'load failed: no way (exit code 69)');
  const cases: readonly [Partial<Ran> | Error, string][] = [
    [{ exitCode: 64 }, 'Refused'],
    [{ stdout: Buffer.from('?') }, 'BadOutput'],
    [{ truncated: true, exitCode: undefined }, 'BadOutput'],
    [new HostError('gone', 'Cut'), 'Cut'],
  ];
  for (const [answer, failure] of cases) {
    const { run, records } = stage(answer);
    const error = await run(HOST, 'load', {});
    assert.ok(error instanceof HostError && error.failure === failure, failure);
    assert.equal(records[0]?.outcome, failure);
  }
});
