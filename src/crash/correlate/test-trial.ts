// How well planted cases are found: by name, or by machines that are nearly the same.
import { type Answer, correlate, type When } from './index.ts';
import type { EncodedRows } from './join.ts';
import type { Planted } from './test-cases.ts';

export interface Outcome {
  readonly planted: Planted;
  readonly answer: Answer;
  readonly hits: number;
  readonly missed: number;
  readonly wrong: number;
  readonly isExact: boolean;
}

export interface Score {
  cases: number;
  exact: number;
  hits: number;
  missed: number;
  wrong: number;
}

export function tried(planted: Planted): Outcome {
  const answer = correlate(planted.question);
  const causes = answer.explanations.filter(({ cause }) => cause);
  const isSame = (truth: When, { when, sameAs }: (typeof causes)[number]) =>
    [when, ...sameAs].some((name) => textOf(name) === textOf(truth)) ||
    areAlike(planted.question.population, when, truth);
  const hits = planted.truth.filter((truth) => causes.some((cause) => isSame(truth, cause))).length;
  const wrong = causes.filter((cause) => !planted.truth.some((truth) => isSame(truth, cause))).length;
  const missed = planted.truth.length - hits;
  return { planted, answer, hits, missed, wrong, isExact: missed === 0 && wrong === 0 };
}

export function textOf(when: When): string {
  return Object.entries(when)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(' & ');
}

/** At least 98 % of the machines that are in one are in both. */
function areAlike(population: EncodedRows, a: When, b: When): boolean {
  const inA = rowsIn(population, a);
  const inB = rowsIn(population, b);
  let both = 0;
  for (const row of inA) if (inB.has(row)) both++;
  return both >= 0.98 * (inA.size + inB.size - both);
}

function rowsIn(population: EncodedRows, when: When): Set<number> {
  const tests = Object.entries(when).map(([name, value]) => {
    const column = population.columns.find((each) => each.name === name);
    return { codes: column?.codes ?? [], code: column?.values.indexOf(value) };
  });
  const rows = new Set<number>();
  for (let row = 0; row < population.rows; row++)
    if (tests.every(({ codes, code }) => codes[row] === code)) rows.add(row);
  return rows;
}

/** Scores by kind of case, and of all. */
export function scored(outcomes: Iterable<Outcome>, onEach?: (outcome: Outcome) => void): Map<string, Score> {
  const scores = new Map<string, Score>();
  for (const outcome of outcomes) {
    onEach?.(outcome);
    const { planted, hits, missed, wrong, isExact } = outcome;
    for (const kind of new Set([
      'all',
      planted.truth.length > 0 ? 'with a cause' : 'without',
      ...planted.kind.split(', '),
    ])) {
      const score = scores.get(kind) ?? { cases: 0, exact: 0, hits: 0, missed: 0, wrong: 0 };
      score.cases++;
      score.exact += isExact ? 1 : 0;
      score.hits += hits;
      score.missed += missed;
      score.wrong += wrong;
      scores.set(kind, score);
    }
  }
  return scores;
}

export function f1({ hits, missed, wrong }: Score): number {
  return hits === 0 ? 0 : (2 * hits) / (2 * hits + missed + wrong);
}

export function* cases(make: (seed: number) => Planted, from: number, to: number): Iterable<Outcome> {
  for (let seed = from; seed < to; seed++) yield tried(make(seed));
}
