// The weekly and daily pattern: one factor for each weekday (and each hour of the day), shrunk towards 1 by as
// much as the groups differ no more than chance would have it (empirical Bayes, James and Stein's way).

/** Before anything is seen, groups are thought to differ by this much … */
const SPREAD_PRIOR = 0.25;
/** … with the weight of this many expected events in each group. */
const SPREAD_PRIOR_EVENTS = 12;
const SPREAD_MIN = 0.02;
const SPREAD_MAX = 1;

export interface Factor {
  factor: number;
  /** Variance of the factor's estimate over its square. */
  variance: number;
}

export class Rhythm {
  readonly #memory_days: number;
  readonly #observed: Float64Array;
  readonly #expected: Float64Array;

  constructor(groups: number, memory_days: number) {
    this.#memory_days = memory_days;
    this.#observed = new Float64Array(groups);
    this.#expected = new Float64Array(groups);
  }

  age(days: number): void {
    const keep = Math.exp(-days / this.#memory_days);
    for (let group = 0; group < this.#observed.length; group++) {
      (this.#observed[group] as number) *= keep;
      (this.#expected[group] as number) *= keep;
    }
  }

  /** `expected` is what the level alone would say, without this rhythm. */
  learn(group: number, count: number, expected: number): void {
    (this.#observed[group] as number) += count;
    (this.#expected[group] as number) += expected;
  }

  factor(group: number, dispersion: number): Factor {
    const groups = this.#observed.length;
    let observed = 0;
    let expected = 0;
    for (let at = 0; at < groups; at++) {
      observed += this.#observed[at] as number;
      expected += this.#expected[at] as number;
    }
    const scale = expected > 0 && observed > 0 ? observed / expected : 1;
    const prior = groups * SPREAD_PRIOR_EVENTS * SPREAD_PRIOR_EVENTS;
    let spread = prior * SPREAD_PRIOR * SPREAD_PRIOR;
    let weight = prior;
    for (let at = 0; at < groups; at++) {
      const mean = (this.#expected[at] as number) * scale;
      const off = (this.#observed[at] as number) - mean;
      spread += off * off - dispersion * mean;
      weight += mean * mean;
    }
    const between = Math.min(SPREAD_MAX ** 2, Math.max(SPREAD_MIN ** 2, spread / weight));
    const mean = (this.#expected[group] as number) * scale;
    const trust = (between * mean) / (between * mean + dispersion);
    const raw = mean > 0 ? (this.#observed[group] as number) / mean : 1;
    const factor = Math.max(0.02, 1 + trust * (raw - 1));
    return { factor, variance: (between * (1 - trust)) / (factor * factor) };
  }
}
