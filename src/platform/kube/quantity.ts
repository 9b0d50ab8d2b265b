// Quantities as Kubernetes writes them: `100m`, `1.5Gi`, `2e3`.

/** Exact: value × 10⁹, the finest step that Kubernetes keeps. */
export type Quantity = bigint;

export const NANO = 1_000_000_000n;
const QUANTITY = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:([eE][+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E))?$/;

const SUFFIX: Record<string, bigint> = {
  n: 1n,
  u: 1000n,
  m: 1_000_000n,
  k: NANO * 10n ** 3n,
  M: NANO * 10n ** 6n,
  G: NANO * 10n ** 9n,
  T: NANO * 10n ** 12n,
  P: NANO * 10n ** 15n,
  E: NANO * 10n ** 18n,
  Ki: NANO << 10n,
  Mi: NANO << 20n,
  Gi: NANO << 30n,
  Ti: NANO << 40n,
  Pi: NANO << 50n,
  Ei: NANO << 60n,
};

/** undefined: not a quantity. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = QUANTITY.exec(text);
  if (!match) return undefined;
  const [, sign, digits = '', exponent, suffix] = match;
  const [whole = '', fraction = ''] = digits.split('.');
  let scale = suffix ? (SUFFIX[suffix] ?? NANO) : NANO;
  let divisor = 10n ** BigInt(fraction.length);
  if (exponent) {
    const power = Number(exponent.slice(1));
    if (Math.abs(power) > 100) return undefined;
    if (power >= 0) scale *= 10n ** BigInt(power);
    else divisor *= 10n ** BigInt(-power);
  }
  const value = (BigInt(whole + fraction || '0') * scale) / divisor;
  return sign === '-' ? -value : value;
}

export const compareQuantities = (a: Quantity, b: Quantity): number => (a < b ? -1 : a > b ? 1 : 0);

/** For people and for JSON: exact as long as 15 digits do. */
export const toNumber = (quantity: Quantity): number => Number(quantity) / Number(NANO);

const BINARY = ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki'] as const;

/** As people write it: `60Gi` where it is a whole number of those, else a decimal number, with `m` under 1. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity < 0n) return `-${formatQuantity(-quantity)}`;
  for (const suffix of BINARY) {
    const unit = SUFFIX[suffix] as bigint;
    if (quantity >= unit && quantity % unit === 0n) return `${quantity / unit}${suffix}`;
  }
  if (quantity % NANO === 0n) return String(quantity / NANO);
  return quantity % 1_000_000n === 0n ? `${quantity / 1_000_000n}m` : String(toNumber(quantity));
}

/** A number as people read it: `527Gi`, `6.5M`, `96`. */
export function amountWords(value: number): string {
  const binary = binaryUnit(value);
  if (binary) return `${value / binary.size}${binary.suffix}`;
  if (Math.abs(value) >= 1e6) return `${+(value / 1e6).toPrecision(6)}M`;
  return String(+value.toPrecision(6));
}

/** The largest of Ti, Gi and Mi that the number is a whole multiple of. */
export function binaryUnit(value: number): { suffix: string; size: number } | undefined {
  return BINARY_UNITS.find(({ size }) => value !== 0 && value % size === 0);
}

const BINARY_UNITS = [
  { suffix: 'Ti', size: 2 ** 40 },
  { suffix: 'Gi', size: 2 ** 30 },
  { suffix: 'Mi', size: 2 ** 20 },
];
