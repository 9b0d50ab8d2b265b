import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MINUTE, SECOND } from '../clock/clock.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { WorkQueue } from './queue.ts';

type Work = (key: string) => Promise<number | undefined>;

/** A queue at work, with what was begun, at which second, and how many at once. */
function atWork(work: (clock: VirtualClock) => Work, concurrency = 2) {
  const clock = new VirtualClock();
  const queue = new WorkQueue(clock);
  const start = clock.now();
  const begun: { key: string; at_ms: number }[] = [];
  const errors: string[] = [];
  const stop = new AbortController();
  const seen = { most: 0, overlaps: 0 };
  const active: string[] = [];
  const inner = work(clock);
  const done = queue.run(
    async (key) => {
      if (active.includes(key)) seen.overlaps++;
      active.push(key);
      seen.most = Math.max(seen.most, active.length);
      begun.push({ key, at_ms: clock.now() - start });
      try {
        return await inner(key);
      } finally {
        active.splice(active.indexOf(key), 1);
      }
    },
    { concurrency, signal: stop.signal, onError: (key, error) => errors.push(`${key}: ${error}`) },
  );
  const keys = () => begun.map(({ key }) => key).join(' ');
  const times = (of: string) => begun.filter(({ key }) => key === of).map(({ at_ms }) => at_ms);
  return { clock, queue, begun, errors, seen, stop, done, keys, times };
}

const lasting = (work_ms: number) => (clock: VirtualClock) => async () => {
  await clock.sleep(work_ms);
  return undefined;
};

test('keys come in the order in which they were added, each once however often it was', async () => {
  const { clock, queue, keys } = atWork(lasting(10), 1);
  for (const key of ['a', 'b', 'a', 'c', 'b', 'a']) queue.add(key);
  assert.equal(queue.depth, 3);
  await clock.advance(SECOND);
  assert.equal(keys(), 'a b c');
  assert.equal(queue.depth, 0);
});

test('a key added while it is worked on comes again after that, once', async () => {
  const { clock, queue, times } = atWork(lasting(100));
  queue.add('a');
  await clock.advance(50);
  queue.add('a');
  queue.add('a');
  await clock.advance(SECOND);
  assert.deepEqual(times('a'), [0, 100]);
});

test('never the same key twice at once, never more than the concurrency, and none is forgotten', async () => {
  const adds = fc.array(
    fc.record({ at_ms: fc.integer({ min: 0, max: 500 }), key: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
    { minLength: 1, maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(
      adds,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 90 }),
      async (added, concurrency, work_ms) => {
        const { clock, queue, seen, times, stop, done } = atWork(lasting(work_ms), concurrency);
        for (const { at_ms, key } of added) clock.timer(at_ms, () => queue.add(key));
        await clock.advance(MINUTE);
        assert.equal(seen.overlaps, 0);
        assert.ok(seen.most <= concurrency);
        // Level-triggered: the last change of each key was followed by a look at it.
        for (const { at_ms, key } of added)
          assert.ok((times(key).at(-1) ?? -1) >= at_ms, `${key} changed at ${at_ms} and was not seen`);
        stop.abort();
        await done;
      },
    ),
  );
});

test('a slow key holds only its own place', async () => {
  const slow = (clock: VirtualClock) => async (key: string) => {
    await clock.sleep(key === 'slow' ? MINUTE : 10);
    return undefined;
  };
  const { clock, queue, keys } = atWork(slow);
  for (const key of ['slow', 'b', 'c', 'd']) queue.add(key);
  await clock.advance(SECOND);
  assert.equal(keys(), 'slow b c d');
});

test('waits after failures grow up to a minute, and begin anew after a success', async () => {
  let fails = true;
  const { clock, queue, times, errors } = atWork(() => async () => {
    if (fails) throw new Error('no');
    return undefined;
  });
  queue.add('a');
  await clock.advance(10 * MINUTE);
  const waits = times('a')
    .slice(1)
    .map((at_ms, index) => at_ms - (times('a')[index] as number));
  for (const [failure, wait_ms] of waits.entries()) {
    const expected_ms = Math.min(60_000, 250 * 2 ** failure);
    assert.ok(
      wait_ms >= 0.75 * expected_ms && wait_ms <= 1.25 * expected_ms,
      `${failure + 1}. wait: ${wait_ms} ms`,
    );
  }
  assert.ok(waits.length > 12);
  assert.equal(errors.length, times('a').length);
  assert.equal(queue.failing, 1);

  fails = false;
  await clock.advance(2 * MINUTE);
  assert.equal(queue.failing, 0);
  fails = true;
  const before = times('a').length;
  queue.add('a');
  await clock.advance(400);
  assert.equal(times('a').length, before + 2, 'the first wait after a success is the shortest again');
});

test('a failing key stops no other', async () => {
  const { clock, queue, keys } = atWork(
    () => async (key) => {
      if (key === 'bad') throw new Error('no');
      return undefined;
    },
    1,
  );
  for (const key of ['bad', 'good', 'better']) queue.add(key);
  await clock.advance(100);
  assert.equal(keys(), 'bad good better');
});

test('work says when it wants to look again; an earlier wish goes before a later one', async () => {
  const wishes = [10 * SECOND, 0, undefined];
  const { clock, queue, times } = atWork(() => async () => wishes.shift());
  queue.add('a');
  await clock.advance(SECOND);
  queue.addAfter('a', 20 * SECOND);
  queue.addAfter('a', 2 * SECOND);
  await clock.advance(MINUTE);
  assert.deepEqual(times('a'), [0, 3 * SECOND, 3 * SECOND]);
});

test('an abort begins nothing more, waits for what is under way and leaves no wake-up behind', async () => {
  const { clock, queue, stop, done, keys } = atWork((clock) => async () => {
    await clock.sleep(SECOND);
    return 10 * SECOND;
  });
  let ended = false;
  void done.then(() => {
    ended = true;
  });
  queue.add('a');
  queue.addAfter('b', 500);
  await clock.advance(100);
  stop.abort();
  queue.add('c');
  await clock.advance(800);
  assert.equal(ended, false, 'a is still under way');
  await clock.advance(200);
  assert.equal(ended, true);
  assert.equal(keys(), 'a');
  const { depth } = queue;
  await clock.advance(MINUTE);
  assert.equal(queue.depth, depth, 'a timer woke up after the end');
});

test('an idle queue ends at once when aborted', async () => {
  const { stop, done } = atWork(lasting(1));
  stop.abort();
  await done;
});
