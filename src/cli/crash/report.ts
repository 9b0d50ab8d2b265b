import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { parse } from 'yaml';
import { type KnownBug, KnownBugsError, parseKnownBugs } from '../../crash/families/index.ts';
import { markdownOf } from '../../crash/report/markdown.ts';
import { CHANGES_DAYS, type CrashReport, crashReport } from '../../crash/report/report.ts';
import { DAY } from '../../platform/clock/clock.ts';
import { CRASHES_READ_MAX } from '../../platform/history/crashes.ts';
import { messageOf } from '../../platform/kube/errors.ts';
import { repeated } from '../durations.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { serialize } from '../output.ts';
import { openStore, queryOf, type StoreOptions, selectorOf, timeOf, withStoreOptions } from './store.ts';
import { decoded, kernelOf } from './symbols.ts';

interface Options extends StoreOptions {
  since: string;
  selector?: string;
  known: string[];
  vmlinux: string[];
  site?: boolean;
  output?: 'json' | 'yaml' | 'markdown';
}

export function register(program: Command, io: Io): void {
  withStoreOptions(
    program
      .command('report')
      .description('Write what a kernel engineer wants to know of one signature, without names of the site.')
      .argument('<signature>', 'as drover crash list prints it'),
  )
    .option('--since <time>', 'crashes since: 90d, 12w, or a date', '90d')
    .option('-l, --selector <attributes>', 'only of machines with these')
    .option('--known <file>', 'known bugs of your site: YAML with bugs; may be repeated', repeated, [])
    .option(
      '--vmlinux <file>',
      'a kernel with debug symbols, for logs of its version; may be repeated',
      repeated,
      [],
    )
    .option('--site', 'with the names of machines and places')
    .addOption(
      new Option('-o, --output <format>', 'markdown by default').choices(['markdown', 'json', 'yaml']),
    )
    .action((signature: string, options: Options) => report(signature, options, io));
}

async function report(signature: string, options: Options, io: Io): Promise<void> {
  const known = await knownBugs(options.known);
  const since = timeOf('--since', options.since, io);
  const now = io.clock.now();
  await using store = await openStore(options, io);
  const query = queryOf({ since: options.since, signature }, io, CRASHES_READ_MAX);
  const where = options.selector ? { where: selectorOf(options.selector) } : {};
  const records = await store.list({ ...query, ...where });
  if (records.length === 0)
    throw new CliError(
      `error: no crash with signature "${signature}" since ${options.since}; drover crash list --by signature shows those there are`,
    );
  const days = await store.fleetDays(new Date(since - CHANGES_DAYS * DAY), new Date(now + DAY));
  const report = crashReport({ records, days, known, since, now, site: options.site ?? false });
  const made = { ...report, logs: await withLines(report.logs, options.vmlinux) };
  const { output } = options;
  io.out(output === 'json' || output === 'yaml' ? await serialize(made, output) : markdownOf(made));
}

/** Logs of a kernel whose symbols are given have files and lines in their stacks. */
async function withLines(logs: CrashReport['logs'], files: readonly string[]): Promise<CrashReport['logs']> {
  const kernels = new Map<string, string>();
  for (const file of files) kernels.set(await kernelOf(file), file);
  const lines = logs.map(async (log) => {
    const file = kernels.get(log.kernel);
    return file ? { ...log, text: await decoded(log.text, file) } : log;
  });
  return Promise.all(lines);
}

async function knownBugs(files: readonly string[]): Promise<KnownBug[]> {
  const bugs: KnownBug[] = [];
  for (const file of files) {
    try {
      bugs.push(...parseKnownBugs(parse(await readFile(file, 'utf8')), file));
    } catch (error) {
      const message = messageOf(error);
      throw new CliError(
        error instanceof KnownBugsError ? `error: ${message}` : `error: ${file}: ${message}`,
        EXIT.usage,
      );
    }
  }
  return bugs;
}
