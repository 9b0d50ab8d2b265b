// The store that these tests speak to, built from the Go module in server/, once for each change of it.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { MINUTE } from '../../src/platform/clock/clock.ts';
import { cacheFolder, findGo } from '../control-plane/build.ts';

const MODULE_FOLDER = join(import.meta.dirname, 'server');
const BUILD_MS_MAX = 15 * MINUTE;

/** Why no S3 server can be built here; undefined where it can. In CI it must be there. */
export async function noS3(): Promise<string | undefined> {
  try {
    if (!existsSync(binaryPath())) await findGo((line) => console.error(line));
    return undefined;
  } catch (error) {
    if (process.env.CI) throw error;
    return 'no Go here to build an S3 server with';
  }
}

function binaryPath(): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(MODULE_FOLDER, file)));
  return join(cacheFolder(), 's3-server', hash.digest('hex').slice(0, 16), 'versitygw');
}

/** Path of versitygw. Builds it where it is missing: 2 minutes on one core, and only once. */
export async function s3Server(): Promise<string> {
  const binary = binaryPath();
  if (existsSync(binary)) return binary;
  const go = await findGo((line) => console.error(line));
  console.error('s3: building versitygw (2 minutes on one core, then it is kept) …');
  mkdirSync(dirname(binary), { recursive: true });
  const draft = `${binary}.${process.pid}`;
  const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', draft, 'tool'];
  const env = { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: process.env.GOTOOLCHAIN ?? 'auto' };
  await promisify(execFile)(go, args, { cwd: MODULE_FOLDER, env, timeout: BUILD_MS_MAX });
  renameSync(draft, binary);
  return binary;
}
