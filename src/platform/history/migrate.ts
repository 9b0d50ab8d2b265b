import { type Kysely, sql } from 'kysely';
import { MIGRATIONS, type Migration } from './migrations/index.ts';
import type { Tables } from './schema.ts';

/** `Drover` in ASCII: whoever else uses the database locks other numbers. */
const LOCK_ID = 0x44726f766572;

/**
 * Brings the schema up to date and returns what was new. All or nothing, and one at a time: a second
 * replica waits for the lock and then finds nothing left to do. Migrations that we do not know were made
 * by a newer replica, and only add.
 */
export function migrate(
  db: Kysely<Tables>,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<string[]> {
  return db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK_ID)})`.execute(transaction);
    await sql`create table if not exists history_migrations (
      name text primary key,
      at timestamptz not null default now()
    )`.execute(transaction);
    const rows = await transaction.selectFrom('history_migrations').select('name').execute();
    const done = new Set(rows.map((row) => row.name));
    const missing = migrations.filter((migration) => !done.has(migration.name));
    for (const { name, statements } of missing) {
      for (const statement of statements) await sql.raw(statement).execute(transaction);
      await transaction.insertInto('history_migrations').values({ name }).execute();
    }
    return missing.map((migration) => migration.name);
  });
}
