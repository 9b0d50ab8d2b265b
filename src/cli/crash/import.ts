import { type Command, Option } from 'commander';
import { explainLog } from '../../crash/kernel-log/explain.ts';
import { inOrder } from '../../crash/kernel-log/order.ts';
import type { RuleSet } from '../../crash/kernel-log/rules.ts';
import { excerptOf } from '../../crash/records/excerpt.ts';
import { kept } from '../../crash/records/keep.ts';
import { recordOf } from '../../crash/records/make.ts';
import type { Blobs } from '../../platform/blobs/blobs.ts';
import { type CrashRecord, EVIDENCE_KINDS, type Evidence } from '../../platform/history/crash-record.ts';
import { messageOf } from '../../platform/kube/errors.ts';
import { repeated } from '../durations.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { type Found, filesIn, readEvidence, readStacks } from './evidence.ts';
import { rulesOf } from './read-log.ts';
import {
  blobsOf,
  openStore,
  type StoreOptions,
  timeOf,
  withEvidenceOption,
  withStoreOptions,
} from './store.ts';

interface Options extends StoreOptions {
  machine: string;
  cluster: string;
  at?: string;
  attribute: string[];
  kind?: Evidence['kind'];
  planned?: string;
  rules: string[];
  vmlinux?: string;
  dryRun?: boolean;
  output?: 'json';
}

/** The log of the dump first: it is whole where others are cut. */
const EVIDENCE_RANKS: readonly Evidence['kind'][] = [
  ...(['vmcore-dmesg', 'pstore', 'console', 'netconsole', 'journal', 'log'] as const),
  ...(['sel', 'rasdaemon', 'crash-utility'] as const),
];

export function register(program: Command, io: Io): void {
  withEvidenceOption(
    withStoreOptions(
      program
        .command('import')
        .description(
          'Keep crashes of one machine: kdump folders, pstore, journals, console logs, rasdaemon, BMC logs, vmcores.',
        )
        .argument('<file...>', 'files or folders; - is standard input'),
    ),
  )
    .requiredOption('-m, --machine <name>', 'the machine that crashed')
    .option('--cluster <name>', 'its cluster', 'home')
    .option('--at <time>', 'when it crashed; else the folder’s name or the file’s time says')
    .option('-a, --attribute <key=value>', 'what the machine was: model=ebmc6; may be repeated', repeated, [])
    .addOption(
      new Option('--kind <kind>', 'what the evidence is, where its name does not say').choices([
        ...EVIDENCE_KINDS,
      ]),
    )
    .option('--planned <why>', 'it was meant: an operation, a test')
    .option('--rules <file>', 'rules of your site, before ours; may be repeated', repeated, [])
    .option('--vmlinux <file>', 'the kernel with debug symbols: crash(8) is asked for the stacks in a dump')
    .option('--dry-run', 'say what would be kept')
    .addOption(new Option('-o, --output <format>', 'json: the records').choices(['json']))
    .addHelpText(
      'after',
      '\nExamples:\n  drover crash import /var/crash/127.0.0.1-2026-11-11-00:01:02 -m m00042 -a model=ebmc6 -a zone=z1\n  ipmitool sel elist | drover crash import - -m m00042 --kind sel',
    )
    .action((files: string[], options: Options) => importCrashes(files, options, io));
}

async function importCrashes(paths: readonly string[], options: Options, io: Io): Promise<void> {
  const rules = await rulesOf(options.rules, io);
  const attributes = attributesOf(options.attribute);
  const at = options.at && new Date(timeOf('--at', options.at, io)).toISOString();
  const found: Found[] = [];
  let failed = 0;
  for (const path of await filesOf(paths, { dumps: options.vmlinux !== undefined })) {
    try {
      const one = await readEvidence(path, io);
      found.push(options.kind ? { ...one, kind: options.kind } : one);
      if (one.ofDump && options.vmlinux) found.push(...(await stacksOf(one, options.vmlinux, io)));
    } catch (error) {
      failed++;
      io.err(`error: ${path}: ${messageOf(error)}\n`);
    }
  }
  const blobs = blobsOf(options, io);
  const records: CrashRecord[] = [];
  for (const group of grouped(found)) {
    const record = await recordOfGroup(group, { options, attributes, at, rules, blobs, now: io.clock.now() });
    if (record) records.push(record);
    else
      io.err(
        `${group.map(({ path }) => path).join(', ')}: no crash and no sign of the hardware in it; not kept\n`,
      );
  }
  if (options.output === 'json') io.out(`${JSON.stringify(records, undefined, 2)}\n`);
  if (records.length > 0 && !options.dryRun) {
    await using store = await openStore(options, io);
    for (const record of records) say(record, await store.put(record), options, io);
  } else for (const record of records) say(record, 'new', options, io);
  if (failed > 0) throw new CliError('');
}

/** More than the log has, so it may fail: the crash is kept without it. */
async function stacksOf(dump: Found, vmlinux: string, io: Io): Promise<Found[]> {
  try {
    return [await readStacks(dump, vmlinux)];
  } catch (error) {
    io.err(`warning: ${dump.path}: no stacks by crash: ${messageOf(error)}; its log is kept\n`);
    return [];
  }
}

async function filesOf(paths: readonly string[], options: { dumps: boolean }): Promise<string[]> {
  try {
    return await filesIn(paths, options);
  } catch (error) {
    throw new CliError(`error: ${messageOf(error)}`);
  }
}

function say(record: CrashRecord, what: 'new' | 'changed', { output, dryRun }: Options, io: Io): void {
  if (output === 'json') return;
  const done = dryRun ? 'would be kept' : what === 'new' ? 'imported' : 'unchanged or known better now';
  io.out(`crash/${record.id} ${done}: ${record.title} (${record.signature}, ${record.cause})\n`);
}

/** Files of one crash are one record. What only the hardware says belongs to the crash that it comes with. */
function grouped(found: readonly Found[]): Found[][] {
  const isHardware = ({ kind }: Found) => kind === 'sel' || kind === 'rasdaemon';
  const groups = Map.groupBy(
    found.filter((each) => !isHardware(each)),
    ({ group }) => group,
  );
  const hardware = found.filter(isHardware);
  if (groups.size === 0) return hardware.length > 0 ? [hardware] : [];
  return [...groups.values()].map((group) => [...group, ...hardware]);
}

interface About {
  options: Options;
  attributes: Record<string, string>;
  at: string | undefined;
  rules: RuleSet;
  blobs: Blobs;
  now: number;
}

async function recordOfGroup(group: readonly Found[], about: About): Promise<CrashRecord | undefined> {
  const { options, attributes, rules, blobs, now } = about;
  const hasLog = group.some(({ kind, ofDump }) => kind === 'vmcore-dmesg' && !ofDump);
  const parts = group
    .filter(({ ofDump }) => !(ofDump && hasLog))
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  const log = inOrder(parts.map(({ text }) => text).join('\n'));
  const explanation = explainLog(Buffer.from(log, 'latin1'), rules);
  const silent = explanation.title === '' && explanation.cause === 'unknown' && !options.planned;
  if (silent || (explanation.title === '' && explanation.cause === 'planned' && !options.planned))
    return undefined;
  const evidence: Evidence[] = [];
  for (const part of parts) evidence.push(await kept(part, options.dryRun ? undefined : blobs));
  const seenAt = new Date(now).toISOString();
  const placed = parts.find(({ at }) => at)?.at;
  const changed = parts.find(({ changedAt }) => changedAt)?.changedAt;
  return recordOf(explanation, {
    cluster: options.cluster,
    machine: options.machine,
    happenedAt: about.at ?? placed ?? changed ?? seenAt,
    timeFrom: about.at ? 'given' : placed ? 'path' : changed ? 'file' : 'seen',
    seenAt,
    attributes,
    evidence,
    excerpt: excerptOf(log, explanation.report),
    ...(options.planned && { planned: options.planned }),
  });
}

function rank({ kind }: Found): number {
  return EVIDENCE_RANKS.indexOf(kind);
}

function attributesOf(pairs: readonly string[]): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const pair of pairs) {
    const [, key, value] = /^([A-Za-z][\w./-]{0,62})=(.{1,200})$/.exec(pair) ?? [];
    if (!key || value === undefined)
      throw new CliError(
        `error: --attribute "${pair}": write it as key=value, such as model=ebmc6`,
        EXIT.usage,
      );
    attributes[key] = value;
  }
  return attributes;
}
