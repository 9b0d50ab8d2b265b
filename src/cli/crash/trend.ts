import { type Command, Option } from 'commander';
import { rowsOfCrashes } from '../../crash/records/series.ts';
import {
  FALSE_ALARMS_DEFAULT,
  type JudgedPoint,
  rowsOf,
  type Series,
  SeriesError,
  type SeriesOptions,
  seriesOf,
  type Trend,
  trend,
} from '../../crash/trend/index.ts';
import { DAY } from '../../platform/clock/clock.ts';
import { CRASHES_READ_MAX } from '../../platform/history/crashes.ts';
import { readTable, type Table, TableError } from '../../platform/tables.ts';
import { bytesOf } from '../input.ts';
import { CliError, EXIT, type Io, wantsColour } from '../io.ts';
import { serialize } from '../output.ts';
import { csv } from './csv.ts';
import { openStore, type QueryOptions, queryOf, timeOf, withQueryOptions } from './store.ts';
import { textOf } from './trend-chart.ts';

interface Options extends QueryOptions {
  series?: string;
  by: 'day' | 'hour';
  exposure?: string;
  falseAlarms: string;
  missing: 'unknown' | 'zero';
  output?: 'json' | 'yaml' | 'csv';
}

const COLUMNS_DEFAULT = 80;
/** History enough to know weekdays, and the last weeks by the hour. */
const SINCE_DEFAULT = { day: '120d', hour: '30d' } as const;
const POINTS_A_PART = 10_000;

export function register(program: Command, io: Io): void {
  withQueryOptions(
    program
      .command('trend')
      .description(
        'Say where crashes, or any series of counts, rise above what their history explains. Each point is judged by those before it.',
      ),
  )
    .option(
      '--series <file>',
      'instead of crashes: CSV with a header or JSON lines: date,count[,exposure]; - is stdin',
    )
    .addOption(new Option('--by <step>', 'crashes a day or an hour').choices(['day', 'hour']).default('day'))
    .option('--exposure <column>', 'the column of machine-days, when it is not called exposure')
    .option(
      '--false-alarms <n>',
      'how many to expect in 30 days without a surge',
      String(FALSE_ALARMS_DEFAULT),
    )
    .addOption(
      new Option('--missing <how>', 'what a day without a row means')
        .choices(['unknown', 'zero'])
        .default('unknown'),
    )
    .addOption(
      new Option('-o, --output <format>', 'every point and alarm; csv: the points').choices([
        'json',
        'yaml',
        'csv',
      ]),
    )
    .action((options: Options) => run(options, io));
}

async function run(options: Options, io: Io): Promise<void> {
  const falseAlarms = Number(options.falseAlarms);
  if (!(falseAlarms >= 1e-6 && falseAlarms <= 5))
    throw new CliError(
      `--false-alarms: "${options.falseAlarms}" is not a number from 0.000001 to 5`,
      EXIT.usage,
    );
  const { name, series } =
    options.series === undefined ? await crashes(options, io) : await given(options.series, options, io);
  const result = trend(series, { falseAlarms });
  if (options.output === 'json') {
    for (const part of jsonOf(result, series.hasExposure, {
      step: series.step,
      falseAlarms,
      notes: series.notes,
    }))
      io.out(part);
    return;
  }
  if (options.output === 'csv') return io.out(csv(result.points.map(cellsOf)));
  if (options.output === 'yaml')
    return io.out(
      await serialize({ ...result, step: series.step, falseAlarms, notes: series.notes }, 'yaml'),
    );
  const columns = Math.max(40, io.terminal?.columns ?? COLUMNS_DEFAULT);
  io.out(
    textOf(name, series, result, {
      columns: Math.min(columns, 120),
      colour: wantsColour(io),
      falseAlarms,
    }),
  );
}

function cellsOf(point: JudgedPoint): Record<string, string> {
  return Object.fromEntries(
    Object.entries(point).map(([name, value]) => [name, value === null ? '' : String(value)]),
  );
}

/** One point a line, in parts: a million points are more than one text should hold. */
function* jsonOf({ points, alarms }: Trend, hasExposure: boolean, more: object): Generator<string> {
  yield '{\n  "points": [';
  for (let from = 0; from < points.length; from += POINTS_A_PART) {
    const lines = points.slice(from, from + POINTS_A_PART).map(({ exposure, ...point }) => {
      const told = hasExposure ? { ...point, exposure } : point;
      return `\n    ${JSON.stringify(told, rounded)}`;
    });
    yield `${from > 0 ? ',' : ''}${lines.join(',')}`;
  }
  const rest = JSON.stringify({ alarms, ...more }, rounded, 2);
  yield `\n  ],${rest.slice(1)}\n`;
}

/** Six digits tell all there is to know of an estimate; what was handed in stays as it is. */
function rounded(key: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isInteger(value) || key === 'exposure') return value;
  return Number(value.toPrecision(6));
}

async function given(
  file: string,
  { missing, exposure }: Options,
  io: Io,
): Promise<{ name: string; series: Series }> {
  const wanted: SeriesOptions = { missing, ...(exposure !== undefined && { exposure }) };
  const table = await read(file, io);
  return { name: table.name, series: told(() => seriesOf(rowsOf(table, wanted), wanted)) };
}

/** The crashes that are kept, against the machines there were. */
async function crashes(options: Options, io: Io): Promise<{ name: string; series: Series }> {
  const now = options.until ? timeOf('--until', options.until, io) : io.clock.now();
  const since = timeOf('--since', options.since ?? SINCE_DEFAULT[options.by], io);
  const query = { ...queryOf(options, io, CRASHES_READ_MAX), since };
  await using store = await openStore(options, io);
  const records = await store.list(query);
  const days = await store.fleetDays(new Date(since), new Date(now + DAY));
  const rows = rowsOfCrashes(records, days, { since, now, step: options.by, where: query.where });
  return { name: 'crashes', series: told(() => seriesOf(rows, { missing: 'zero' })) };
}

async function read(file: string, io: Io): Promise<Table> {
  const name = file === '-' ? 'standard input' : file;
  try {
    return await readTable(bytesOf(file, io), name);
  } catch (error) {
    if (error instanceof TableError) throw new CliError(error.message);
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'that is a folder' : code;
    throw new CliError(`--series ${name}: ${why}`);
  }
}

function told<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof SeriesError) throw new CliError(error.message);
    throw error;
  }
}
