import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Order, Ran } from './actions/shell.ts';
import { inTurns } from './in-turns.ts';

const ORDER: Order = { script: ':', args: [], root: false, timeout_ms: 1000, output_bytes_max: 10 };
const RAN: Ran = {
  exitCode: 0,
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
  truncated: false,
  duration_ms: 0,
};

test('so many runs are on one host, and so many in all; who waits begins when one has ended, well or not', async () => {
  const begun: string[] = [];
  const ends: ((error?: Error) => void)[] = [];
  const shell = inTurns(
    {
      exec: ({ id }) => {
        begun.push(id);
        return new Promise((resolve, reject) => {
          ends.push((error) => (error ? reject(error) : resolve(RAN)));
        });
      },
    },
    3,
    2,
  );
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const runs = ['a', 'a', 'a', 'b', 'b'].map((id) => shell.exec({ id, ssh: '' }, ORDER).catch(() => RAN));
  await turn();
  assert.deepEqual(begun, ['a', 'a', 'b']);
  ends[0]?.(new Error('it fails'));
  await turn();
  assert.deepEqual(begun, ['a', 'a', 'b', 'a']);
  ends[1]?.();
  await turn();
  assert.deepEqual(begun, ['a', 'a', 'b', 'a', 'b']);
  for (const end of ends) end();
  await Promise.all(runs);
});
