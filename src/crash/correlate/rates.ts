// The rates of cells that may overlap, fitted to the events of their atoms.

/** Rows that are in the same cells of a list. */
export interface Counted {
  /** Bit k is set for the k-th cell of the list. */
  readonly mask: number;
  readonly events: number;
  readonly expected: number;
}

export interface Rates {
  /** How many times each cell by itself raises the rate. */
  readonly ratios: readonly number[];
  /** What happens where cells overlap: each multiplies, or each adds its own excess as independent causes do. */
  readonly combine: 'product' | 'sum';
}

const PRODUCT_ROUNDS = 12;
const SUM_ROUNDS = 40;
/** Ratios that move less are found. */
const SETTLED = 1e-9;

export function rateAt({ ratios, combine }: Rates, mask: number): number {
  let rate = 1;
  for (let bit = 0; bit < ratios.length; bit++) {
    if (!(mask & (1 << bit))) continue;
    const ratio = ratios[bit] as number;
    rate = combine === 'product' ? rate * ratio : rate + ratio - 1;
  }
  return rate;
}

/** The rate there would be without one of the cells. */
export function rateWithout(rates: Rates, mask: number, bit: number): number {
  return rateAt(rates, mask & ~(1 << bit));
}

/** Atoms by cell, and the rate of each atom as ratios change. */
class Fitting {
  readonly #events: Float64Array;
  readonly #means: Float64Array;
  readonly #rates: Float64Array;
  /** For each cell the places of its atoms. */
  readonly #places: readonly number[][];
  readonly #combine: Rates['combine'];

  constructor(
    atoms: readonly Counted[],
    count: number,
    base: number,
    ratio: number,
    combine: Rates['combine'],
  ) {
    const start: Rates = { ratios: Array<number>(count).fill(ratio), combine };
    this.#combine = combine;
    this.#events = Float64Array.from(atoms, ({ events }) => events);
    this.#means = Float64Array.from(atoms, ({ expected }) => base * expected);
    this.#rates = Float64Array.from(atoms, ({ mask }) => rateAt(start, mask));
    this.#places = start.ratios.map((_, bit) =>
      atoms.flatMap(({ mask }, place) => (mask & (1 << bit) ? [place] : [])),
    );
  }

  /** Events of a cell, and what would be expected without it. */
  without(bit: number, ratio: number): { events: number; expected: number } {
    let events = 0;
    let expected = 0;
    for (const place of this.#places[bit] as number[]) {
      events += this.#events[place] as number;
      expected += ((this.#means[place] as number) * (this.#rates[place] as number)) / ratio;
    }
    return { events, expected };
  }

  /** Events of a cell, each divided by the rate where it is, and what is expected at the base. */
  shared(bit: number): { shared: number; exposed: number } {
    let shared = 0;
    let exposed = 0;
    for (const place of this.#places[bit] as number[]) {
      shared += (this.#events[place] as number) / (this.#rates[place] as number);
      exposed += this.#means[place] as number;
    }
    return { shared, exposed };
  }

  change(bit: number, from: number, to: number): void {
    for (const place of this.#places[bit] as number[]) {
      const rate = this.#rates[place] as number;
      this.#rates[place] = this.#combine === 'product' ? (rate / from) * to : rate + to - from;
    }
  }
}

/** Iterative proportional fitting: each cell's ratio so that its events come out, in turns. */
export function productRates(atoms: readonly Counted[], count: number, base: number): Rates {
  const ratios = Array<number>(count).fill(1);
  const fitting = new Fitting(atoms, count, base, 1, 'product');
  const rounds = atoms.length <= count ? 2 : PRODUCT_ROUNDS;
  for (let round = 0, isMoving = true; round < rounds && isMoving; round++) {
    isMoving = false;
    for (let bit = 0; bit < count; bit++) {
      const from = ratios[bit] as number;
      const { events, expected } = fitting.without(bit, from);
      const to = expected > 0 ? Math.max(1e-6, events / expected) : 1;
      if (Math.abs(to - from) <= SETTLED * from) continue;
      isMoving = true;
      fitting.change(bit, from, to);
      ratios[bit] = to;
    }
  }
  return { ratios, combine: 'product' };
}

/** Excess rates that add up, by expectation maximisation (each event shared out among what may have caused it). */
export function sumRates(atoms: readonly Counted[], count: number, base: number): Rates {
  const ratios = Array<number>(count).fill(2);
  const fitting = new Fitting(atoms, count, base, 2, 'sum');
  for (let round = 0, isMoving = true; round < SUM_ROUNDS && isMoving; round++) {
    isMoving = false;
    for (let bit = 0; bit < count; bit++) {
      const from = ratios[bit] as number;
      const { shared, exposed } = fitting.shared(bit);
      const to = exposed > 0 ? 1 + ((from - 1) * shared) / exposed : 1;
      if (Math.abs(to - from) <= SETTLED * from) continue;
      isMoving = true;
      fitting.change(bit, from, to);
      ratios[bit] = to;
    }
  }
  return { ratios, combine: 'sum' };
}
