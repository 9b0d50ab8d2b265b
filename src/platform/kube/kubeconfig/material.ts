// Certificates, keys and tokens that an entry holds as data or names as a file.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Clock, MINUTE } from '../../clock/clock.ts';
import { KubeconfigError } from './error.ts';
import type { Located } from './read.ts';

/** Files that rotate (service account tokens, short-lived certificates) are read again after this long. */
export const FILE_AGE_MS_MAX = MINUTE;

/** Reads a value now; `fresh` asks for what is true this moment. */
export type Reader = (fresh: boolean) => string;

export function fail(entry: Located<unknown>, field: string, problem: string, cause?: unknown): never {
  throw new KubeconfigError(entry.source.name, `${entry.field}.${field}`, problem, cause);
}

/** PEM from `<field>-data` or from the file that `<field>` names; undefined when neither is set. */
export function pemReader(
  entry: Located<Record<string, unknown>>,
  field: string,
  clock: Clock,
): Reader | undefined {
  const data = entry.value[`${field}-data`];
  if (typeof data === 'string' && data !== '') {
    const pem = Buffer.from(data, 'base64').toString('utf8');
    if (!pem.includes('-----BEGIN '))
      fail(entry, `${field}-data`, 'not the base64 of PEM; use base64 < file.pem');
    return () => pem;
  }
  const read = fileReader(entry, field, clock);
  if (read && !read(true).includes('-----BEGIN ')) fail(entry, field, 'the file holds no PEM');
  return read;
}

/**
 * Reads the file that `field` names, at most once a minute. A file that cannot be read at first is an
 * error; later on the last good value stands, since rotation may be under way.
 */
export function fileReader(
  entry: Located<Record<string, unknown>>,
  field: string,
  clock: Clock,
): Reader | undefined {
  const named = entry.value[field];
  if (typeof named !== 'string' || named === '') return undefined;
  const path = resolvePath(entry, field, named);
  let last: { value: string; read_at: number } | undefined;
  return (fresh) => {
    const now = clock.now();
    if (last && !fresh && now - last.read_at < FILE_AGE_MS_MAX) return last.value;
    try {
      last = { value: readFileSync(path, 'utf8'), read_at: now };
    } catch (cause) {
      if (!last) fail(entry, field, cause instanceof Error ? cause.message : String(cause), cause);
      last = { value: last.value, read_at: now };
    }
    return last.value;
  };
}

/** Relative to the file that names it, as kubectl does. */
export function resolvePath(entry: Located<unknown>, field: string, path: string): string {
  if (entry.source.folder !== undefined) return resolve(entry.source.folder, path);
  return fail(
    entry,
    field,
    `files cannot be named here; use ${field === 'tokenFile' ? 'token' : `${field}-data`}`,
  );
}
