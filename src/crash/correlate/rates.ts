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

/** Iterative proportional fitting: each cell's ratio so that its events come out, in turns. */
export function productRates(atoms: readonly Counted[], count: number, base: number): Rates {
  const ratios = Array<number>(count).fill(1);
  const rates: Rates = { ratios, combine: 'product' };
  const rounds = atoms.length <= count ? 2 : PRODUCT_ROUNDS;
  for (let round = 0; round < rounds; round++) {
    for (let bit = 0; bit < count; bit++) {
      let events = 0;
      let expected = 0;
      for (const atom of atoms) {
        if (!(atom.mask & (1 << bit))) continue;
        events += atom.events;
        expected += base * atom.expected * rateWithout(rates, atom.mask, bit);
      }
      ratios[bit] = expected > 0 ? Math.max(1e-6, events / expected) : 1;
    }
  }
  return rates;
}

/** Excess rates that add up, by expectation maximisation (each event shared out among what may have caused it). */
export function sumRates(atoms: readonly Counted[], count: number, base: number): Rates {
  const ratios = Array<number>(count).fill(2);
  const rates: Rates = { ratios, combine: 'sum' };
  for (let round = 0; round < SUM_ROUNDS; round++) {
    for (let bit = 0; bit < count; bit++) {
      let shared = 0;
      let exposed = 0;
      for (const atom of atoms) {
        if (!(atom.mask & (1 << bit))) continue;
        shared += atom.events / rateAt(rates, atom.mask);
        exposed += base * atom.expected;
      }
      const excess = (ratios[bit] as number) - 1;
      ratios[bit] = exposed > 0 ? 1 + (excess * shared) / exposed : 1;
    }
  }
  return rates;
}
