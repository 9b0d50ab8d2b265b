// Common cause of 1,000,000 crashes with 12 attributes over 1,000,000 machines, from columns in memory.
import { type Answer, correlate, type EncodedColumn, type Question } from '../src/crash/correlate/index.ts';
import { type Dice, dice } from '../src/crash/correlate/test-cases.ts';
import { median_ms, report } from './report.ts';

const ROWS = 1_000_000;
/** The naive way takes minutes on a million rows. */
const NAIVE_ROWS = 20_000;
const BUDGET_MS = 1000;
const DEPTH = 4;

const SIZES = {
  region: 4,
  zone: 16,
  room: 120,
  rack: 20_000,
  model: 24,
  cpu: 9,
  kernel: 30,
  os: 5,
  bios: 96,
  nic: 10,
  env: 4,
  workload: 40,
} as const;

/** Machines in racks of rooms of zones of regions; CPU goes with model, OS with kernel, BIOS belongs to a model. */
function machines(roll: Dice, rows: number): EncodedColumn[] {
  const columns = Object.entries(SIZES).map(([name, size]) => ({
    name,
    values: Array.from({ length: size }, (_, at) => `${name}-${at}`),
    codes: new Uint32Array(rows),
  }));
  const skewed = (size: number) => Math.floor(size * roll.next() ** 2.5);
  for (let row = 0; row < rows; row++) {
    const rack = roll.below(SIZES.rack);
    const room = rack % SIZES.room;
    const zone = room % SIZES.zone;
    const model = skewed(SIZES.model);
    const kernel = skewed(SIZES.kernel);
    const codes = [zone % 4, zone, room, rack, model, model % 9, kernel, kernel % 5, model * 4 + skewed(4)];
    codes.push(skewed(SIZES.nic), skewed(SIZES.env), skewed(SIZES.workload));
    for (const [at, column] of columns.entries()) column.codes[row] = codes[at] as number;
  }
  return columns;
}

/** Crashes fall on machines at random, and `odds` times as often where `isBad`. */
function question(
  seed: number,
  rows: number,
  odds: number,
  isBad: (code: (name: string) => number) => boolean,
): Question {
  const roll = dice(seed);
  const columns = machines(roll, rows);
  const of = (row: number) => (name: string) =>
    columns.find((column) => column.name === name)?.codes[row] as number;
  const picked: number[] = [];
  while (picked.length < rows) {
    const row = roll.below(rows);
    if (isBad(of(row)) || roll.next() < 1 / odds) picked.push(row);
  }
  const crashes = columns.map((column) => ({
    ...column,
    codes: Uint32Array.from(picked, (row) => column.codes[row] as number),
  }));
  return { events: { rows, columns: crashes }, population: { rows, columns } };
}

const stories: { what: string; odds: number; isBad: (code: (name: string) => number) => boolean }[] = [
  { what: 'a kernel on a model', odds: 30, isBad: (code) => code('kernel') === 5 && code('model') === 3 },
  { what: 'a bad room', odds: 20, isBad: (code) => code('room') === 17 },
  {
    what: 'four attributes',
    odds: 300,
    isBad: (code) => code('kernel') === 1 && code('model') === 1 && code('zone') === 3 && code('nic') === 0,
  },
  { what: 'no cause', odds: 1, isBad: () => true },
];

const rows = [];
for (const { what, odds, isBad } of stories) {
  const asked = question(7, ROWS, odds, isBad);
  let answer: Answer | undefined;
  const ms = await median_ms(3, () => {
    answer = correlate(asked);
  });
  const causes = answer?.explanations
    .filter(({ cause }) => cause)
    .map(({ when }) => Object.values(when).join(' & '));
  rows.push({
    what: `${what}: ${causes?.join('; ') || answer?.verdict}`,
    value: ms,
    unit: 'ms',
    times: ms / BUDGET_MS,
    of: 'the budget of 1 s',
  });
}

/** Every combination of up to four attributes in a map of text keys. */
function naive({ events, population }: Question): number {
  let cells = 0;
  for (const places of subsets(population.columns.length, DEPTH)) {
    const sums = new Map<string, [number, number]>();
    for (const [side, table] of [events, population].entries()) {
      const columns = places.map((place) => table.columns[place] as EncodedColumn);
      for (let row = 0; row < table.rows; row++) {
        const key = columns
          .map(({ name, values, codes }) => `${name}=${values[codes[row] as number]}`)
          .join('&');
        let sum = sums.get(key);
        if (!sum) {
          sum = [0, 0];
          sums.set(key, sum);
        }
        sum[side as 0 | 1]++;
      }
    }
    cells += sums.size;
  }
  return cells;
}

function* subsets(count: number, depth: number, from = 0): Iterable<number[]> {
  for (let at = from; at < count; at++) {
    yield [at];
    if (depth > 1) for (const rest of subsets(count, depth - 1, at + 1)) yield [at, ...rest];
  }
}

const [story] = stories;
if (story) {
  const small = question(7, NAIVE_ROWS, story.odds, story.isBad);
  const naive_ms = await median_ms(1, () => naive(small));
  const ours_ms = await median_ms(5, () => correlate(small));
  rows.push({ what: `${NAIVE_ROWS} crashes, every cell in a Map`, value: naive_ms, unit: 'ms' });
  rows.push({
    what: 'the same by ours, with its judgement',
    value: ours_ms,
    unit: 'ms',
    times: naive_ms / ours_ms,
    of: 'faster than the Map',
  });
}
report('correlate', `${ROWS} crashes × 12 attributes over ${ROWS} machines, one core`, rows);
