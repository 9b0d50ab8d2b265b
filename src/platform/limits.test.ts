import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SECOND } from './clock/clock.ts';
import { VirtualClock } from './clock/virtual.ts';
import { limiter } from './limits.ts';

/** Begins and ends of calls that come at given times and last so long. */
async function replay(
  limits: { perSecond: number; concurrent: number },
  calls: { at_ms: number; lasts_ms: number }[],
): Promise<{ begun: number[]; most: number; order: number[] }> {
  const clock = new VirtualClock();
  const start = clock.now();
  const run = limiter(clock, limits);
  const begun: number[] = [];
  const order: number[] = [];
  let running = 0;
  let most = 0;
  let done = 0;
  for (const [index, { at_ms, lasts_ms }] of calls.entries()) {
    clock.timer(at_ms, () => {
      void run(async () => {
        begun.push(clock.now() - start);
        order.push(index);
        most = Math.max(most, ++running);
        await clock.sleep(lasts_ms);
        running--;
      }).then(() => done++);
    });
  }
  assert.ok(await clock.advanceUntil(() => done === calls.length, 3600 * SECOND), 'a call never began');
  return { begun, most, order };
}

test('never more at once than allowed, never more in any second than the rate and one idle second’s worth', async () => {
  const limits = fc.record({
    perSecond: fc.integer({ min: 1, max: 20 }),
    concurrent: fc.integer({ min: 1, max: 8 }),
  });
  const calls = fc.array(
    fc.record({ at_ms: fc.integer({ min: 0, max: 6000 }), lasts_ms: fc.integer({ min: 0, max: 1500 }) }),
    { maxLength: 120 },
  );
  await fc.assert(
    fc.asyncProperty(limits, calls, async ({ perSecond, concurrent }, wanted) => {
      const { begun, most } = await replay({ perSecond, concurrent }, wanted);
      assert.ok(most <= concurrent, `${most} at once, ${concurrent} allowed`);
      for (const from of begun) {
        const within = begun.filter((at) => at >= from && at < from + SECOND).length;
        assert.ok(
          within <= Math.max(1, 2 * perSecond - 1),
          `${within} in the second from ${from}, rate ${perSecond}`,
        );
      }
      const seconds = (Math.max(0, ...begun) - Math.min(0, ...begun)) / SECOND;
      assert.ok(begun.length <= perSecond * (seconds + 1) + 1);
    }),
    { numRuns: 200 },
  );
});

test('who asks first begins first', async () => {
  const calls = Array.from({ length: 30 }, () => ({ at_ms: 0, lasts_ms: 300 }));
  const { order } = await replay({ perSecond: 10, concurrent: 3 }, calls);
  assert.deepEqual(
    order,
    calls.map((_, at) => at),
  );
});

test('an idle time earns one second’s worth at once, then the rate holds', async () => {
  const calls = Array.from({ length: 25 }, () => ({ at_ms: 60_000, lasts_ms: 0 }));
  const { begun } = await replay({ perSecond: 5, concurrent: 100 }, calls);
  assert.equal(begun.filter((at) => at === 60_000).length, 5);
  const inSecond = (second: number) =>
    begun.filter((at) => at >= 60_000 + second * SECOND && at < 60_000 + (second + 1) * SECOND).length;
  assert.deepEqual([0, 1, 2, 3, 4].map(inSecond), [9, 5, 5, 5, 1]);
});

test('a call that fails gives its place back and its error to who asked', async () => {
  const clock = new VirtualClock();
  const run = limiter(clock, { perSecond: 100, concurrent: 1 });
  const failing = assert.rejects(
    run(() => Promise.reject(new Error('refused'))),
    /refused/,
  );
  const next = run(async () => 'through');
  await clock.advance(SECOND);
  await failing;
  assert.equal(await next, 'through');
});
