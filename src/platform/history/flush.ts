import type { Kysely } from 'kysely';
import type { Buffer } from './buffer.ts';
import type { Lane } from './lane.ts';
import { decisionRow, incidentRow, operationRow } from './rows.ts';
import type { Tables } from './schema.ts';
import { isRefusedForGood, writeDecisions, writeIncidents, writeOperations } from './write.ts';

/** Rows of one insert: 2,600 parameters of the 65,535 that the protocol takes. */
export const BATCH_ROWS_MAX = 200;

/** Writes all that waits. Throws when the database does not take it now; nothing is lost then. */
export async function writeAll(
  db: Kysely<Tables>,
  writer: number,
  buffer: Buffer,
  onRefused: (key: string, error: unknown) => void,
): Promise<void> {
  const refused = (key: string, error: unknown) => {
    buffer.refused++;
    onRefused(key, error);
  };
  const decision = { row: decisionRow.bind(undefined, writer), write: writeDecisions.bind(undefined, db) };
  const incident = {
    row: (_: string, item: Parameters<typeof incidentRow>[0]) => incidentRow(item),
    write: writeIncidents.bind(undefined, db),
  };
  const operation = {
    row: (_: string, item: Parameters<typeof operationRow>[0]) => operationRow(item),
    write: writeOperations.bind(undefined, db),
  };
  await drain(buffer.decisions, decision, refused);
  await drain(buffer.incidents, incident, refused);
  await drain(buffer.operations, operation, refused);
}

interface Target<K, T, Row> {
  row(key: K, item: T): Row;
  write(rows: Row[]): Promise<void>;
}

/** Only what waits at the start: whoever writes without a pause must not keep the other tables waiting. */
async function drain<K, T, Row>(
  lane: Lane<K, T>,
  target: Target<K, T, Row>,
  refused: (key: string, error: unknown) => void,
): Promise<void> {
  for (let left = lane.size; left > 0; left -= BATCH_ROWS_MAX) {
    const batch = lane.next(Math.min(left, BATCH_ROWS_MAX));
    const rows: Row[] = [];
    for (const [key, item] of batch) {
      try {
        rows.push(target.row(key, item));
      } catch (error) {
        refused(String(key), error);
      }
    }
    await writeRows(rows, target.write, refused);
    lane.done(batch);
  }
}

/** One row that the database will never take must not hold up the rest: halves find it. */
async function writeRows<Row>(
  rows: Row[],
  write: (rows: Row[]) => Promise<void>,
  refused: (key: string, error: unknown) => void,
): Promise<void> {
  if (rows.length === 0) return;
  try {
    await write(rows);
  } catch (error) {
    if (!isRefusedForGood(error)) throw error;
    if (rows.length === 1) return refused(JSON.stringify(rows[0]).slice(0, 200), error);
    const middle = rows.length >> 1;
    await writeRows(rows.slice(0, middle), write, refused);
    await writeRows(rows.slice(middle), write, refused);
  }
}
