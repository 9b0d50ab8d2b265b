import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allFillings, fillBest, type Knapsack } from './knapsack.ts';

const knapsacks = fc
  .record({
    items: fc.array(
      fc.record({
        value: fc.integer({ min: 1, max: 1000 }),
        need: fc.array(fc.nat(7), { minLength: 3, maxLength: 3 }),
        most: fc.integer({ min: 1, max: 4 }),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    room: fc.array(fc.nat(20), { minLength: 3, maxLength: 3 }),
    pair: fc.option(fc.tuple(fc.nat(4), fc.nat(4)), { nil: undefined }),
    target: fc.nat(500),
    grid: fc.constantFrom(0, 1_000_000),
  })
  .map(({ items, room, pair, target, grid }): Knapsack => {
    const apart = items.map((_, at) =>
      pair && pair[0] !== pair[1] && pair[0] < items.length && pair[1] < items.length && pair.includes(at)
        ? pair.filter((other) => other !== at)
        : [],
    );
    return {
      values: Float64Array.from(items, ({ value }) => value),
      needs: Float64Array.from(items.flatMap(({ need }) => need)),
      most: Float64Array.from(items, ({ most }) => most),
      room: Float64Array.from(room),
      apart,
      target,
      nodes: 100_000,
      grid,
    };
  });

/** Every filling with its value, by trying all counts. */
function everyFilling({ values, needs, most, room, apart }: Knapsack): { value: number; counts: number[] }[] {
  const found: { value: number; counts: number[] }[] = [];
  const counts = Array.from(values, () => 0);
  const fits = () =>
    room.every(
      (amount, r) =>
        counts.reduce((sum, count, item) => sum + count * (needs[item * room.length + r] as number), 0) <=
        amount,
    ) &&
    counts.every((count, item) => count === 0 || (apart?.[item] ?? []).every((other) => counts[other] === 0));
  const visit = (item: number): void => {
    if (item === counts.length) {
      if (fits())
        found.push({
          value: counts.reduce((sum, count, at) => sum + count * (values[at] as number), 0),
          counts: [...counts],
        });
      return;
    }
    for (let count = 0; count <= (most[item] as number); count++) {
      counts[item] = count;
      visit(item + 1);
    }
    counts[item] = 0;
  };
  visit(0);
  return found;
}

test('the best filling is found where it is worth more than the target, and the upper bound holds', () => {
  fc.assert(
    fc.property(knapsacks, (knapsack) => {
      const best = Math.max(...everyFilling(knapsack).map(({ value }) => value));
      const { fillings, upper } = fillBest(knapsack);
      assert.ok(best <= Math.max(upper, knapsack.target));
      assert.equal(fillings.at(-1)?.value ?? knapsack.target, Math.max(best, knapsack.target));
      for (const { value, counts } of fillings)
        assert.equal(
          everyFilling(knapsack).some((each) => each.value === value && each.counts.join() === counts.join()),
          true,
        );
    }),
    { numRuns: 300 },
  );
});

test('a search that is broken off still says what nothing can be worth more than', () => {
  fc.assert(
    fc.property(knapsacks, fc.integer({ min: 1, max: 5 }), (knapsack, nodes) => {
      const best = Math.max(...everyFilling(knapsack).map(({ value }) => value));
      assert.ok(fillBest({ ...knapsack, nodes }).upper >= best || best <= knapsack.target);
    }),
    { numRuns: 300 },
  );
});

test('all full fillings worth enough are listed, each once', () => {
  fc.assert(
    fc.property(knapsacks, (knapsack) => {
      const every = everyFilling(knapsack);
      const known = new Set(every.map(({ counts }) => counts.join()));
      const isFull = (counts: readonly number[]) =>
        counts.every((count, item) => {
          const more = counts.with(item, count + 1);
          return !known.has(more.join());
        });
      const wanted = every
        .filter(({ value, counts }) => value >= knapsack.target && isFull(counts))
        .map(({ counts }) => counts.join());
      const found = allFillings(knapsack, 100_000)?.map(({ counts }) => counts.join());
      assert.deepEqual(found?.sort(), wanted.sort());
    }),
    { numRuns: 300 },
  );
});
