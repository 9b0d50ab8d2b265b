import { type Command, Option } from 'commander';
import { isMuted } from '../../crash/families/index.ts';
import { decisionsOf, familiesOf } from '../../crash/records/families.ts';
import type { CrashRecord } from '../../platform/history/crash-record.ts';
import { CRASHES_READ_MAX, type CrashStore, type SignatureCount } from '../../platform/history/crashes.ts';
import { countOption } from '../durations.ts';
import type { Io } from '../io.ts';
import { serialize } from '../output.ts';
import { csv } from './csv.ts';
import { openStore, type QueryOptions, queryOf, withQueryOptions } from './store.ts';

interface Options extends QueryOptions {
  output?: 'json' | 'yaml' | 'wide' | 'csv';
  by?: 'signature' | 'family';
  limit: number;
}

export function register(program: Command, io: Io): void {
  withQueryOptions(
    program
      .command('list')
      .description('List crashes, the newest first, or signatures, the most frequent first.'),
  )
    .addOption(
      new Option('--by <what>', 'one line for each, with its count').choices(['signature', 'family']),
    )
    .option('--limit <n>', 'at most so many', countOption(1, 1_000_000), 50)
    .addOption(
      new Option('-o, --output <format>', 'how to print them').choices(['json', 'yaml', 'wide', 'csv']),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  drover crash list --since 7d\n  drover crash list --by signature --since 30d -l model=ebmc6\n  drover crash list -o csv > crashes.csv',
    )
    .action((options: Options) => list(options, io));
}

async function list(options: Options, io: Io): Promise<void> {
  await using store = await openStore(options, io);
  const query = queryOf(options, io, options.limit);
  if (options.by === 'family') return await printFamilies(store, options, io);
  if (options.by === 'signature') return printSignatures(await store.signatures(query), options, io);
  const records = await store.list(query);
  const rows = records.map((record) => rowOf(record, options.output === 'wide'));
  await print({ values: records, flat: records.map(flat), rows }, options, io);
}

/** As a table the columns are the keys of the rows. */
interface Printed {
  values: readonly object[];
  /** For CSV. */
  flat: readonly Readonly<Record<string, string>>[];
  rows: readonly Readonly<Record<string, string>>[];
}

async function print({ values, flat, rows }: Printed, { output }: Options, io: Io): Promise<void> {
  if (output === 'json' || output === 'yaml') return io.out(await serialize(values, output));
  if (output === 'csv') return io.out(csv(flat));
  if (rows.length === 0) return io.out('No crashes.\n');
  const head = Object.keys(rows[0] ?? {}).map((name) => name.toUpperCase());
  const width = output === 'wide' ? undefined : (io.terminal?.columns ?? 120);
  io.out(columns([head, ...rows.map((row) => Object.values(row))], width));
}

function flat(record: CrashRecord): Record<string, string> {
  const { id, happenedAt, machine, cluster, signature, title, cause, corrupted, frame = '' } = record;
  const own = { id, happenedAt, machine, cluster, signature, title, class: record.class, cause, frame };
  return { ...own, corrupted: String(corrupted), ...record.attributes };
}

function rowOf(record: CrashRecord, wide: boolean): Record<string, string> {
  const { id, happenedAt, machine, cause, signature, title, cluster, frame = '' } = record;
  const { model = '', kernel = '' } = record.attributes;
  const when = happenedAt.slice(0, 16).replace('T', ' ');
  return { id, when, machine, cause, signature, ...(wide && { cluster, model, kernel, frame }), title };
}

async function printSignatures(counts: readonly SignatureCount[], options: Options, io: Io): Promise<void> {
  const rows = counts.map(({ signature, title, count, machines, firstAt, lastAt }) => ({
    signature,
    count: String(count),
    machines: String(machines),
    first: firstAt.slice(0, 10),
    last: lastAt.slice(0, 10),
    title,
  }));
  await print({ values: counts, flat: rows, rows }, options, io);
}

/** Families are made of all that is kept, so that they are the same whatever is asked for. */
async function printFamilies(store: CrashStore, options: Options, io: Io): Promise<void> {
  const all = await store.list({ planned: true, limit: CRASHES_READ_MAX });
  const wanted = new Set((await store.list(queryOf(options, io, CRASHES_READ_MAX))).map(({ id }) => id));
  const { families } = familiesOf(all, await decisionsOf(store));
  const rows = families
    .map((family) => {
      const { id, title, members, records } = family;
      const own = records.filter((record) => wanted.has(record.id));
      return {
        family: id,
        count: own.length,
        signatures: members.length,
        first: own[0]?.happenedAt.slice(0, 10) ?? '',
        last: own.at(-1)?.happenedAt.slice(0, 10) ?? '',
        title: isMuted(family, io.clock.now()) ? `(muted) ${title}` : title,
        members,
      };
    })
    .filter(({ count }) => count > 0)
    .slice(0, options.limit);
  const cells = rows.map(({ members: _, ...row }) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value)])),
  );
  await print({ values: rows, flat: cells, rows: cells }, options, io);
}

/** Columns as wide as they need to be; the last one takes what is left of the line. */
function columns(rows: readonly (readonly string[])[], width: number | undefined): string {
  const widths = (rows[0] as readonly string[]).map((_, at) =>
    Math.max(...rows.map((row) => (row[at] ?? '').length)),
  );
  const lines = rows.map((row) => {
    const line = row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join('   ');
    return width && line.length > width ? `${line.slice(0, width - 1)}…` : line.trimEnd();
  });
  return `${lines.join('\n')}\n`;
}
