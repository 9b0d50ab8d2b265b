// How hard a column generation looks for better patterns: no harder than it has to, from round to round.

/** Nodes of one knapsack: few as long as that finds better patterns, then eight times as many, again and again. */
const NODES_FIRST = 400;
const NODES_MAX = 1_000_000;
/** Patterns that are better by less than this share are not looked for at first. */
const SPARE_FIRST = 0.02;
/** By this the prices that are tried go nearer to the true ones. */
const SMOOTH_STEP = 0.3;

/** What a round has brought. */
export interface RoundEnd {
  costBefore: number;
  cost: number;
  isBetterBound: boolean;
  /** Patterns that were new. */
  added: number;
  /** Whether some search was broken off. */
  open: boolean;
}

export class Effort {
  /** Share of the best proof's prices in those that are tried: prices that jump prove nothing. */
  smooth: number;
  spare = SPARE_FIRST;
  nodes = NODES_FIRST;
  readonly #smooth: number;
  readonly #tolerance: number;

  constructor({ smooth, tolerance }: { smooth: number; tolerance: number }) {
    this.smooth = smooth;
    this.#smooth = smooth;
    this.#tolerance = tolerance;
  }

  /** Sets what the next round is to do; false: there is nothing left to try. */
  after({ costBefore, cost, isBetterBound, added, open }: RoundEnd): boolean {
    if (costBefore - cost > 1e-9 * costBefore) this.smooth = this.#smooth;
    // Nothing better at these prices: nearer to the true ones, then more thoroughly.
    else if (this.smooth > 0) this.smooth = this.smooth > SMOOTH_STEP ? this.smooth - SMOOTH_STEP : 0;
    else if (isBetterBound || added > 0) return true;
    else if (this.spare > this.#tolerance / 4) this.spare /= 4;
    else if (open && this.nodes < NODES_MAX) this.nodes *= 8;
    else return false;
    return true;
  }
}
