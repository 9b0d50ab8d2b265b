import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { idFrom, SECOND, type Timer, toMicroTime, toTime } from './clock.ts';
import { seededRandom } from './random.ts';
import { scaledClock } from './scaled.ts';
import { systemClock } from './system.ts';
import { VirtualClock } from './virtual.ts';

test('timers fire in order of time, then of creation, whatever the delays and whoever is cancelled', async () => {
  const timers = fc.array(
    fc.record({ delay_ms: fc.integer({ min: -5, max: 40 }), isCancelled: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(timers, async (wanted) => {
      const clock = new VirtualClock();
      const start = clock.now();
      const fired: string[] = [];
      const set = wanted.map(({ delay_ms }, at) =>
        clock.timer(delay_ms, () => fired.push(`${clock.now() - start}:${at}`)),
      );
      for (const [at, timer] of set.entries()) if (wanted[at]?.isCancelled) timer.cancel();
      await clock.advance(30);
      const due = wanted
        .map(({ delay_ms, isCancelled }, at) => ({ at, isCancelled, after_ms: Math.max(0, delay_ms) }))
        .filter(({ after_ms, isCancelled }) => after_ms <= 30 && !isCancelled)
        .sort((a, b) => a.after_ms - b.after_ms || a.at - b.at);
      assert.deepEqual(
        fired,
        due.map(({ after_ms, at }) => `${after_ms}:${at}`),
      );
      assert.equal(clock.now() - start, 30);
    }),
  );
});

test('a timer that a timer sets fires in the same advance, and one may cancel another', async () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  let doomed: Timer | undefined;
  clock.timer(10, () => {
    doomed?.cancel();
    clock.timer(5, () => fired.push('second'));
  });
  doomed = clock.timer(12, () => fired.push('doomed'));
  const once = clock.timer(1, () => fired.push('first'));
  await clock.advance(14);
  assert.deepEqual(fired, ['first']);
  once.cancel();
  await clock.advance(1);
  assert.deepEqual(fired, ['first', 'second']);
});

test('promises settle between two instants: what awaits sees the time at which it was woken', async () => {
  const clock = new VirtualClock();
  const start = clock.now();
  const seen: number[] = [];
  void (async () => {
    for (let round = 0; round < 3; round++) {
      await clock.sleep(10);
      await Promise.resolve().then(() => undefined);
      seen.push(clock.now() - start);
    }
  })();
  await clock.advance(100);
  assert.deepEqual(seen, [10, 20, 30]);
});

test('a sleep ends with the reason of its signal, also when that came first', async () => {
  const clock = new VirtualClock();
  const abort = new AbortController();
  const sleeping = assert.rejects(clock.sleep(10, abort.signal), /enough/);
  abort.abort(new Error('enough'));
  await sleeping;
  await assert.rejects(clock.sleep(10, abort.signal), /enough/);
  await assert.rejects(systemClock.sleep(60 * SECOND, abort.signal), /enough/);
});

test('advanceUntil stops at the step in which it came true, or says that it did not', async () => {
  const clock = new VirtualClock();
  const start = clock.now();
  let done = false;
  clock.timer(2500, () => {
    done = true;
  });
  assert.equal(await clock.advanceUntil(() => done, 10 * SECOND), true);
  assert.equal(clock.now() - start, 3 * SECOND);
  assert.equal(await clock.advanceUntil(() => false, 2500), false);
  assert.equal(clock.now() - start, 5500);
});

test('the same seed draws the same numbers in [0, 1), evenly; another seed draws others', () => {
  const draw = (seed: number, count: number) => Array.from({ length: count }, seededRandom(seed));
  const numbers = draw(7, 100_000);
  assert.deepEqual(draw(7, 100), numbers.slice(0, 100));
  assert.notDeepEqual(draw(8, 100), numbers.slice(0, 100));
  assert.ok(numbers.every((number) => number >= 0 && number < 1));
  const tenths = Array(10).fill(0);
  for (const number of numbers) tenths[Math.floor(number * 10)]++;
  // 10,000 in each is expected with a deviation of 95: five of these are never left by chance.
  for (const count of tenths) assert.ok(Math.abs(count - 10_000) < 500, `${tenths}`);
});

test('ids are fit for names, and a seed repeats them', () => {
  assert.match(new VirtualClock(3).id(20), /^[0-9a-z]{20}$/);
  assert.equal(new VirtualClock(3).id(), new VirtualClock(3).id());
  assert.notEqual(new VirtualClock(3).id(), new VirtualClock(4).id());
  assert.equal(
    idFrom(() => 0.999_999, 3),
    'zzz',
  );
  const ids = new Set(Array.from({ length: 1000 }, () => systemClock.id()));
  assert.equal(ids.size, 1000);
});

test('scaled time runs faster than the clock below, and its waits are as much shorter', async () => {
  const below = new VirtualClock();
  const scaled = scaledClock(below, 60, below.random, (length) => below.id(length));
  const start = scaled.now();
  let woke = 0;
  void scaled.sleep(60 * SECOND).then(() => {
    woke = scaled.now() - start;
  });
  await below.advance(SECOND);
  assert.equal(woke, 60 * SECOND);
});

test('times are written as Kubernetes reads them', () => {
  const moment = Date.UTC(2019, 10, 11, 0, 0, 1, 234) + 0.5;
  assert.equal(toTime(moment), '2019-11-11T00:00:01Z');
  assert.equal(toMicroTime(moment), '2019-11-11T00:00:01.234000Z');
});
