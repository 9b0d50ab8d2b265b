import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  binomialExactly,
  binomialLower,
  binomialUpper,
  chiSquareUpper,
  countLimit,
  countLogExactly,
  countUpper,
  incompleteBeta,
  incompleteGamma,
  lgamma,
  normalCdf,
  normalQuantile,
  poissonLower,
  poissonUpper,
  solveShare,
} from './statistics.ts';

/** Known values were summed term by term (exact fractions for the binomial) in another language. */
function near(actual: number, expected: number, relative = 1e-11): void {
  const error = Math.abs(actual - expected) / Math.abs(expected);
  assert.ok(error <= relative, `${actual} is not ${expected}: off by ${error}`);
}

test('ln Γ', () => {
  near(lgamma(0.001), 6.907178885383854);
  near(lgamma(0.5), 0.5723649429247004);
  near(lgamma(1.5), -0.12078223763524543);
  near(lgamma(7.3), 7.147892523022248);
  near(lgamma(100), 359.1342053695754);
  near(lgamma(1e6), 12815504.569147611);
});

test('incomplete gamma and beta', () => {
  near(incompleteBeta(0.3, 2.5, 4), 0.3521975859067663, 1e-9);
  near(incompleteBeta(0.2, 1, 1), 0.2);
  near(incompleteGamma(1, 3).upper, Math.exp(-3));
  near(chiSquareUpper(3.841458820694124, 1), 0.05);
  near(chiSquareUpper(10, 2), Math.exp(-5));
});

test('the normal distribution', () => {
  near(1 - normalCdf(3), 0.0013498980316300957);
  near(normalCdf(-3), 0.0013498980316300957);
  near(normalQuantile(1e-10), -6.361340902404056, 1e-9);
  near(normalQuantile(0.001), -3.090232306167813);
  near(normalQuantile(0.3), -0.5244005127080407);
  near(normalQuantile(0.975), 1.9599639845400536);
});

test('tails of counts', () => {
  near(poissonUpper(20, 10), 0.0034543419758568316);
  near(poissonUpper(3, 0.01), 1.654216528074876e-7);
  near(poissonLower(980, 1000), 0.2698137705611853, 1e-10);
  near(countUpper(20, 10, 1.5), 0.015496230356429755);
  near(countUpper(3, 0.003, 3), 0.00031492426606692273);
  near(countUpper(1200, 1000, 4), 0.0013243738801949876, 1e-10);
  near(binomialLower(7, 40, 0.3), 0.05528288715374288);
  near(binomialUpper(8, 40, 0.3), 1 - 0.05528288715374288);
  near(binomialExactly(2, 3, 0.5), 3 / 8);
});

test('the probabilities of counts sum to one, and dispersion is variance over mean', () => {
  for (const [mean, dispersion] of [
    [0.02, 1],
    [10, 1.5],
    [40, 3],
  ] as const) {
    let sum = 0;
    let first = 0;
    let second = 0;
    for (let k = 0; k < 500; k++) {
      const exactly = Math.exp(countLogExactly(k, mean, dispersion));
      sum += exactly;
      first += k * exactly;
      second += k * k * exactly;
    }
    near(sum, 1);
    near(first, mean);
    near(second - first * first, mean * dispersion, 1e-9);
  }
});

test('the limit is the least count that is passed with at most that probability', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-4, max: 3000, noNaN: true }),
      fc.double({ min: 1, max: 5, noNaN: true }),
      fc.double({ min: 1e-7, max: 0.2, noNaN: true }),
      (mean, dispersion, tail) => {
        const limit = countLimit(tail, mean, dispersion);
        assert.ok(countUpper(limit + 1, mean, dispersion) <= tail * (1 + 1e-6));
        assert.ok(limit === 0 || countUpper(limit, mean, dispersion) >= tail * (1 - 1e-6));
      },
    ),
    { numRuns: 500 },
  );
  assert.equal(countLimit(0.01, 0, 2), 0);
});

test('solveShare finds the share in rising and in falling functions', () => {
  near(
    solveShare(0.25, true, (share) => share * share),
    0.5,
  );
  near(
    solveShare(0.25, false, (share) => 1 - share),
    0.75,
  );
});
