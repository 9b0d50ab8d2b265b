import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostError, type HostRef } from '../host.ts';
import type { Hosts } from './run.ts';
import { sweep } from './sweep.ts';

const hostsOf = (count: number): HostRef[] =>
  Array.from({ length: count }, (_, at) => ({ id: `m${at}`, ssh: `10.0.0.1:${at + 1}` }));
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function stage(work: (id: string, signal?: AbortSignal) => Promise<unknown>) {
  let running = 0;
  const seen = { most: 0, begun: 0 };
  const run = async (host: HostRef, _name: string, _params: unknown, signal?: AbortSignal) => {
    running++;
    seen.begun++;
    seen.most = Math.max(seen.most, running);
    try {
      return await work(host.id, signal);
    } finally {
      running--;
    }
  };
  return { hosts: { run } as unknown as Hosts, seen };
}

test('ten thousand hosts, each answered once, never more at a time than said, failures told apart', async () => {
  const { hosts, seen } = stage(async (id) => {
    await settle();
    if (id.endsWith('7')) throw new HostError('refused', 'Unreachable');
    if (id.endsWith('8')) throw new HostError('hangs', 'Silent');
    return id;
  });
  const outcomes = new Map<string, number>();
  const ids = new Set<string>();
  for await (const { host, outcome } of sweep(hosts, hostsOf(10_000), 'load', {}, { concurrent: 50 })) {
    ids.add(host.id);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  assert.equal(ids.size, 10_000);
  assert.deepEqual(Object.fromEntries(outcomes), { Done: 8000, Unreachable: 1000, Silent: 1000 });
  assert.equal(seen.most, 50);
});

test('answers come as they are ready; a slow host holds up nobody', async () => {
  let finish = (_: unknown) => {};
  const slow = new Promise((resolve) => (finish = resolve));
  const { hosts } = stage((id) => (id === 'm0' ? slow : Promise.resolve(id)));
  const order: string[] = [];
  for await (const { host } of sweep(hosts, hostsOf(20), 'load', {}, { concurrent: 2 })) {
    order.push(host.id);
    if (order.length === 19) finish('at last');
  }
  assert.equal(order.at(-1), 'm0');
  assert.equal(order.length, 20);
});

test('a reader who is slow holds back what is begun', async () => {
  const { hosts, seen } = stage(async (id) => id);
  const answers = sweep(hosts, hostsOf(1000), 'load', {}, { concurrent: 5 });
  await answers.next();
  for (let times = 0; times < 10; times++) await settle();
  assert.ok(seen.begun <= 6, `${seen.begun} were begun`);
  await answers.return();
});

test('who stops reading ends what runs', async () => {
  let ended = 0;
  const { hosts } = stage(
    (id, signal) =>
      new Promise((resolve, reject) => {
        if (id === 'm0') return resolve(id);
        signal?.addEventListener('abort', () => {
          ended++;
          reject(signal.reason);
        });
      }),
  );
  for await (const _ of sweep(hosts, hostsOf(100), 'load', {}, { concurrent: 4 })) break;
  await settle();
  assert.equal(ended, 3);
  const stop = new AbortController();
  stop.abort(new Error('enough'));
  const { hosts: others } = stage(async (_, signal) => signal?.throwIfAborted());
  await assert.rejects(sweep(others, hostsOf(3), 'load', {}, { signal: stop.signal }).next(), /enough/);
});
