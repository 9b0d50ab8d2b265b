// Tables as work on root-cause localisation makes them: forecast and actual by leaf, ripple effect, rises and falls.
import { type Attributes, type Dice, dice, encoded, matches, type Planted, type When } from './test-cases.ts';

type Direction = 'rise' | 'fall' | 'mixed';
const LEAVES_MAX = 6000;

/**
 * Leaves of 4 or 5 attributes of up to 40 values. Under each of 1 to 3 causes, in one cuboid or two, all leaves
 * change by the same share; actual numbers have noise, and many leaves only a few counts. What falls is no cause.
 */
export function rippleCase(seed: number): Planted {
  const roll = dice(seed * 65_537 + 3);
  const attributes = roll.next() < 0.7 ? 4 : 5;
  const most = roll.pick([12, 20, 40]);
  const sizes = Array.from({ length: attributes }, () => 6 + roll.below(most - 5));
  const names = sizes.map((_, at) => 'abcde'[at] as string);
  const noise = roll.pick([0, 0.01, 0.02, 0.05, 0.1]);
  const direction: Direction = roll.pick(['rise', 'rise', 'rise', 'fall', 'mixed']);
  const scale = roll.pick([5, 20, 80, 400]);
  const tiny = roll.pick([0, 0.2, 0.5]);
  const records = leavesOf(roll, names, sizes);
  const forecast = records.map(() =>
    Math.round(roll.next() < tiny ? roll.between(0, 4) : scale * Math.exp(roll.gauss() * 1.4)),
  );
  const { truth, shares } = causesOf(roll, records, names, noise, direction);
  const actual = records.map((record, row) => {
    const at = truth.findIndex((when) => matches(record, when));
    const rate = 1 + (shares[at] ?? 0);
    return Math.max(0, Math.round((forecast[row] as number) * rate * (1 + noise * roll.gauss())));
  });
  const isForecastExposure = roll.next() < 1 / 3;
  const risen = truth.filter((_, at) => (shares[at] as number) > 0);
  return {
    name: `ripple ${seed}`,
    kind: [direction, `noise ${noise}`, `scale ${scale}`, `${truth.length} planted`].join(', '),
    question: {
      events: encoded(records, names, actual),
      population: encoded(records, names, isForecastExposure ? forecast : forecast.map(() => 1)),
      beforeEvents: encoded(records, names, forecast),
    },
    truth: risen,
    verdicts: risen.length > 0 ? ['explained', 'ambiguous'] : ['chance', 'even'],
  };
}

/** Every combination of values, or so many of them. */
function leavesOf(roll: Dice, names: readonly string[], sizes: readonly number[]): Attributes[] {
  const all = sizes.reduce((product, size) => product * size, 1);
  const records: Attributes[] = [];
  for (let at = 0; at < all; at++) {
    if (all > LEAVES_MAX && roll.next() > LEAVES_MAX / all) continue;
    let left = at;
    const record: Attributes = {};
    for (const [k, name] of names.entries()) {
      record[name] = `${name}${left % (sizes[k] as number)}`;
      left = Math.floor(left / (sizes[k] as number));
    }
    records.push(record);
  }
  return records;
}

function causesOf(
  roll: Dice,
  records: readonly Attributes[],
  names: readonly string[],
  noise: number,
  direction: Direction,
): { truth: When[]; shares: number[] } {
  const wanted = 1 + roll.below(3);
  const cuboids = Array.from({ length: wanted > 1 && roll.next() < 0.4 ? 2 : 1 }, () =>
    [...names].sort(() => roll.next() - 0.5).slice(0, 1 + roll.below(3)),
  );
  const truth: When[] = [];
  const shares: number[] = [];
  for (let tries = 0; truth.length < wanted && tries < 500; tries++) {
    const one = roll.pick(records);
    const cuboid = cuboids[truth.length % cuboids.length] as string[];
    const when = Object.fromEntries(cuboid.map((name) => [name, one[name] as string]));
    const isFall = direction === 'fall' || (direction === 'mixed' && truth.length === 1);
    const inside = records.filter((record) => matches(record, when)).length;
    if (inside < 5 || inside > records.length / (isFall ? 1.5 : 3)) continue;
    if (truth.some((other) => mayShare(other, when))) continue;
    truth.push(when);
    shares.push(isFall ? -roll.between(0.1, 0.9) : roll.between(Math.max(0.1, 2 * noise), 3));
  }
  return { truth, shares };
}

function mayShare(a: When, b: When): boolean {
  return Object.keys(a).every((name) => !(name in b) || a[name] === b[name]);
}
