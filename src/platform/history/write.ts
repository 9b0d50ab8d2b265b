import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { DecisionRow, IncidentRow, OperationRow, Tables } from './schema.ts';

/** Number for a process's decisions, unlike any other's. */
export async function newWriter(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ writer: string }>`select nextval('history_writers') as writer`.execute(db);
  return Number(rows[0]?.writer);
}

/** A batch whose answer was lost is sent again: what is there already stays. */
export async function writeDecisions(db: Kysely<Tables>, rows: DecisionRow[]): Promise<void> {
  await db
    .insertInto('decisions')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['writer', 'number']).doNothing())
    .execute();
}

export async function writeIncidents(db: Kysely<Tables>, rows: IncidentRow[]): Promise<void> {
  await db
    .insertInto('incidents')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('uid').doUpdateSet(excluded(rows[0])).where(isNewer('incidents')),
    )
    .execute();
}

export async function writeOperations(db: Kysely<Tables>, rows: OperationRow[]): Promise<void> {
  await db
    .insertInto('operations')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('uid').doUpdateSet(excluded(rows[0])).where(isNewer('operations')),
    )
    .execute();
}

function excluded(row: object | undefined): Record<string, RawBuilder<unknown>> {
  const columns = Object.keys(row ?? {}).filter((column) => column !== 'uid');
  const updates = columns.map((column) => [column, sql.ref(`excluded.${column}`)] as const);
  return { ...Object.fromEntries(updates), seen_at: sql`now()` };
}

/** `isNewer` of kube/cache.ts in SQL: digits are compared, since they may pass 2^63. */
function isNewer(table: 'incidents' | 'operations') {
  const [there, here] = [sql.ref(`${table}.version`), sql.ref('excluded.version')];
  return sql<boolean>`(length(${here}), ${here}) > (length(${there}), ${there})`;
}

/** What the database says of data that it will never take: class 22 and 23 (data), 54 (its own limits). */
export function isRefusedForGood(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && /^(22|23|54)[0-9A-Z]{3}$/.test(code);
}

/** The server has answered: the connection is sound. */
export function isAnswer(error: unknown): boolean {
  return (error as { severity?: unknown }).severity !== undefined;
}

export function isTableMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === '42P01';
}
