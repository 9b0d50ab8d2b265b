import { turningPoint } from '../statistics.ts';
import { tail } from './score.ts';

/**
 * 95 % interval of the ratio of a count to what is expected: exact with the mid-P correction (Lancaster 1961),
 * Poisson, or negative binomial where the expectation is known from `shape` events only. Counts may be fractional
 * (divided by their dispersion).
 */
export function ratioInterval(count: number, expected: number, shape: number): [number, number] {
  if (expected <= 0) return [0, 0];
  return [count > 0 ? solve(count, expected, shape, 0.025) : 0, solve(count, expected, shape, 0.975)];
}

/** The ratio at which as many events or more have the chance `wanted`. */
function solve(count: number, expected: number, shape: number, wanted: number): number {
  let high = 4 * Math.max(1, count / expected) + 10 / expected;
  const upper = (ratio: number) =>
    (tail(count, ratio * expected, shape) + tail(count + 1, ratio * expected, shape)) / 2;
  while (upper(high) < wanted && high < 1e12) high *= 4;
  return turningPoint(0, high, (ratio) => upper(ratio) < wanted, 1e-7);
}
