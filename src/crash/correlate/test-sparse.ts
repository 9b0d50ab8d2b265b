// Fleets with rare crashes, and a cause planted or none.
import type { Question } from './join.ts';
import { type Attributes, type Dice, dice, encoded, matches, type Planted, type When } from './test-cases.ts';

const PLACES = ['region', 'zone', 'room', 'rack'];
export const FLEET_COLUMNS = [...PLACES, 'model', 'cpu', 'kernel', 'os', 'bios', 'nic', 'env', 'workload'];

/** A fleet with a hierarchy of places, CPUs by model, systems by kernel, and kernels that lean to models. */
export function fleet(roll: Dice, machines: number): Attributes[] {
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
  records: readonly Attributes[],
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
  records: Attributes[];
  /** Rate of a machine before and now, in any unit. */
  before: (record: Attributes) => number;
  now: (record: Attributes) => number;
  events: number;
  beforeEvents: number;
}

function sparseQuestion(
  roll: Dice,
  { records, before, now, events, beforeEvents }: Sparse,
  hasBefore: boolean,
  shuffle = false,
): Question {
  const draw = (rate: (record: Attributes) => number, mean: number) => {
    const total = records.reduce((sum, record) => sum + before(record), 0);
    return records.flatMap((record) =>
      Array<Attributes>(roll.poisson((rate(record) * mean) / total)).fill(record),
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
  const base = (record: Attributes) => (record.model === worse && hasBefore ? 3 : 1);
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
  const now = (record: Attributes) =>
    rises.reduce((rate, { when, times }) => (matches(record, when) ? rate * times : rate), base(record));
  return {
    name,
    kind: `${kind}${kind === 'one' ? Object.keys(truth[0] as When).length : ''}`,
    question: sparseQuestion(roll, { ...common, now }, hasBefore),
    truth,
    verdicts: ['explained', 'ambiguous'],
  };
}
