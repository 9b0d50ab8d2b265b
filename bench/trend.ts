// Points through the trend monitor, against judging each point by all before it again, which is how it is first
// written; and signatures into families, against comparing each with all others.
import { FamilyBook } from '../src/crash/families/index.ts';
import { similarityOf, weightsOf } from '../src/crash/families/similarity.ts';
import { plantedSignatures, shuffled } from '../src/crash/families/test-signatures.ts';
import { countLimit } from '../src/crash/statistics.ts';
import { Monitor, type Point } from '../src/crash/trend/index.ts';
import { drawCount } from '../src/crash/trend/trials.ts';
import { HOUR } from '../src/platform/clock/clock.ts';
import { seededRandom } from '../src/platform/clock/random.ts';
import { median_ms, report } from './report.ts';

const POINTS = 1_000_000;
const NAIVE_POINTS = 10_000;
const FAMILIES = 4000;
const EACH = 5;
const NAIVE_SIGNATURES = 2000;

const random = seededRandom(1);
const points = Array.from({ length: POINTS }, (_, hour): Point => {
  const at = hour * HOUR;
  return { date: `${hour}`, at, local: at, count: drawCount(random, 0.42, 1.5), exposure: 2083 };
});

const monitor_ms = await median_ms(1, () => {
  const monitor = new Monitor({ step: 'hour' });
  for (const point of points) monitor.step(point);
});

let above = 0;
const naive_ms = await median_ms(1, () => {
  for (let at = 1; at < NAIVE_POINTS; at++) {
    let sum = 0;
    let squares = 0;
    for (let before = 0; before < at; before++) {
      const { count } = points[before] as Point;
      sum += count;
      squares += count * count;
    }
    const mean = (sum + 0.5) / at;
    const dispersion = Math.max(1, (squares / at - mean * mean) / mean);
    if ((points[at] as Point).count > countLimit(1e-4, mean, dispersion)) above++;
  }
});
if (above > NAIVE_POINTS / 100) throw new Error(`${above} of ${NAIVE_POINTS} points above their limit`);

const signatures = shuffled(plantedSignatures(FAMILIES, EACH, seededRandom(2)), seededRandom(3));
const book_ms = await median_ms(1, () => {
  const book = new FamilyBook();
  for (const signature of signatures) book.add(signature);
  if (Math.abs(book.families.length / FAMILIES - 1) > 0.2)
    throw new Error(`${book.families.length} families`);
});

const numbers = new Map<string, number>();
const stacks = signatures.slice(0, NAIVE_SIGNATURES).map(({ frames }) => {
  const stack = frames.map((frame) => {
    const number = numbers.get(frame) ?? numbers.size;
    numbers.set(frame, number);
    return number;
  });
  return { stack, weights: weightsOf(stack, () => 0) };
});
const pairs_ms = await median_ms(1, () => {
  let alike = 0;
  for (const [at, { stack, weights }] of stacks.entries())
    for (const other of stacks.slice(0, at))
      if (similarityOf(stack, weights, other.stack, other.weights) > 0.62) alike++;
  return alike;
});

const rate = (count: number, ms: number) => count / (ms / 1000);
report('trend', `${POINTS} hours; ${signatures.length} signatures of ${FAMILIES} families`, [
  {
    what: `each point by all before it, ${NAIVE_POINTS} points`,
    value: rate(NAIVE_POINTS, naive_ms),
    unit: 'points/s',
  },
  {
    what: 'Monitor',
    value: rate(POINTS, monitor_ms),
    unit: 'points/s',
    times: rate(POINTS, monitor_ms) / rate(NAIVE_POINTS, naive_ms),
    of: 'that, and it grows',
  },
  {
    what: `all pairs, ${NAIVE_SIGNATURES} signatures`,
    value: rate(NAIVE_SIGNATURES, pairs_ms),
    unit: 'signatures/s',
  },
  {
    what: 'FamilyBook',
    value: rate(signatures.length, book_ms),
    unit: 'signatures/s',
    times: rate(signatures.length, book_ms) / rate(NAIVE_SIGNATURES, pairs_ms),
    of: 'that, and it grows',
  },
]);
