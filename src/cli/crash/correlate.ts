import type { Command } from 'commander';
import {
  type EncodedRows,
  type Explanation,
  hasExposure,
  type Question,
  QuestionError,
} from '../../crash/correlate/index.ts';
import { columnsOf } from '../../crash/report/columns.ts';
import { DAY } from '../../platform/clock/clock.ts';
import type { CrashRecord } from '../../platform/history/crash-record.ts';
import { CRASHES_READ_MAX, type FleetDay } from '../../platform/history/crashes.ts';
import { columnOf, numbersOf, readTable } from '../../platform/tables.ts';
import { bytesOf, readable } from '../input.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { serialize } from '../output.ts';
import { pairs, textOf, wideOf } from './correlate-text.ts';
import { csv } from './csv.ts';
import { openStore, type QueryOptions, queryOf, timeOf, withQueryOptions } from './store.ts';

const FORMATS = ['json', 'yaml', 'wide', 'csv'] as const;
const COUNT = 'count';
const SINCE_DEFAULT = '7d';
/** The time that is compared with is so many times as long. */
const BEFORE_TIMES = 4;

interface Options extends QueryOptions {
  events?: string;
  population?: string;
  beforeEvents?: string;
  beforePopulation?: string;
  output?: (typeof FORMATS)[number];
}

export function register(program: Command, io: Io): void {
  withQueryOptions(
    program
      .command('correlate')
      .description(
        'Say which attribute, or combination of up to four, explains a rise of crashes, or of any events, against the machines that had none.',
      ),
  )
    .option('--events <file>', 'instead of crashes: what happened: a row an event, or rows with a count')
    .option('--population <file>', 'all machines: a row each, or rows with a count of exposure')
    .option(
      '--before-events <file>',
      'events of the time to compare with, so that what was always so is not blamed',
    )
    .option('--before-population <file>', 'machines of that time; without it, those of --population')
    .option('-o, --output <format>', `one of ${FORMATS.join(', ')}`, format)
    .addHelpText('after', HELP)
    .action((options: Options) => run(options, io));
}

const HELP = `
Without files: the crashes that are kept, since --since (7d), against the four times as long before.
Files are CSV with a header, or JSON lines; - is standard input. Columns are attributes, of any names; what is
compared are those that all files have. A column "count" says for how many events, or how much exposure
(machines, machine-days), a row stands.

Examples:
  drover crash correlate --since 3d
  drover crash correlate --events crashes.csv --population machines.csv
  drover crash correlate --events week.csv --population fleet.csv --before-events month.csv -o json`;

function format(value: string): (typeof FORMATS)[number] {
  const found = FORMATS.find((each) => each === value);
  if (found) return found;
  throw new CliError(`error: unknown output format "${value}"; one of: ${FORMATS.join(', ')}`, EXIT.usage);
}

async function run(options: Options, io: Io): Promise<void> {
  const question = options.events === undefined ? await kept(options, io) : await given(options, io);
  const { correlate } = await import('../../crash/correlate/index.ts');
  const answer = told(() => correlate(question));
  if (options.output === 'wide') io.out(wideOf(answer));
  else if (options.output === 'csv') io.out(csv(answer.explanations.map(cellsOf)));
  else if (options.output) io.out(await serialize(answer, options.output));
  else io.out(textOf(answer, Math.min(io.terminal?.columns ?? 80, 100)));
}

/** A row for each explanation; what is a list is joined by spaces. */
function cellsOf({ when, interval, sameAs, ...rest }: Explanation): Record<string, string> {
  const figures = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, String(value)]));
  const [low, high] = interval;
  return {
    when: pairs(when, ' and '),
    ...figures,
    low: String(low),
    high: String(high),
    sameAs: sameAs.map((same) => pairs(same, ' and ')).join('; '),
  };
}

async function given(options: Options, io: Io): Promise<Question> {
  const { events, population, beforeEvents, beforePopulation } = options;
  if (events === undefined || population === undefined)
    throw new CliError('error: --events needs --population: all machines, to compare with', EXIT.usage);
  const files = [events, population, beforeEvents, beforePopulation];
  if (files.filter((file) => file === '-').length > 1)
    throw new CliError('error: only one file can be standard input', EXIT.usage);
  if (beforePopulation && !beforeEvents)
    throw new CliError('error: --before-population says nothing without --before-events', EXIT.usage);
  const [one, two, three, four] = await readAll(files, io);
  mustHaveExposure(two as EncodedRows, population);
  if (four) mustHaveExposure(four, beforePopulation ?? '');
  return {
    events: one as EncodedRows,
    population: two as EncodedRows,
    beforeEvents: three,
    beforePopulation: four,
  };
}

/** The crashes that are kept, against the fleet as it was counted, and the time before. */
async function kept(options: Options, io: Io): Promise<Question> {
  const now = options.until ? timeOf('--until', options.until, io) : io.clock.now();
  const since = timeOf('--since', options.since ?? SINCE_DEFAULT, io);
  const before = since - BEFORE_TIMES * (now - since);
  await using store = await openStore(options, io);
  const all = await store.list({ ...queryOf(options, io, CRASHES_READ_MAX), since: before });
  const days = await store.fleetDays(new Date(before), new Date(now + DAY));
  if (days.length === 0)
    throw new CliError(
      'error: the fleet was not counted in this time: a running Drover does it once a day; or give --events and --population',
    );
  const start = new Date(since).toISOString();
  const names = [...new Set(days.flatMap(({ attributes }) => Object.keys(attributes)))].sort();
  const events = (rows: readonly CrashRecord[]) =>
    columnsOf(
      rows.map(({ attributes }) => ({ attributes, count: 1 })),
      names,
    );
  const fleet = (rows: readonly FleetDay[]) =>
    columnsOf(
      rows.map(({ attributes, machines }) => ({ attributes, count: machines })),
      names,
    );
  const earlier = all.filter(({ happenedAt }) => happenedAt < start);
  const daysBefore = days.filter(({ day }) => day < start.slice(0, 10));
  return {
    events: events(all.filter(({ happenedAt }) => happenedAt >= start)),
    population: fleet(days.filter(({ day }) => day >= start.slice(0, 10))),
    ...(daysBefore.length > 0 && { beforeEvents: events(earlier), beforePopulation: fleet(daysBefore) }),
  };
}

function mustHaveExposure(table: EncodedRows, file: string): void {
  if (hasExposure(table)) return;
  throw new CliError(`error: ${file}: has no rows with exposure, so nothing can be expected of anything`);
}

async function readAll(files: readonly (string | undefined)[], io: Io): Promise<(EncodedRows | undefined)[]> {
  const tables: (EncodedRows | undefined)[] = [];
  for (const file of files) tables.push(file === undefined ? undefined : await read(file, io));
  return tables;
}

async function read(file: string, io: Io): Promise<EncodedRows> {
  try {
    const table = await readTable(bytesOf(file, io), file === '-' ? 'standard input' : file);
    const count = columnOf(table, COUNT);
    return {
      rows: table.rows,
      columns: table.columns.filter((column) => column !== count),
      ...(count && { counts: numbersOf(table, count, 0) }),
    };
  } catch (error) {
    throw readable(error, file);
  }
}

function told<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof QuestionError ? new CliError(`error: ${error.message}`) : error;
  }
}
