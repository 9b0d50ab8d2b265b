// Planted cases with a known answer: fleets with rare crashes, and dense tables of forecast and actual.
import { seededRandom } from '../../platform/clock/random.ts';
import type { EncodedRows, Question } from './join.ts';

export type When = Readonly<Record<string, string>>;

export interface Planted {
  readonly name: string;
  readonly kind: string;
  readonly question: Question;
  /** Empty: there is no cause. */
  readonly truth: readonly When[];
  /** The verdicts that are right. */
  readonly verdicts: readonly string[];
}

export type Record_ = Record<string, string>;

/** Rows of records as columns. */
export function encoded(
  records: readonly Record_[],
  names: readonly string[],
  counts?: ArrayLike<number>,
): EncodedRows {
  const columns = names.map((name) => {
    const places = new Map<string, number>();
    const codes = new Uint32Array(records.length);
    records.forEach((record, row) => {
      const value = record[name] ?? '';
      let place = places.get(value);
      if (place === undefined) {
        place = places.size;
        places.set(value, place);
      }
      codes[row] = place;
    });
    return { name, values: [...places.keys()], codes };
  });
  return { rows: records.length, columns, ...(counts && { counts: Float64Array.from(counts) }) };
}

export interface Dice {
  next(): number;
  below(count: number): number;
  between(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
  gauss(): number;
  poisson(mean: number): number;
  /** A place in a list of so many, the first ones likelier. */
  zipf(count: number, power?: number): number;
}

export function dice(seed: number): Dice {
  const next = seededRandom(seed);
  for (let at = 0; at < 8; at++) next();
  const gauss = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const below = (count: number) => Math.floor(next() * count);
  return {
    next,
    below,
    gauss,
    between: (low, high) => low + (high - low) * next(),
    pick: (items) => items[below(items.length)] as never,
    poisson(mean) {
      if (mean > 200) return Math.max(0, Math.round(mean + Math.sqrt(mean) * gauss()));
      let left = Math.exp(-mean);
      let draw = next();
      let k = 0;
      while (draw > left && k < 1000) {
        draw -= left;
        k++;
        left *= mean / k;
      }
      return k;
    },
    zipf(count, power = 1) {
      let total = 0;
      for (let at = 1; at <= count; at++) total += at ** -power;
      let draw = next() * total;
      for (let at = 1; at <= count; at++) {
        draw -= at ** -power;
        if (draw < 0) return at - 1;
      }
      return count - 1;
    },
  };
}

const PLACES = ['region', 'zone', 'room', 'rack'];
export const FLEET_COLUMNS = [...PLACES, 'model', 'cpu', 'kernel', 'os', 'bios', 'nic', 'env', 'workload'];

/** A fleet with a hierarchy of places, CPUs by model, systems by kernel, and kernels that lean to models. */
export function fleet(roll: Dice, machines: number): Record_[] {
  const racks = Math.ceil(machines / roll.between(20, 60));
  const rackRooms = Array.from({ length: racks }, () => roll.zipf(24, 0.5));
  const models = 4 + roll.below(8);
  const kernels = 4 + roll.below(10);
  const rackModels = Array.from({ length: racks }, () => roll.zipf(models));
  return Array.from({ length: machines }, () => {
    const rack = roll.below(racks);
    const room = rackRooms[rack] as number;
    const zone = room % 8;
    // Racks hold mostly one model, and kernels lean to models: attributes are not independent in real fleets.
    const model = roll.next() < 0.6 ? (rackModels[rack] as number) : roll.zipf(models);
    const kernel = roll.next() < 0.3 ? model % kernels : roll.zipf(kernels, 0.8);
    return {
      region: `r${zone % 3}`,
      zone: `z${zone}`,
      room: `room${room}`,
      rack: `rack${rack}`,
      model: `m${model}`,
      cpu: `cpu${model < 3 ? model : 3 + (model % 2)}`,
      kernel: `4.19.91-${kernel}`,
      os: `os${kernel % 3}`,
      bios: `b${model}.${roll.zipf(3)}`,
      nic: `fw${roll.zipf(4)}`,
      env: `env${roll.zipf(3, 1.5)}`,
      workload: `w${roll.zipf(12)}`,
    };
  });
}

export function matches(record: Record_, when: When): boolean {
  for (const name in when) if (record[name] !== when[name]) return false;
  return true;
}

const INDEPENDENT = [
  ['region', 'zone', 'room', 'rack'],
  ['model', 'cpu', 'bios'],
  ['kernel', 'os'],
  ['nic'],
  ['env'],
  ['workload'],
];

/** Conditions of so many independent attributes that are true of a fair number of machines, all of them needed. */
function cellOf(
  roll: Dice,
  records: readonly Record_[],
  depth: number,
  share: readonly [number, number],
): When | undefined {
  for (let tries = 0; tries < 60; tries++) {
    const groups = [...INDEPENDENT].sort(() => roll.next() - 0.5).slice(0, depth);
    const one = roll.pick(records);
    const when = Object.fromEntries(
      groups.map((group) => roll.pick(group)).map((name) => [name, one[name] as string]),
    );
    const size = records.filter((record) => matches(record, when)).length / records.length;
    if (size < share[0] || size > share[1]) continue;
    const isNeeded = Object.keys(when).every((name) => {
      const { [name]: _, ...parent } = when;
      return records.filter((record) => matches(record, parent)).length > size * records.length * 1.6;
    });
    if (isNeeded) return when;
  }
  return undefined;
}

interface Sparse {
  records: Record_[];
  /** Rate of a machine before and now, in any unit. */
  before: (record: Record_) => number;
  now: (record: Record_) => number;
  events: number;
  beforeEvents: number;
}

function sparseQuestion(
  roll: Dice,
  { records, before, now, events, beforeEvents }: Sparse,
  hasBefore: boolean,
  shuffle = false,
): Question {
  const draw = (rate: (record: Record_) => number, mean: number) => {
    const total = records.reduce((sum, record) => sum + before(record), 0);
    return records.flatMap((record) =>
      Array<Record_>(roll.poisson((rate(record) * mean) / total)).fill(record),
    );
  };
  const columns = shuffle ? [...FLEET_COLUMNS].reverse() : FLEET_COLUMNS;
  return {
    events: encoded(draw(now, events), columns),
    population: encoded(records, columns),
    ...(hasBefore && {
      beforeEvents: encoded(draw(before, beforeEvents), columns),
      beforePopulation: encoded(
        records,
        columns,
        new Float64Array(records.length).fill(beforeEvents / events),
      ),
    }),
  };
}

/** Rare crashes over a fleet, with one cause of depth 1 to 4, or two of depth 1 or 2, or none. */
export function sparseCase(seed: number): Planted {
  const roll = dice(seed * 7919 + 13);
  const records = fleet(roll, roll.pick([4000, 8000, 16_000]));
  const hasBefore = roll.next() < 0.5;
  const kind = roll.pick(['one', 'one', 'one', 'one', 'two', 'even', 'chance', 'worse']);
  const worse = `m${roll.below(3)}`;
  const base = (record: Record_) => (record.model === worse && hasBefore ? 3 : 1);
  const background = Math.round(10 * 10 ** roll.between(0, 1.2));
  const beforeEvents = background * roll.pick([4, 10, 30]);
  const common = { records, before: base, events: background, beforeEvents };
  const name = `sparse ${seed}`;
  if (kind === 'even') {
    const times = roll.between(2, 4);
    const question = sparseQuestion(roll, { ...common, now: (record) => base(record) * times }, true);
    return { name, kind, question, truth: [], verdicts: ['even', 'chance'] };
  }
  if (kind === 'chance' || kind === 'worse') {
    const question = sparseQuestion(
      roll,
      {
        ...common,
        before: kind === 'worse' ? (r) => (r.model === worse ? 4 : 1) : () => 1,
        now: kind === 'worse' ? (r) => (r.model === worse ? 4 : 1) : () => 1,
      },
      kind === 'worse' || hasBefore,
    );
    return { name, kind, question, truth: [], verdicts: ['chance', 'even'] };
  }
  const truth: When[] = [];
  const wanted = kind === 'two' ? 2 : 1;
  while (truth.length < wanted) {
    const depth = kind === 'two' ? 1 + roll.below(2) : 1 + roll.zipf(4, 0.7);
    const when = cellOf(roll, records, depth, [0.004, depth === 1 ? 0.35 : 0.15]);
    if (when && !truth.some((other) => Object.keys(other).some((key) => key in when))) truth.push(when);
    else if (!when) continue;
  }
  // Evidence that suffices: as many events again as the background, and 15 at least, from each cause.
  const total = records.reduce((sum, record) => sum + base(record), 0);
  const rises = truth.map((when) => {
    const inside = records.reduce((sum, record) => sum + (matches(record, when) ? base(record) : 0), 0);
    return {
      when,
      times: 1 + (Math.max(15, background * roll.between(0.4, 1.5)) * total) / (background * inside),
    };
  });
  const now = (record: Record_) =>
    rises.reduce((rate, { when, times }) => (matches(record, when) ? rate * times : rate), base(record));
  return {
    name,
    kind: `${kind}${kind === 'one' ? Object.keys(truth[0] as When).length : ''}`,
    question: sparseQuestion(roll, { ...common, now }, hasBefore),
    truth,
    verdicts: ['explained', 'ambiguous'],
  };
}

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
  const records: Record_[] = [];
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
  const forecast = records.map((record) => {
    const shape = names.reduce(
      (product, name, k) =>
        product * ((effects[k] as number[])[Number((record[name] as string).slice(1))] as number),
      1,
    );
    return roll.next() < 0.05
      ? 0
      : Math.round(50 * shape * Math.exp(roll.gauss() * 1.3)) + (roll.next() < 0.5 ? 1 : 0);
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
  const actual = records.map((record, row) => {
    const when = truth.find((each) => matches(record, each));
    const mean = (forecast[row] as number) * (1 + (when ? (rises.get(when) as number) : 0));
    return Math.max(0, Math.round(mean * (1 + noise * roll.gauss())));
  });
  const ones = new Float64Array(records.length).fill(1);
  return {
    name: `dense ${seed}`,
    kind: `${kind} ${noise}`,
    question: {
      events: encoded(records, names, actual),
      population: encoded(records, names, ones),
      beforeEvents: encoded(records, names, forecast),
      beforePopulation: encoded(records, names, ones),
    },
    truth,
    verdicts: truth.length > 0 ? ['explained', 'ambiguous'] : ['chance', 'even'],
  };
}

/** Whether two cells are the same, or one holds the other, or (where asked) may share machines at all. */
function overlap(a: When, b: When, strict: boolean): boolean {
  const shared = Object.keys(a).filter((key) => key in b);
  const differs = shared.some((key) => a[key] !== b[key]);
  if (differs) return false;
  return strict || shared.length === Math.min(Object.keys(a).length, Object.keys(b).length);
}
