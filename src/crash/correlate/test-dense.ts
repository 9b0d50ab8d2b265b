// Dense tables of forecast and actual by leaf, with cells that rise planted or none.
import { type Attributes, type Dice, dice, encoded, matches, type Planted, type When } from './test-cases.ts';

/** A dense table: every leaf has a forecast and an actual value, with noise, and some cells rise. */
export function denseCase(seed: number): Planted {
  const roll = dice(seed * 104_729 + 5);
  const attributes = 4 + roll.below(3);
  const sizes = Array.from({ length: attributes }, () => 5 + roll.below(attributes > 4 ? 10 : 25));
  const names = sizes.map((_, at) => 'abcdef'[at] as string);
  const noise = roll.pick([0.005, 0.02, 0.04, 0.06, 0.1]);
  const most = sizes.reduce((product, size) => product * size, 1);
  const leaves = Math.min(most, 1500 + roll.below(6000));
  const keep = leaves / most;
  const records: Attributes[] = [];
  const place = sizes.map(() => 0);
  for (let at = 0; at < most; at++) {
    if (keep === 1 || roll.next() < keep)
      records.push(Object.fromEntries(names.map((name, k) => [name, `${name}${place[k]}`])));
    for (let k = 0; k < sizes.length; k++) {
      place[k] = (place[k] as number) + 1;
      if ((place[k] as number) < (sizes[k] as number)) break;
      place[k] = 0;
    }
  }
  const effects = sizes.map((size) => Array.from({ length: size }, () => Math.exp(roll.gauss() * 0.6)));
  const look = {
    isReal: roll.next() < 0.3,
    isHeavy: roll.next() < 0.3,
    zeros: roll.pick([0.02, 0.05, 0.3]),
    hasFall: roll.next() < 0.2,
    asExposure: roll.next() < 0.2,
  };
  const rounded = (value: number) => (look.isReal ? value : Math.round(value));
  const forecast = records.map((record) => {
    const shape = names.reduce(
      (product, name, k) =>
        product * ((effects[k] as number[])[Number((record[name] as string).slice(1))] as number),
      1,
    );
    return roll.next() < look.zeros ? 0 : rounded(50 * shape * Math.exp(roll.gauss() * 1.3));
  });
  const kind = roll.pick(['same', 'same', 'differ', 'two cuboids', 'none']);
  const truth: When[] = [];
  const cuboids = kind === 'none' ? 0 : kind === 'two cuboids' ? 2 : 1;
  const rises = new Map<When, number>();
  for (let cuboid = 0; cuboid < cuboids; cuboid++) {
    const depth = 1 + roll.below(3);
    const chosen = [...names].sort(() => roll.next() - 0.5).slice(0, depth);
    const elements = 1 + roll.below(3);
    let rise = roll.between(Math.max(0.2, noise * 5), 3);
    for (let tries = 0, made = 0; made < elements && tries < 200; tries++) {
      const one = roll.pick(records);
      const when = Object.fromEntries(chosen.map((name) => [name, one[name] as string]));
      const inside = records.filter((record) => matches(record, when)).length;
      if (inside < 4 || inside > records.length / 3) continue;
      if (truth.some((other) => overlap(other, when, kind === 'two cuboids'))) continue;
      truth.push(when);
      rises.set(when, rise);
      if (kind === 'differ') rise = roll.between(Math.max(0.2, noise * 5), 3);
      made++;
    }
  }
  // What falls elsewhere is no cause.
  const fallen = roll.pick(records);
  const column = roll.pick(names);
  const rateOf = (record: Attributes) => {
    const when = truth.find((each) => matches(record, each));
    if (when) return 1 + (rises.get(when) as number);
    return look.hasFall && record[column] === fallen[column] ? 0.5 : 1;
  };
  const actual = records.map((record, row) => {
    const factor = 1 + noise * roll.gauss() * (look.isHeavy ? tailed(roll) : 1);
    return rounded((forecast[row] as number) * rateOf(record) * Math.max(0, factor));
  });
  const ones = new Float64Array(records.length).fill(1);
  const traits = Object.entries(look).filter(([, is]) => is === true || is === 0.3);
  return {
    name: `dense ${seed}`,
    kind: [kind, noise, ...traits.map(([trait]) => trait)].join(', '),
    question: look.asExposure
      ? { events: encoded(records, names, actual), population: encoded(records, names, forecast) }
      : {
          events: encoded(records, names, actual),
          population: encoded(records, names, ones),
          beforeEvents: encoded(records, names, forecast),
          beforePopulation: encoded(records, names, ones),
        },
    truth,
    verdicts: truth.length > 0 ? ['explained', 'ambiguous'] : ['chance', 'even'],
  };
}

/** Makes a normal number one of Student's t with three degrees of freedom, scaled to the same middle. */
function tailed(roll: Dice): number {
  const square = (roll.gauss() ** 2 + roll.gauss() ** 2 + roll.gauss() ** 2) / 3;
  return 0.88 / Math.sqrt(Math.max(0.02, square));
}

/** Whether two cells are the same, or one holds the other, or (where asked) may share machines at all. */
function overlap(a: When, b: When, strict: boolean): boolean {
  const shared = Object.keys(a).filter((key) => key in b);
  const differs = shared.some((key) => a[key] !== b[key]);
  if (differs) return false;
  return strict || shared.length === Math.min(Object.keys(a).length, Object.keys(b).length);
}
