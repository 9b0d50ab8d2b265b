import { mkdir } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Kysely, PGliteDialect, PostgresDialect } from 'kysely';
import { lockFolder } from './folder-lock.ts';
import type { Tables } from './schema.ts';

/** One to write, the rest for people who read. */
const CONNECTIONS_MAX = 4;
const CONNECT_MS_MAX = 5_000;
/** A statement that takes longer is given up on both sides; the largest batch takes under a second. */
const STATEMENT_MS_MAX = 30_000;

/** Where history is kept: PostgreSQL when `url` is given, else PGlite in `dir`, else PGlite in memory. */
export interface Place {
  url?: string;
  dir?: string;
}

export interface Database {
  kysely: Kysely<Tables>;
  /** Cuts all connections, so that none waits for a server that has fallen silent. */
  reset(): void;
  close(): Promise<void>;
}

export function describe({ url, dir }: Place): string {
  if (url) return 'PostgreSQL';
  return dir ? `PGlite in ${dir}` : 'PGlite in memory';
}

export function openDatabase(place: Place): Promise<Database> {
  return place.url ? openPostgres(place.url) : openPglite(place.dir);
}

async function openPostgres(url: string): Promise<Database> {
  const { default: pg } = await import('pg');
  const sockets = new Set<Socket>();
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'drover',
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    query_timeout: STATEMENT_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    keepAlive: true,
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      return socket.once('close', () => sockets.delete(socket));
    },
  });
  // Without a listener a connection that breaks while nobody uses it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const reset = () => {
    for (const socket of sockets) socket.destroy();
  };
  return { kysely, reset, close: () => kysely.destroy().finally(reset) };
}

async function openPglite(dir: string | undefined): Promise<Database> {
  let unlock = async () => {};
  if (dir) {
    await mkdir(dir, { recursive: true });
    unlock = await lockFolder(dir);
  }
  try {
    const { PGlite } = await import('@electric-sql/pglite');
    const pglite = await PGlite.create(dir && join(dir, 'pglite'));
    const kysely = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
    return { kysely, reset() {}, close: () => pglite.close().finally(unlock) };
  } catch (error) {
    await unlock();
    throw error;
  }
}
