// Where crash commands find the records and the raw evidence: the same places as `drover run`.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { Blobs } from '../../platform/blobs/blobs.ts';
import { openBlobs } from '../../platform/blobs/open.ts';
import { DAY, HOUR, MINUTE } from '../../platform/clock/clock.ts';
import type { CrashQuery } from '../../platform/history/crash-record.ts';
import { CRASH_CAUSES } from '../../platform/history/crash-record.ts';
import { CrashStore } from '../../platform/history/crashes.ts';
import { messageOf } from '../../platform/kube/errors.ts';
import { CliError, EXIT, type Io } from '../io.ts';

export interface StoreOptions {
  data?: string;
  evidence?: string;
}

/** Both in `drover run` and here. */
export const EVIDENCE_HELP =
  'where raw evidence is kept: a folder, or s3://bucket/prefix?endpoint=https://host&region=name with its keys in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; by default the folder evidence in that of --data';

export function withStoreOptions(command: Command): Command {
  return command.option(
    '--data <dir>',
    'folder of records and evidence; $DATABASE_URL names a PostgreSQL for the records; ~/.local/share/drover by default',
  );
}

export function dataDirOf({ data }: StoreOptions, io: Io): string {
  return (
    data ?? io.env.DROVER_DATA ?? join(io.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'drover')
  );
}

export function withEvidenceOption(command: Command): Command {
  return command.option('--evidence <place>', EVIDENCE_HELP);
}

/** @throws CliError when the place, or its keys in the environment, are not as they should be */
export function blobsOf(options: StoreOptions, io: Io): Blobs {
  const place = options.evidence ?? join(dataDirOf(options, io), 'evidence');
  try {
    return openBlobs(place, io.env, io.clock);
  } catch (error) {
    throw new CliError(`error: ${messageOf(error)}`, EXIT.usage);
  }
}

/** @throws CliError when the database does not answer, or another process holds the folder */
export async function openStore(options: StoreOptions, io: Io): Promise<CrashStore> {
  const url = io.env.DATABASE_URL;
  try {
    return await CrashStore.open(url ? { url } : { dir: dataDirOf(options, io) });
  } catch (error) {
    const message = messageOf(error);
    throw new CliError(`error: crash records can't be opened: ${message}`);
  }
}

export interface QueryOptions extends StoreOptions {
  selector?: string;
  since?: string;
  until?: string;
  machine?: string;
  signature?: string;
  cause?: (typeof CRASH_CAUSES)[number];
  planned?: boolean;
}

export function withQueryOptions(command: Command): Command {
  return withStoreOptions(command)
    .option(
      '-l, --selector <attributes>',
      'only of machines with these: model=ebmc6,zone!=z1,kernel in (4.19,5.10)',
    )
    .option('--since <time>', 'not before: 7d, 12h, or a date', undefined)
    .option('--until <time>', 'before: 7d, 12h, or a date', undefined)
    .option('-m, --machine <name>', 'only of this machine')
    .option('-s, --signature <id>', 'only with this signature')
    .addOption(new Option('--cause <cause>', 'only with this cause').choices([...CRASH_CAUSES]))
    .option('--planned', 'also what was planned, which is no crash');
}

export function queryOf(options: QueryOptions, io: Io, limit: number): CrashQuery {
  const { machine, signature, cause, planned, since, until, selector } = options;
  return {
    limit,
    ...(machine && { machine }),
    ...(signature && { signature }),
    ...(cause && { cause }),
    ...(planned && { planned }),
    ...(since && { since: timeOf('--since', since, io) }),
    ...(until && { until: timeOf('--until', until, io) }),
    ...(selector && { where: selectorOf(selector) }),
  };
}

const LENGTHS: Readonly<Record<string, number>> = { m: MINUTE, h: HOUR, d: DAY, w: 7 * DAY };

/** A length of time before now, or a date. */
export function timeOf(option: string, text: string, io: Io): number {
  const length = /^(\d{1,6})([mhdw])$/.exec(text);
  if (length) return io.clock.now() - Number(length[1]) * (LENGTHS[length[2] as string] as number);
  const at = Date.parse(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(at)) return at;
  throw new CliError(
    `error: ${option} "${text}": a length such as 12h, 7d, 4w, or a date such as 2026-11-11`,
    EXIT.usage,
  );
}

/** `a=b,c!=d,e in (x,y),f notin (z)`, as kubectl has it. */
export function selectorOf(text: string): NonNullable<CrashQuery['where']> {
  const wrong = () =>
    new CliError(
      `error: selector "${text}": write it as model=ebmc6,zone!=z1,kernel in (4.19,5.10)`,
      EXIT.usage,
    );
  const parts = text.match(/(?:[^,(]|\([^)]*\))+/g) ?? [];
  return parts.map((part) => {
    const set = /^\s*([\w./-]+)\s+(in|notin)\s*\(([^)]*)\)\s*$/.exec(part);
    if (set) {
      const values = (set[3] as string).split(',').map((value) => value.trim());
      return { key: set[1] as string, values, not: set[2] === 'notin' };
    }
    const one = /^\s*([\w./-]+)\s*(=|==|!=)\s*([^=!]*?)\s*$/.exec(part);
    if (!one) throw wrong();
    return { key: one[1] as string, values: [one[3] as string], not: one[2] === '!=' };
  });
}
