// Special functions and the distributions of counts: pure, double precision, no tables to load.
// Relative error is 1e-10 or better where a test says so; tails below 1e-300 come out as 0.

const LOG_SQRT_2PI = 0.918_938_533_204_672_8;
/** Below this the Stirling series is shifted up: at 8 its first term left out is under 1e-16. */
const STIRLING_FROM = 8;
const ROUNDS_MAX = 100_000;
const EPSILON = 1e-15;
const TINY = 1e-300;

/** ln Γ(x) for x > 0, by Stirling's series. */
export function lgamma(x: number): number {
  let shift = 1;
  let at = x;
  while (at < STIRLING_FROM) shift *= at++;
  const z = 1 / (at * at);
  const series =
    (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z * (1 / 1680 - z * (1 / 1188 - z * (691 / 360_360)))))) / at;
  return (at - 0.5) * Math.log(at) - at + LOG_SQRT_2PI + series - Math.log(shift);
}

/** The regularised incomplete gamma functions { P(a, x), Q(a, x) }, for a > 0 and x ≥ 0. */
export function incompleteGamma(a: number, x: number): { lower: number; upper: number } {
  if (x <= 0) return { lower: 0, upper: 1 };
  if (x === Infinity) return { lower: 1, upper: 0 };
  const front = Math.exp(a * Math.log(x) - x - lgamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < ROUNDS_MAX && term > sum * EPSILON; n++) {
      term *= x / (a + n);
      sum += term;
    }
    const lower = Math.min(1, sum * front);
    return { lower, upper: 1 - lower };
  }
  // Lentz's continued fraction.
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let h = d;
  for (let n = 1; n < ROUNDS_MAX; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / nonZero(an * d + b);
    c = nonZero(b + an / c);
    h *= d * c;
    if (Math.abs(d * c - 1) < EPSILON) break;
  }
  const upper = Math.min(1, h * front);
  return { lower: 1 - upper, upper };
}

/** The regularised incomplete beta function I_x(a, b), for a, b > 0. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return Math.min(1, (front * betaFraction(x, a, b)) / a);
  return Math.max(0, 1 - (front * betaFraction(1 - x, b, a)) / b);
}

function betaFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; m < ROUNDS_MAX; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d);
    c = nonZero(1 + even / c);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d);
    c = nonZero(1 + odd / c);
    h *= d * c;
    if (Math.abs(d * c - 1) < EPSILON) break;
  }
  return h;
}

function nonZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/** Φ(z), the standard normal distribution function. */
export function normalCdf(z: number): number {
  const { lower, upper } = incompleteGamma(0.5, (z * z) / 2);
  return z < 0 ? upper / 2 : 0.5 + lower / 2;
}

/** Φ⁻¹(p): Acklam's rational approximation, then one step of Halley's. */
export function normalQuantile(p: number): number {
  if (p <= 0) return -Infinity;
  if (p >= 1) return Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  let z: number;
  if (p < 0.024_25) {
    const q = Math.sqrt(-2 * Math.log(p));
    z =
      (((((-7.784894002430293e-3 * q - 0.3223964580411365) * q - 2.400758277161838) * q - 2.549732539343734) *
        q +
        4.374664141464968) *
        q +
        2.938163982698783) /
      ((((7.784695709041462e-3 * q + 0.3224671290700398) * q + 2.445134137142996) * q + 3.754408661907416) *
        q +
        1);
  } else {
    const q = p - 0.5;
    const r = q * q;
    z =
      ((((((-39.69683028665376 * r + 220.9460984245205) * r - 275.9285104469687) * r + 138.357751867269) * r -
        30.66479806614716) *
        r +
        2.506628277459239) *
        q) /
      (((((-54.47609879822406 * r + 161.5858368580409) * r - 155.6989798598866) * r + 66.80131188771972) * r -
        13.28068155288572) *
        r +
        1);
  }
  const density = Math.exp((-z * z) / 2 - LOG_SQRT_2PI);
  if (density === 0) return z;
  const step = (normalCdf(z) - p) / density;
  return z - step / (1 + (z * step) / 2);
}

/** P(χ² with so many degrees of freedom ≥ x). */
export function chiSquareUpper(x: number, degrees: number): number {
  return incompleteGamma(degrees / 2, x / 2).upper;
}

/** P(Y ≥ k) for Y ~ Poisson(mean). */
export function poissonUpper(k: number, mean: number): number {
  if (k <= 0) return 1;
  return incompleteGamma(k, mean).lower;
}

/** P(Y ≤ k) for Y ~ Poisson(mean). */
export function poissonLower(k: number, mean: number): number {
  if (k < 0) return 0;
  return incompleteGamma(k + 1, mean).upper;
}

/** P(Y ≤ k) for Y ~ Binomial(n, p). */
export function binomialLower(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  return incompleteBeta(1 - p, n - k, k + 1);
}

/** P(Y ≥ k) for Y ~ Binomial(n, p). */
export function binomialUpper(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  if (k > n) return 0;
  return incompleteBeta(p, k, n - k + 1);
}

/** P(Y = k) for Y ~ Binomial(n, p). */
export function binomialExactly(k: number, n: number, p: number): number {
  if (k < 0 || k > n) return 0;
  if (p <= 0 || p >= 1) return k === (p <= 0 ? 0 : n) ? 1 : 0;
  const choose = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1);
  return Math.exp(choose + k * Math.log(p) + (n - k) * Math.log1p(-p));
}

/** Over-dispersion below this is Poisson to eight digits, and the negative binomial's size would overflow. */
const POISSON_BELOW = 1 + 1e-9;

/**
 * P(Y ≥ k) for counts of this mean and a variance of `dispersion` times it: negative binomial, or Poisson
 * at 1. (NB1: the size is mean ÷ (dispersion − 1), so that sums of days are of the same family.)
 */
export function countUpper(k: number, mean: number, dispersion: number): number {
  if (k <= 0) return 1;
  if (mean <= 0) return 0;
  if (dispersion < POISSON_BELOW) return poissonUpper(k, mean);
  return incompleteBeta(1 - 1 / dispersion, k, mean / (dispersion - 1));
}

/** ln P(Y = k) of the same distribution. */
export function countLogExactly(k: number, mean: number, dispersion: number): number {
  if (mean <= 0) return k === 0 ? 0 : -Infinity;
  if (dispersion < POISSON_BELOW) return k * Math.log(mean) - mean - lgamma(k + 1);
  const size = mean / (dispersion - 1);
  return (
    lgamma(k + size) -
    lgamma(size) -
    lgamma(k + 1) -
    size * Math.log(dispersion) +
    k * Math.log1p(-1 / dispersion)
  );
}

/** Up to this mean and dispersion the quantile is summed from zero; above, it is searched for, … */
const SUM_UP_TO = 60;
const SUM_DISPERSION_UP_TO = 20;
/** … and where a hundredth of a deviation is a thousand events, four digits are enough. */
const EXACT_UP_TO = 1e10;

/** The least k with P(Y > k) ≤ tail, of the same distribution. */
export function countLimit(tail: number, mean: number, dispersion: number): number {
  if (mean <= 0) return 0;
  if (mean <= SUM_UP_TO && dispersion <= SUM_DISPERSION_UP_TO && tail > 1e-9)
    return summedLimit(tail, mean, dispersion);
  const z = -normalQuantile(tail);
  // Cornish and Fisher's first two terms: the skewness of NB1 is (2·dispersion − 1) ÷ √variance.
  const guess = mean + z * Math.sqrt(mean * dispersion) + ((z * z - 1) * (2 * dispersion - 1)) / 6;
  if (!(mean * dispersion < EXACT_UP_TO)) return Math.max(0, Math.ceil(guess));
  const fits = (k: number) => countUpper(k + 1, mean, dispersion) <= tail;
  let step = Math.max(1, Math.floor(Math.sqrt(mean * dispersion) / 16));
  let high = Math.max(0, Math.round(guess));
  while (!fits(high)) {
    high += step;
    step *= 2;
  }
  step = Math.max(1, Math.floor(Math.sqrt(mean * dispersion) / 16));
  let low = high - step;
  while (low >= 0 && fits(low)) {
    high = low;
    step *= 2;
    low -= step;
  }
  low = Math.max(-1, low);
  while (high - low > 1) {
    const middle = Math.floor((high + low) / 2);
    if (fits(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function summedLimit(tail: number, mean: number, dispersion: number): number {
  const poisson = dispersion < POISSON_BELOW;
  const share = poisson ? 0 : 1 - 1 / dispersion;
  const size = poisson ? 0 : mean / (dispersion - 1);
  let exactly = Math.exp(poisson ? -mean : -size * Math.log(dispersion));
  let left = 1 - exactly;
  let k = 0;
  while (left > tail) {
    exactly *= poisson ? mean / (k + 1) : (share * (size + k)) / (k + 1);
    k++;
    left -= exactly;
    // What rounding leaves of the tail is 1e-15 or so: a thousand times less than the least tail asked for.
    if (exactly < 1e-18 && k > mean) break;
  }
  return k;
}

/**
 * Where `isBelow` turns from true to false between two numbers, by halving.
 *
 * @param precision relative
 */
export function turningPoint(
  from: number,
  to: number,
  isBelow: (value: number) => boolean,
  precision = 1e-15,
): number {
  let low = from;
  let high = to;
  for (let round = 0; round < 200 && high - low > precision * high; round++) {
    const middle = (low + high) / 2;
    if (isBelow(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The p for which a decreasing or increasing function of [0, 1] takes `wanted`. */
export function solveShare(wanted: number, rising: boolean, of: (share: number) => number): number {
  return turningPoint(0, 1, (share) => of(share) < wanted === rising);
}

/** The mean of a Poisson count under which `count` or fewer have the chance `tail` (Garwood 1936). */
export function poissonMeanAtMost(count: number, tail: number): number {
  const most = count + 10 * Math.sqrt(count + 1) + 10;
  return turningPoint(count, most, (mean) => poissonLower(count, mean) > tail);
}
