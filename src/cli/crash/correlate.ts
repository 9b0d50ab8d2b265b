import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { type EncodedRows, QuestionError } from '../../crash/correlate/index.ts';
import { columnOf, numbersOf, readTable, TableError } from '../../platform/tables.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { serialize } from '../output.ts';
import { textOf, wideOf } from './correlate-text.ts';

const FORMATS = ['json', 'yaml', 'wide'] as const;
const COUNT = 'count';
const CHUNK_BYTES = 1 << 20;

interface Options {
  events: string;
  population: string;
  beforeEvents?: string;
  beforePopulation?: string;
  output?: (typeof FORMATS)[number];
}

export function register(program: Command, io: Io): void {
  program
    .command('correlate')
    .description(
      'Say which attribute, or combination of up to four, explains a rise of events, against the machines that had none.',
    )
    .requiredOption('--events <file>', 'what happened: a row an event, or rows with a count')
    .requiredOption('--population <file>', 'all machines: a row each, or rows with a count of exposure')
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
Files are CSV with a header, or JSON lines; - is standard input. Columns are attributes, of any names; what is
compared are those that all files have. A column "count" says for how many events, or how much exposure
(machines, machine-days), a row stands.

Examples:
  drover crash correlate --events crashes.csv --population machines.csv
  drover crash correlate --events week.csv --population fleet.csv --before-events month.csv -o json`;

function format(value: string): (typeof FORMATS)[number] {
  const found = FORMATS.find((each) => each === value);
  if (found) return found;
  throw new CliError(`error: unknown output format "${value}"; one of: ${FORMATS.join(', ')}`, EXIT.usage);
}

async function run(options: Options, io: Io): Promise<void> {
  const files = [options.events, options.population, options.beforeEvents, options.beforePopulation];
  if (files.filter((file) => file === '-').length > 1)
    throw new CliError('error: only one file can be standard input', EXIT.usage);
  if (options.beforePopulation && !options.beforeEvents)
    throw new CliError('error: --before-population says nothing without --before-events', EXIT.usage);
  const [events, population, beforeEvents, beforePopulation] = await readAll(files, io);
  if (!events || !population) return;
  mustHaveExposure(population, options.population);
  if (beforePopulation) mustHaveExposure(beforePopulation, options.beforePopulation ?? '');
  const { correlate } = await import('../../crash/correlate/index.ts');
  const answer = told(() => correlate({ events, population, beforeEvents, beforePopulation }));
  if (options.output === 'wide') io.out(wideOf(answer));
  else if (options.output) io.out(await serialize(answer, options.output));
  else io.out(textOf(answer, Math.min(io.terminal?.columns ?? 80, 100)));
}

function mustHaveExposure({ rows, counts }: EncodedRows, file: string): void {
  if (rows > 0 && (!counts || counts.some((count) => count > 0))) return;
  throw new CliError(`error: ${file}: has no rows with exposure, so nothing can be expected of anything`);
}

async function readAll(files: readonly (string | undefined)[], io: Io): Promise<(EncodedRows | undefined)[]> {
  const tables: (EncodedRows | undefined)[] = [];
  for (const file of files) tables.push(file === undefined ? undefined : await read(file, io));
  return tables;
}

async function read(file: string, io: Io): Promise<EncodedRows> {
  const source = file === '-' ? io.stdin() : createReadStream(file, { highWaterMark: CHUNK_BYTES });
  try {
    const table = await readTable(source, file === '-' ? 'standard input' : file);
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

function readable(error: unknown, file: string): unknown {
  if (error instanceof TableError) return new CliError(`error: ${error.message}`);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return new CliError(`error: there is no file ${file}`);
  if (code === 'EISDIR') return new CliError(`error: ${file} is a directory`);
  if (code === 'EACCES') return new CliError(`error: ${file} may not be read`);
  return error;
}
