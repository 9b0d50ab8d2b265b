import { type Command, Option } from 'commander';
import { BlobMissing } from '../../platform/blobs/blobs.ts';
import type { CrashRecord } from '../../platform/history/crash-record.ts';
import { CliError, type Io } from '../io.ts';
import { serialize } from '../output.ts';
import { blobsOf, openStore, type StoreOptions, withEvidenceOption, withStoreOptions } from './store.ts';
import { decoded } from './symbols.ts';

interface Options extends StoreOptions {
  output?: 'json' | 'yaml';
  log?: boolean;
  vmlinux?: string;
}

export function register(program: Command, io: Io): void {
  withEvidenceOption(
    withStoreOptions(program.command('show').description('Show one crash: what happened, on what evidence.')),
  )
    .argument('<id>', 'as drover crash list prints it')
    .option('--log', 'print the raw evidence')
    .option('--vmlinux <file>', 'the kernel with debug symbols: frames get their file and line')
    .addOption(new Option('-o, --output <format>', 'the whole record').choices(['json', 'yaml']))
    .action((id: string, options: Options) => show(id.replace(/^crash\//, ''), options, io));
}

async function show(id: string, options: Options, io: Io): Promise<void> {
  await using store = await openStore(options, io);
  const record = await store.get(id);
  if (!record) throw new CliError(`error: no crash "${id}"; drover crash list shows those there are`);
  if (options.log) return printLog(record, options, io);
  if (options.output) return io.out(await serialize(record, options.output));
  const { vmlinux } = options;
  io.out(textOf(vmlinux ? { ...record, excerpt: await decoded(record.excerpt, vmlinux) } : record));
}

async function printLog(record: CrashRecord, options: Options, io: Io): Promise<void> {
  const blobs = blobsOf(options, io);
  for (const { blob, name, kind } of record.evidence) {
    try {
      if (!blob) throw new BlobMissing('it was not kept');
      const bytes = await blobs.get(blob);
      if (record.evidence.length > 1) io.out(`==> ${name} (${kind}) <==\n`);
      io.out(bytes.toString('utf8'));
    } catch (error) {
      if (!(error instanceof BlobMissing)) throw error;
      io.err(`${name}: ${error.message}\n`);
    }
  }
}

function textOf(record: CrashRecord): string {
  const lines = [record.title];
  const say = (label: string, text: string | undefined) => {
    if (text) lines.push(`  ${label.padEnd(10)}${text}`);
  };
  const uptime = record.uptime_s === undefined ? '' : `, ${uptimeText(record.uptime_s)} after boot`;
  say('machine', `${record.machine}, cluster ${record.cluster}`);
  say('when', `${record.happenedAt} (from the ${record.timeFrom})${uptime}`);
  say('cause', `${record.cause}: ${record.because}`);
  say('signature', `${record.signature} (${record.class}, ${record.severity})`);
  say('blame', record.frames.slice(0, 6).join(' ← ') + (record.module ? `, module ${record.module}` : ''));
  say('running', record.process);
  if (record.corrupted) say('trust', 'little: the report is damaged');
  for (const { part, weight, count, sample } of record.hardware)
    say('hardware', `${part}, ${weight}, ${count} ×: ${sample}`);
  const attributes = Object.entries(record.attributes).map(([key, value]) => `${key}=${value}`);
  say('was', attributes.join('  '));
  for (const { kind, name, bytes, blob, cut } of record.evidence)
    say(
      'evidence',
      `${name} (${kind}, ${bytes} bytes${cut ? ', the last part' : ''}${blob ? '' : ', not kept'})`,
    );
  if (record.excerpt)
    lines.push(
      '',
      ...record.excerpt
        .split('\n')
        .slice(0, 30)
        .map((line) => `  ${line}`),
    );
  return `${lines.join('\n')}\n`;
}

function uptimeText(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  if (days > 0) return `${days} d ${Math.floor((seconds % 86_400) / 3600)} h`;
  return seconds >= 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 60)} min`;
}
