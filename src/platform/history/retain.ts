import { type Kysely, sql } from 'kysely';
import type { Tables } from './schema.ts';

/** Rows of one delete: a transaction of some 100 ms, that holds up nobody. */
const DELETE_ROWS_MAX = 2_000;
/** Deletes of one table in one call. What is left goes the next time. */
const DELETES_MAX = 500;

export interface Retained {
  decisions: number;
  incidents: number;
  operations: number;
}

/**
 * Deletes decisions made, and records ended, before `before`; and records that never ended but have not
 * been heard of since then: somebody deleted the object. Should it live after all, its next write brings
 * it back.
 */
export async function deleteBefore(db: Kysely<Tables>, before: Date): Promise<Retained> {
  return {
    decisions: await repeat(async () => {
      const old = sql`select writer, number from decisions where at < ${before} limit ${DELETE_ROWS_MAX}`;
      return (await sql`delete from decisions where (writer, number) in (${old})`.execute(db))
        .numAffectedRows;
    }),
    incidents: await deleteEnded(db, 'incidents', before),
    operations: await deleteEnded(db, 'operations', before),
  };
}

function deleteEnded(db: Kysely<Tables>, name: 'incidents' | 'operations', before: Date): Promise<number> {
  const table = sql.table(name);
  return repeat(async () => {
    const isOld = sql`ended_at < ${before} or (ended_at is null and seen_at < ${before})`;
    const old = sql`select uid from ${table} where ${isOld} limit ${DELETE_ROWS_MAX}`;
    return (await sql`delete from ${table} where uid in (${old})`.execute(db)).numAffectedRows;
  });
}

async function repeat(deleteSome: () => Promise<bigint | undefined>): Promise<number> {
  let total = 0;
  for (let round = 0; round < DELETES_MAX; round++) {
    const deleted = Number((await deleteSome()) ?? 0);
    total += deleted;
    if (deleted < DELETE_ROWS_MAX) break;
  }
  return total;
}
