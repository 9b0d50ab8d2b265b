// A real S3-speaking store on a free port of the loopback, in a folder that goes away with it.
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECOND } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { Processes } from '../control-plane/processes.ts';
import { freePort } from '../free-ports.ts';
import { s3Server } from './build.ts';

const READY_MS_MAX = 20 * SECOND;
const READY_POLL_MS = 50;
const NAME = 's3';

export interface S3Server extends AsyncDisposable {
  endpoint: string;
  /** The keys that it knows. */
  env: { AWS_ACCESS_KEY_ID: string; AWS_SECRET_ACCESS_KEY: string };
  /** Where the objects of a bucket lie, each in a file of its name. */
  folderOf(bucket: string): string;
  stop(): Promise<void>;
}

/** @param buckets made beforehand */
export async function startS3(buckets: readonly string[]): Promise<S3Server> {
  const binary = await s3Server();
  const processes = new Processes(mkdtempSync(join(tmpdir(), 'drover-s3-')));
  const folderOf = (bucket: string) => join(processes.folder, 'buckets', bucket);
  for (const bucket of buckets) mkdirSync(folderOf(bucket), { recursive: true });
  const env = { AWS_ACCESS_KEY_ID: 'drover', AWS_SECRET_ACCESS_KEY: 'a secret/of+the test' };
  const port = await freePort();
  const keys = ['--access', env.AWS_ACCESS_KEY_ID, '--secret', env.AWS_SECRET_ACCESS_KEY];
  // Not every file system of a test machine has extended attributes.
  const storage = ['posix', '--nometa', join(processes.folder, 'buckets')];
  processes.start(NAME, binary, ['--port', `127.0.0.1:${port}`, '--health', '/health', ...keys, ...storage]);
  const endpoint = `http://127.0.0.1:${port}`;
  const deadline = systemClock.now() + READY_MS_MAX;
  while (!(await answers(`${endpoint}/health`))) {
    if (processes.isRunning(NAME) && systemClock.now() < deadline) {
      await systemClock.sleep(READY_POLL_MS);
      continue;
    }
    const log = processes.logTail(NAME);
    await processes.end();
    throw new Error(`the S3 server does not start:\n${log}`);
  }
  return {
    endpoint,
    env,
    folderOf,
    stop: () => processes.stop(NAME),
    [Symbol.asyncDispose]: () => processes.end(),
  };
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.ok === true;
}
