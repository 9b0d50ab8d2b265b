import type { Kysely } from 'kysely';
import type { Incident } from '../../api/incident.ts';
import type { NodeOperation } from '../../api/node-operation.ts';
import {
  type Decision,
  type DecisionQuery,
  type IncidentQuery,
  type OperationQuery,
  READ_ROWS_MAX,
} from './history.ts';
import type { Tables } from './schema.ts';

export async function readDecisions(db: Kysely<Tables>, query: DecisionQuery): Promise<Decision[]> {
  const { machine, subject, cluster, since, limit } = query;
  const rows = await db
    .selectFrom('decisions')
    // By name: a newer replica may have added columns.
    .select([
      'at',
      'actor',
      'kind',
      'cluster',
      'machine',
      'subject',
      'reason',
      'message',
      'evidence',
      'until',
    ])
    .$if(machine !== undefined, (select) => select.where('machine', '=', machine as string))
    .$if(subject !== undefined, (select) => select.where('subject', '=', subject as string))
    .$if(cluster !== undefined, (select) => select.where('cluster', '=', cluster as string))
    .$if(since !== undefined, (select) => select.where('at', '>=', new Date(since as number)))
    .orderBy('at', 'desc')
    .orderBy('writer', 'desc')
    .orderBy('number', 'desc')
    .limit(rowsOf(limit))
    .execute();
  return rows.map(({ at, kind, evidence, until, ...rest }) => ({
    ...rest,
    at: at.getTime(),
    kind: kind as Decision['kind'],
    ...(evidence && { evidence }),
    ...(until && { until: until.toISOString() }),
  }));
}

export async function readIncidents(db: Kysely<Tables>, query: IncidentQuery): Promise<Incident[]> {
  const { machine, cluster, cause, open, since, limit } = query;
  const rows = await db
    .selectFrom('incidents')
    .select('object')
    .$if(machine !== undefined, (select) => select.where('machine', '=', machine as string))
    .$if(cluster !== undefined, (select) => select.where('cluster', '=', cluster as string))
    .$if(cause !== undefined, (select) => select.where('cause', '=', cause as string))
    .$if(open !== undefined, (select) => select.where('ended_at', open ? 'is' : 'is not', null))
    .$if(since !== undefined, (select) => select.where('created_at', '>=', new Date(since as number)))
    .orderBy('created_at', 'desc')
    .orderBy('uid')
    .limit(rowsOf(limit))
    .execute();
  return rows.map((row) => row.object);
}

export async function readOperations(db: Kysely<Tables>, query: OperationQuery): Promise<NodeOperation[]> {
  const { machine, cluster, type, state, askedBy, open, since, limit } = query;
  const rows = await db
    .selectFrom('operations')
    .select('object')
    .$if(machine !== undefined, (select) => select.where('machine', '=', machine as string))
    .$if(cluster !== undefined, (select) => select.where('cluster', '=', cluster as string))
    .$if(type !== undefined, (select) => select.where('type', '=', type as string))
    .$if(state !== undefined, (select) => select.where('state', '=', state as string))
    .$if(askedBy !== undefined, (select) => select.where('asked_by_name', '=', askedBy as string))
    .$if(open !== undefined, (select) => select.where('ended_at', open ? 'is' : 'is not', null))
    .$if(since !== undefined, (select) => select.where('created_at', '>=', new Date(since as number)))
    .orderBy('created_at', 'desc')
    .orderBy('uid')
    .limit(rowsOf(limit))
    .execute();
  return rows.map((row) => row.object);
}

function rowsOf(limit: number): number {
  if (!Number.isInteger(limit) || limit < 1)
    throw new Error(`limit ${limit}: give a whole number from 1 to ${READ_ROWS_MAX}`);
  return Math.min(limit, READ_ROWS_MAX);
}
