// How much more counts scatter than independent events would: variance over mean, from squared residuals of
// the past against what was expected of them then.

/** One crash takes a neighbour with it, a rollout crashes ten at once: 1.2 to 3 is ordinary. */
const PRIOR = 2;
/** The prior weighs as much as this many points with plenty of events. */
const PRIOR_POINTS = 12;
/** One wild day that nobody alarmed for shall not blind us: beyond 3.5 deviations it counts as 3.5. */
const RESIDUAL_SQUARED_MAX = 12;
/** Too little dispersion means false alarms, too much a day's delay: so many of its own deviations are added. */
const CAUTION = 0.6;

export class Dispersion {
  readonly #memory_days: number;
  #sum = 0;
  #weight = 0;

  constructor(memory_days: number) {
    this.#memory_days = memory_days;
  }

  age(days: number): void {
    const keep = Math.exp(-days / this.#memory_days);
    this.#sum *= keep;
    this.#weight *= keep;
  }

  /** `variance` is that of the mean's own estimate, relative to its square. */
  learn(count: number, mean: number, variance: number): void {
    if (mean <= 0) return;
    const residual = (count - mean) ** 2 / (mean * (1 + (mean * variance) / this.mean));
    // The squared residual of a rare event scatters with 2 + 1/mean: it says the less, the rarer it is.
    const weight = (2 * mean) / (2 * mean + 1);
    this.#sum += weight * Math.min(residual, RESIDUAL_SQUARED_MAX * this.mean + 9 / mean);
    this.#weight += weight;
  }

  get mean(): number {
    return Math.max(1, (this.#sum + PRIOR * PRIOR_POINTS) / (this.#weight + PRIOR_POINTS));
  }

  /** On the careful side of the mean. */
  get careful(): number {
    return this.mean * (1 + CAUTION * Math.sqrt(2 / (this.#weight + PRIOR_POINTS)));
  }
}
