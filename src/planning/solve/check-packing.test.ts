import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokenPromises, brokenSpares } from './check-packing.ts';
import { decreasingFit, machineAfterMachine } from './greedy.ts';
import type { Packing, Problem } from './problem.ts';
import { fleetProblem, smallProblem } from './test-problems.ts';

const problem: Problem = {
  items: [
    { name: 'a', count: 4, need: [2, 1], most: 2 },
    { name: 'b', count: 2, need: [1, 3] },
  ],
  bins: [
    { name: 'big', room: [8, 8], price: 10 },
    { name: 'small', room: [4, 4], price: 6, refuses: new Set([1]) },
  ],
  limits: [{ name: 'stock of small', bins: [1], max: 1 }],
  shares: [{ name: 'small', bins: [1], share: 0.5 }],
  apart: [],
};
const right: Packing = [
  {
    pattern: {
      bin: 0,
      items: [
        [0, 2],
        [1, 2],
      ],
    },
    count: 1,
  },
  { pattern: { bin: 1, items: [[0, 2]] }, count: 1 },
];
const none = [0, 0];

test('a packing that keeps everything has nothing to complain of', () => {
  assert.deepEqual(brokenPromises(problem, right, none), []);
});

const wrong: [string, Problem, Packing, readonly number[], RegExp][] = [
  [
    'a resource that is not there',
    problem,
    [
      {
        pattern: {
          bin: 0,
          items: [
            [0, 2],
            [1, 3],
          ],
        },
        count: 1,
      },
      ...right.slice(1),
    ],
    [0, -1],
    /big holds 11 of resource 1, and has 8/,
  ],
  ['a Pod too few', problem, right.slice(0, 1), none, /2 of 4 of a are accounted for/],
  ['a Pod too many', problem, [...right, ...right.slice(0, 1)], none, /6 of 4 of a/],
  ['one said to be left out that is there', problem, right, [1, 0], /5 of 4 of a/],
  [
    'an item where it may not be',
    problem,
    [{ pattern: { bin: 1, items: [[1, 1]] }, count: 1 }],
    none,
    /small holds b, which may not be there/,
  ],
  [
    'more of one than may be together',
    { ...problem, items: problem.items.map((item) => ({ ...item, most: 1 })) },
    right,
    none,
    /holds 2 of a, 1 at most are allowed/,
  ],
  ['a pair that may not meet', { ...problem, apart: [[0, 1]] }, right, none, /big holds a beside b/],
  [
    'stock that is not there',
    { ...problem, limits: [{ name: 'stock of small', bins: [1], max: 0 }] },
    right,
    none,
    /1 of stock of small, 0 at most are there/,
  ],
  [
    'a share that is too great',
    { ...problem, shares: [{ name: 'small', bins: [1], share: 0.4 }] },
    right,
    none,
    /1 of 2 are small, more than 0.4/,
  ],
  [
    'a bin that is not there',
    problem,
    [{ pattern: { bin: 9, items: [] }, count: 1 }],
    none,
    /there is no bin 9/,
  ],
  [
    'half a machine',
    problem,
    [{ pattern: { bin: 0, items: [] }, count: 0.5 }],
    none,
    /big is filled 0.5 times/,
  ],
];
for (const [what, ofProblem, packing, unplaced, words] of wrong)
  test(`it finds ${what}`, () => {
    assert.match(brokenPromises(ofProblem, packing, unplaced).join('; '), words);
  });

test('the greedy rules keep every promise too, and leave out only what has no room', () => {
  const problems = [
    ...Array.from({ length: 100 }, (_, seed) => smallProblem(seed)),
    fleetProblem(1, { shapes: 20, types: 6, pods: 2_000 }),
  ];
  for (const each of problems)
    for (const greedy of [
      machineAfterMachine(each),
      decreasingFit(each, 'First'),
      decreasingFit(each, 'Best'),
    ]) {
      assert.deepEqual(brokenPromises(each, greedy.packing, greedy.unplaced), []);
      const stock = each.limits.some(({ max }) => max < 100);
      if (!stock)
        greedy.unplaced.forEach((count, item) => {
          const fits = each.bins.some((bin) =>
            each.items[item]?.need.every((need, r) => need <= (bin.room[r] ?? 0)),
          );
          assert.equal(count > 0 && fits, false);
        });
    }
});

test('spares that are too few, too small, or not in stock are found', () => {
  const said = (counts: [number, number][], k: number, missing = [] as (typeof right)[number]['pattern'][]) =>
    brokenSpares(problem, right, { counts: new Map(counts), missing, k });
  assert.deepEqual(said([[0, 2]], 2), []);
  assert.deepEqual(said([[0, 1]], 2), [
    'nothing stands in for a machine of big',
    'nothing stands in for a machine of small',
  ]);
  const [big] = right.map(({ pattern }) => pattern);
  assert.match(
    said([[1, 1]], 1).join(),
    /2 of stock of small, 1 at most.*nothing stands in for a machine of big/,
  );
  assert.deepEqual(said([[0, 1]], 1, big && [big]), []);
});
