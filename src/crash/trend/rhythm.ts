// The weekly and daily pattern: one factor for each weekday (and each hour of the day), shrunk towards 1 by as
// much as the groups differ no more than chance would have it (empirical Bayes, James and Stein's way). Hours
// lean on their neighbours: what happens at three says something of two and four.

/** Before anything is seen groups are thought to differ by this much, and one never seen always is, … */
const SPREAD_PRIOR = 0.35;
/** … with the weight of so many groups that are well known. */
const SPREAD_PRIOR_GROUPS = 1.5;
const SPREAD_MIN = 0.02;
const SPREAD_MAX = 1;

export interface Factor {
  factor: number;
  /** Variance of the factor's estimate over its square. */
  variance: number;
}

export class Rhythm {
  readonly #memory_days: number;
  readonly #spread: readonly number[];
  readonly #observed: Float64Array;
  readonly #expected: Float64Array;

  /** `spread`: how much of a point counts for the group itself, its neighbours, theirs … */
  constructor(groups: number, memory_days: number, spread: readonly number[] = [1]) {
    this.#memory_days = memory_days;
    this.#spread = spread;
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
    const groups = this.#observed.length;
    for (let off = 1 - this.#spread.length; off < this.#spread.length; off++) {
      const share = this.#spread[Math.abs(off)] as number;
      const at = (group + off + groups) % groups;
      (this.#observed[at] as number) += share * count;
      (this.#expected[at] as number) += share * expected;
    }
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
    let spread = SPREAD_PRIOR_GROUPS * SPREAD_PRIOR ** 2;
    let weight = SPREAD_PRIOR_GROUPS;
    for (let at = 0; at < groups; at++) {
      const mean = (this.#expected[at] as number) * scale;
      if (mean <= 0) continue;
      const off = (this.#observed[at] as number) / mean - 1;
      const known = mean / (mean + dispersion / SPREAD_PRIOR ** 2);
      spread += known * (off * off - dispersion / mean);
      weight += known;
    }
    const between = Math.min(SPREAD_MAX ** 2, Math.max(SPREAD_MIN ** 2, spread / weight));
    const mean = (this.#expected[group] as number) * scale;
    if (mean <= 0) return { factor: 1, variance: Math.max(between, SPREAD_PRIOR ** 2) };
    const trust = (between * mean) / (between * mean + dispersion);
    const raw = (this.#observed[group] as number) / mean;
    const factor = Math.max(0.02, 1 + trust * (raw - 1));
    return { factor, variance: (between * (1 - trust)) / (factor * factor) };
  }
}
