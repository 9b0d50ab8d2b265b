// A real PostgreSQL for tests, on a free port of the loopback, in a folder that goes away with it.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';
import { MINUTE, SECOND } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { Processes } from '../control-plane/processes.ts';
import { installPackage, mayInstall } from '../debian.ts';
import { freePort } from '../free-ports.ts';

const DEBIAN_FOLDER = '/usr/lib/postgresql';
/** Recovery after a kill takes under a second. */
const READY_MS_MAX = MINUTE;
const READY_POLL_MS = 50;
const NAME = 'postgres';

export interface Postgres extends AsyncDisposable {
  url: string;
  /** As a crash: nothing is written down, every connection breaks. */
  kill(): Promise<void>;
  /** After `kill`; resolves when it takes queries again. */
  start(): Promise<void>;
  /** A new database of its own; returns its URL. */
  create(database: string): Promise<string>;
  stop(): Promise<void>;
}

/** Why there is no PostgreSQL here; undefined where there is one. Installs it where it may. In CI it must be there. */
export function noPostgres(): string | undefined {
  const reason = findOrInstall();
  if (reason && process.env.CI) throw new Error(`PostgreSQL must be tested in CI: ${reason}`);
  return reason;
}

function findOrInstall(): string | undefined {
  if (binaryFolder()) return undefined;
  if (!mayInstall()) return 'no initdb and postgres on PATH or in /usr/lib/postgresql';
  const failure = installPackage('postgresql');
  if (failure) return failure;
  return binaryFolder() ? undefined : `the package postgresql brought no initdb into ${DEBIAN_FOLDER}`;
}

function binaryFolder(): string | undefined {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  versions.sort((a, b) => Number(b) - Number(a));
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => join(DEBIAN_FOLDER, version, 'bin')),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

export async function startPostgres(): Promise<Postgres> {
  const binaries = binaryFolder();
  if (!binaries) throw new Error('there is no PostgreSQL here: ask noPostgres() first');
  const folder = mkdtempSync(join(tmpdir(), 'drover-postgres-'));
  const processes = new Processes(folder);
  const data = join(folder, 'data');
  mkdirSync(data);
  // PostgreSQL refuses to run as root.
  const user = process.getuid?.() === 0 ? userAndGroup() : undefined;
  if (user) {
    chmodSync(folder, 0o711);
    chownSync(data, user.uid, user.gid);
  }
  const asUser = user ? ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : [];
  const run = (binary: string, args: string[]) =>
    [...asUser, join(binaries, binary), '-D', data, ...args] as [string, ...string[]];

  const [initdb, ...initArgs] = run('initdb', [
    '--username=drover',
    '--auth=trust',
    '--encoding=UTF8',
    '--no-locale',
    '--no-sync',
  ]);
  execFileSync(initdb, initArgs, { stdio: 'pipe', cwd: folder });
  const port = await freePort();
  const urlOf = (database: string) => `postgresql://drover@127.0.0.1:${port}/${database}`;
  // The machine outlives the server in every test, so nothing needs to reach the disk.
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: 'off',
    shared_buffers: '32MB',
  };

  const start = async () => {
    const [command, ...args] = run(
      'postgres',
      Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    );
    const deadline = systemClock.now() + READY_MS_MAX;
    while (!(await answers(urlOf('postgres')))) {
      if (systemClock.now() > deadline)
        throw new Error(`PostgreSQL does not answer:\n${processes.logTail(NAME)}`);
      // At first, and where what is left of a killed one still held the folder.
      if (!processes.isRunning(NAME)) processes.start(NAME, command, args);
      await systemClock.sleep(READY_POLL_MS);
    }
  };
  const stop = () => processes.end();
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: urlOf('postgres'),
    start,
    kill: () => processes.stop(NAME, 'SIGQUIT'),
    create: async (database) => {
      await query(urlOf('postgres'), `create database ${pg.escapeIdentifier(database)}`);
      return urlOf(database);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: SECOND });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query(text)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    await query(url, 'select 1');
    return true;
  } catch {
    return false;
  }
}

/** Debian's user of that name, or the one who owns nothing. */
function userAndGroup(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // no such user
    }
  }
  throw new Error('neither a user postgres nor nobody exists to run PostgreSQL as');
}
