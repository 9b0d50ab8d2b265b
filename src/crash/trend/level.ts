// The slow part of history: events per exposure today, and how well we know it.
//
// Discounted least squares with a trend (Brown 1963; as a regression: West and Harrison 1997, ch. 6): old
// points weigh exp(−age ÷ memory), the variance of a count is its mean times the dispersion. Six sums that
// age exactly, so that a step costs the same after a million points as after ten.

/** A rise slower than this is season or growth; one that is faster is for the alarm to tell. 16 % a month. */
const SLOPE_MAX = 0.005;
/** What slopes are ordinary, a day: a season of ±20 % over a year has 0.34 % where it is steepest. */
const SLOPE_SD = 0.002;
/** History is forgotten with the noise: as many events as this tell the rate to ±6 %, more would be stale. */
const MEMORY_EVENTS = 300;
const MEMORY_DAYS_MIN = 28;
const MEMORY_DAYS_MAX = 365;
/** Jeffreys' prior: half an event, so that a history of zeros has a rate and not certainty. */
const PRIOR_EVENTS = 0.5;

/** A prior is dropped when our own history is so many squared deviations from it. */
const MISFIT_SQUARED_MAX = 9;

/** What is known from elsewhere: so many events seen in so much exposure. */
export interface Prior {
  events: number;
  exposure: number;
}

export interface Forecast {
  /** Events per exposure. */
  rate: number;
  /** Variance of the rate's estimate over its square. */
  variance: number;
}

export class Level {
  #e0 = 0;
  #e1 = 0;
  #e2 = 0;
  #y0 = 0;
  #y1 = 0;

  /** Lets time pass. `daily` is how many events a day are expected: rare events are remembered for longer. */
  age(days: number, daily: number): void {
    const memory = Math.min(MEMORY_DAYS_MAX, Math.max(MEMORY_DAYS_MIN, MEMORY_EVENTS / daily));
    const keep = Math.exp(-days / memory);
    this.#e2 = (this.#e2 + days * (2 * this.#e1 + days * this.#e0)) * keep;
    this.#e1 = (this.#e1 + days * this.#e0) * keep;
    this.#e0 *= keep;
    this.#y1 = (this.#y1 + days * this.#y0) * keep;
    this.#y0 *= keep;
  }

  /** Takes in a point that is so many days old. */
  learn(age_days: number, exposure: number, count: number): void {
    this.#e0 += exposure;
    this.#e1 += exposure * age_days;
    this.#e2 += exposure * age_days * age_days;
    this.#y0 += count;
    this.#y1 += count * age_days;
  }

  forget(): void {
    this.#e0 = this.#e1 = this.#e2 = this.#y0 = this.#y1 = 0;
  }

  get exposure(): number {
    return this.#e0;
  }

  get events(): number {
    return this.#y0;
  }

  /** Undefined when nothing is known at all. */
  forecast(dispersion: number, told: Prior | undefined): Forecast | undefined {
    const prior = told && this.#fits(told, dispersion) ? told : undefined;
    const events = prior?.events ?? PRIOR_EVENTS;
    const exposure = prior?.exposure ?? 0;
    const e0 = this.#e0 + exposure;
    if (e0 <= 0) return undefined;
    // A prior says nothing of the trend: it stands at the mean age.
    const middle = this.#e0 > 0 ? this.#e1 / this.#e0 : 0;
    const e1 = this.#e1 + exposure * middle;
    const y0 = this.#y0 + events;
    const y1 = this.#y1 + events * middle;
    const e2 =
      this.#e2 + exposure * middle * middle + (dispersion * e0) / (SLOPE_SD * SLOPE_SD * Math.max(y0, 1e-9));
    const determinant = e0 * e2 - e1 * e1;
    let rate = (y0 * e2 - e1 * y1) / determinant;
    const slope = rate > 0 ? (rate * e1 - y1) / (e2 * rate) : -SLOPE_MAX;
    if (!(rate > 0) || Math.abs(slope) > SLOPE_MAX)
      rate = y0 / (e0 - Math.sign(slope) * SLOPE_MAX * Math.min(e1, e0 / (2 * SLOPE_MAX)));
    return { rate, variance: (dispersion * e2) / (determinant * rate) };
  }

  /** Whether our own points could come from there: one that has become another kind leans on its family no longer. */
  #fits(prior: Prior, dispersion: number): boolean {
    const mean = (prior.events / prior.exposure) * this.#e0;
    const variance = dispersion * mean * (1 + mean / prior.events);
    return (this.#y0 - mean) ** 2 <= MISFIT_SQUARED_MAX * variance;
  }
}
