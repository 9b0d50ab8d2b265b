import assert from 'node:assert/strict';
import { test } from 'node:test';
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
