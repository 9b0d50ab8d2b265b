import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { correlate, type Question } from './index.ts';
import { type Attributes, encoded, type Planted } from './test-cases.ts';
import { denseCase } from './test-dense.ts';
import { rippleCase } from './test-ripple.ts';
import { sparseCase } from './test-sparse.ts';
import { cases, f1, type Outcome, type Score, scored } from './test-trial.ts';

/** Cases that are asked again in another order. */
const kept: Outcome[] = [];
const KEPT_OF_A_KIND = 5;

/** Scores of some cases of a kind. */
function scoresOf(make: (seed: number) => Planted, to: number, from = 0): Map<string, Score> {
  const outcomes = [...cases(make, from, to)];
  kept.push(...outcomes.slice(0, KEPT_OF_A_KIND));
  return scored(outcomes);
}

// More of them, and what is wrong: node scripts/correlate-trial.ts sparse 0 300 --verbose
test('rare crashes with a planted cause: the cause, and nothing where there is none', () => {
  const scores = scoresOf(sparseCase, 60);
  const all = scores.get('all') as Score;
  assert.ok(all.exact >= 0.9 * all.cases, JSON.stringify([...scores]));
  assert.ok((scores.get('without') as Score).wrong === 0, JSON.stringify([...scores]));
});

test('dense tables with planted cells: the cells, by F1, under noise, falls and zeros', () => {
  const scores = scoresOf(denseCase, 35);
  assert.ok(f1(scores.get('all') as Score) >= 0.9, JSON.stringify([...scores]));
  assert.ok((scores.get('without') as Score).wrong === 0, JSON.stringify([...scores]));
});

test('full tables with the ripple effect: what rises, by F1, and nothing where numbers only fall', () => {
  const scores = scoresOf(rippleCase, 25, 9);
  assert.ok(f1(scores.get('all') as Score) >= 0.95, JSON.stringify([...scores]));
  assert.ok((scores.get('fall') as Score).wrong === 0, JSON.stringify([...scores]));
});

const record = fc.record({
  a: fc.constantFrom('x', 'y', 'z', ''),
  b: fc.constantFrom('1', '2'),
  c: fc.constantFrom('p', 'q', 'r', 's', 't'),
});
const rows = fc.array(record, { maxLength: 60 });
const weighted = fc.array(fc.tuple(record, fc.double({ min: 0, max: 1e6, noNaN: true })), { maxLength: 40 });
const NAMES = ['a', 'b', 'c'];

test('whatever the tables hold: no throw, figures that are figures, no more events inside than there are', () => {
  const tables = fc.tuple(rows, weighted, fc.option(weighted), fc.option(rows));
  fc.assert(
    fc.property(tables, ([events, population, before, beforePopulation]) => {
      const sided = (list: readonly [Attributes, number][]) =>
        encoded(
          list.map(([each]) => each),
          NAMES,
          list.map(([, count]) => count),
        );
      const answer = correlate({
        events: encoded(events, NAMES),
        population: sided(population),
        ...(before && { beforeEvents: sided(before) }),
        ...(before && beforePopulation && { beforePopulation: encoded(beforePopulation, NAMES) }),
      });
      for (const { events: inside, expected, ratio, interval, p, cause, because } of answer.explanations) {
        assert.ok(inside <= events.length + 1e-6);
        assert.ok(
          [inside, expected, ratio, p, ...interval].every((each) => Number.isFinite(each) && each >= 0),
        );
        assert.ok(interval[0] <= interval[1] + 1e-9 && p <= 1 && !/NaN|undefined|Infinity/.test(because));
        if (cause) assert.ok(p <= 0.02);
      }
      assert.equal(
        answer.explanations.some(({ cause }) => cause),
        ['explained', 'ambiguous'].includes(answer.verdict),
      );
    }),
    { numRuns: 300 },
  );
});

test('the order of rows and of columns has no say', () => {
  assert.equal(kept.length, 3 * KEPT_OF_A_KIND);
  for (const { planted, answer } of kept)
    assert.deepEqual(correlate(turned(planted.question)), answer, planted.name);
});

/** The same question with rows and columns in reverse. */
function turned(question: Question): Question {
  const sides = Object.entries(question).map(([side, table]) => {
    if (!table) return [side, table];
    const columns = table.columns.map((column: Question['events']['columns'][number]) => ({
      ...column,
      codes: Uint32Array.from(column.codes).reverse(),
    }));
    return [
      side,
      {
        ...table,
        columns: columns.reverse(),
        ...(table.counts && { counts: table.counts.slice().reverse() }),
      },
    ];
  });
  return Object.fromEntries(sides) as Question;
}
