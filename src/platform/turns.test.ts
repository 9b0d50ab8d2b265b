import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { Turns } from './turns.ts';

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test('so many overall and so many to one host; who waits for a busy host holds up no other', async () => {
  const turns = new Turns(3, 2);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const call = (name: string, host: string) =>
    void turns.take(host).then((end) => {
      begun.push(name);
      ends.set(name, end);
    });
  for (const [name, host] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['a3', 'a'],
    ['b1', 'b'],
    ['c1', 'c'],
  ] as const)
    call(name, host);
  await settle();
  assert.deepEqual(begun, ['a1', 'a2', 'b1']);
  ends.get('b1')?.();
  await settle();
  assert.deepEqual(begun, ['a1', 'a2', 'b1', 'c1']);
  ends.get('a1')?.();
  ends.get('a1')?.();
  await settle();
  assert.deepEqual(begun, ['a1', 'a2', 'b1', 'c1', 'a3'], 'an end counts once');
});

test('who gives up while waiting leaves no trace', async () => {
  const turns = new Turns(1, 1);
  const end = await turns.take('a');
  const stop = new AbortController();
  const waiting = turns.take('a', stop.signal);
  stop.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  end();
  (await turns.take('a'))();
  await assert.rejects(turns.take('a', stop.signal), /enough/);
});

describe('turns without a limit overall', () => {
  it('let so many through a key at once, in their order, and never make one key wait for another', async () => {
    const turns = new Turns(Number.POSITIVE_INFINITY, 2);
    const log: string[] = [];
    const open: (() => void)[] = [];
    const call = (key: string, name: string) =>
      turns.run(key, () => {
        log.push(name);
        return new Promise<void>((end) => open.push(end));
      });
    const all = [call('a', 'a1'), call('a', 'a2'), call('a', 'a3'), call('a', 'a4'), call('b', 'b1')];
    await Promise.resolve();
    assert.deepEqual(log, ['a1', 'a2', 'b1']);
    while (open.length > 0) {
      open.shift()?.();
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
    await Promise.all(all);
    assert.deepEqual(log, ['a1', 'a2', 'b1', 'a3', 'a4']);
  });

  it('lose a caller that gives up while it waits, and no place with it', async () => {
    const turns = new Turns(Number.POSITIVE_INFINITY, 1);
    const first = Promise.withResolvers<void>();
    const one = turns.run('a', () => first.promise);
    const stop = new AbortController();
    const two = turns.run('a', async () => 'two', stop.signal);
    stop.abort(new Error('enough'));
    await assert.rejects(two, /enough/);
    first.resolve();
    await one;
    assert.equal(await turns.run('a', async () => 'three'), 'three');
  });
});
