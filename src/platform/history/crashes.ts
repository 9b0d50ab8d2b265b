// Crash records in SQL, in the database of the history.
import { type Expression, type Kysely, type SqlBool, sql } from 'kysely';
import type { CrashQuery, CrashRecord } from './crash-record.ts';
import { openDatabase, type Place } from './database.ts';
import { migrate } from './migrate.ts';
import type { Tables } from './schema.ts';

/** Rows of one answer at most. A year of 50,000 machines at 0.2 ‰ a day has 3,650. */
export const CRASHES_READ_MAX = 1_000_000;

export interface SignatureCount {
  signature: string;
  title: string;
  count: number;
  machines: number;
  firstAt: string;
  lastAt: string;
}

/** So many machines with these attributes on one day. */
export interface FleetDay {
  /** `2026-11-25`, UTC. */
  day: string;
  attributes: Record<string, string>;
  machines: number;
}

/** Rows that one statement takes. */
const FLEET_ROWS_MAX = 1000;

/** What a person said of signatures, and when. The order itself is the crash room's business. */
export interface CrashOrder {
  number: number;
  at: string;
  who: string;
  order: unknown;
}

export class CrashStore implements AsyncDisposable {
  readonly #db: Kysely<Tables>;
  readonly #close: () => Promise<void>;

  /** On a database that is open and up to date, and is closed by others. */
  constructor(db: Kysely<Tables>, close: () => Promise<void> = async () => {}) {
    this.#db = db;
    this.#close = close;
  }

  /** Opens the database and brings its tables up to date. Throws when it does not answer. */
  static async open(place: Place): Promise<CrashStore> {
    const database = await openDatabase(place);
    try {
      await migrate(database.kysely);
      return new CrashStore(database.kysely, () => database.close());
    } catch (error) {
      await database.close().catch(() => undefined);
      throw error;
    }
  }

  /** A record that is there already is replaced by what is known now; says whether it is new. */
  async put(record: CrashRecord): Promise<'new' | 'changed'> {
    const known = await this.#db
      .selectFrom('crashes')
      .select('id')
      .where('id', '=', record.id)
      .executeTakeFirst();
    const row = {
      id: record.id,
      cluster: record.cluster,
      machine: record.machine,
      happened_at: new Date(record.happenedAt),
      seen_at: new Date(record.seenAt),
      signature: record.signature,
      title: record.title,
      cause: record.cause,
      attributes: JSON.stringify(record.attributes),
      object: JSON.stringify(record),
    };
    await this.#db
      .insertInto('crashes')
      .values(row)
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
    return known ? 'changed' : 'new';
  }

  async get(id: string): Promise<CrashRecord | undefined> {
    const row = await this.#db.selectFrom('crashes').select('object').where('id', '=', id).executeTakeFirst();
    return row?.object;
  }

  /** Newest first. */
  async list(query: CrashQuery): Promise<CrashRecord[]> {
    const rows = await this.#db
      .selectFrom('crashes')
      .select('object')
      .where(({ and }) => and(conditionsOf(query)))
      .orderBy('happened_at', 'desc')
      .orderBy('id')
      .limit(Math.min(query.limit, CRASHES_READ_MAX))
      .execute();
    return rows.map(({ object }) => object);
  }

  /** The most frequent first. */
  async signatures(query: CrashQuery): Promise<SignatureCount[]> {
    const rows = await this.#db
      .selectFrom('crashes')
      .select(({ fn }) => [
        'signature',
        fn.max('title').as('title'),
        fn.countAll<string>().as('count'),
        fn.count<string>('machine').distinct().as('machines'),
        fn.min('happened_at').as('first'),
        fn.max('happened_at').as('last'),
      ])
      .where(({ and }) => and(conditionsOf(query)))
      .groupBy('signature')
      .orderBy('count', 'desc')
      .orderBy('signature')
      .limit(Math.min(query.limit, CRASHES_READ_MAX))
      .execute();
    return rows.map(({ signature, title, count, machines, first, last }) => ({
      signature,
      title: String(title),
      count: Number(count),
      machines: Number(machines),
      firstAt: new Date(first as unknown as string).toISOString(),
      lastAt: new Date(last as unknown as string).toISOString(),
    }));
  }

  /** Deletes records of crashes before `before`, and says which evidence nobody needs any more. */
  async deleteBefore(before: Date): Promise<{ records: number; blobs: string[] }> {
    const rows = await this.#db
      .deleteFrom('crashes')
      .where('happened_at', '<', before)
      .returning('object')
      .execute();
    await sql`delete from fleet_days where day < ${before.toISOString()}::date`.execute(this.#db);
    const gone = rows.flatMap(({ object }) => object.evidence.flatMap(({ blob }) => blob ?? []));
    const kept = new Set<string>();
    for (const blob of new Set(gone)) {
      const probe = JSON.stringify({ evidence: [{ blob }] });
      const other = await this.#db
        .selectFrom('crashes')
        .select('id')
        .where(sql<boolean>`object @> ${probe}::jsonb`)
        .limit(1)
        .executeTakeFirst();
      if (other) kept.add(blob);
    }
    return { records: rows.length, blobs: [...new Set(gone)].filter((blob) => !kept.has(blob)) };
  }

  async hasFleetDay(day: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('fleet_days')
      .select('machines')
      .where(sql<boolean>`day = ${day}::date`)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** The fleet of one day; what was told of that day before is replaced. */
  async putFleetDay(day: string, kinds: readonly Omit<FleetDay, 'day'>[]): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await sql`delete from fleet_days where day = ${day}::date`.execute(transaction);
      for (let at = 0; at < kinds.length; at += FLEET_ROWS_MAX) {
        const rows = kinds
          .slice(at, at + FLEET_ROWS_MAX)
          .map(({ attributes, machines }) => ({ day, kind: JSON.stringify(attributes), machines }));
        await transaction.insertInto('fleet_days').values(rows).execute();
      }
    });
  }

  /** Days from `since` up to and without `until`, oldest first. */
  async fleetDays(since: Date, until: Date): Promise<FleetDay[]> {
    const rows = await this.#db
      .selectFrom('fleet_days')
      .select([sql<string>`to_char(day, 'YYYY-MM-DD')`.as('day'), 'kind', 'machines'])
      .where(sql<boolean>`day >= ${since.toISOString()}::date and day < ${until.toISOString()}::date`)
      .orderBy('day')
      .execute();
    return rows.map(({ day, kind, machines }) => ({ day, attributes: kind, machines }));
  }

  async orders(): Promise<CrashOrder[]> {
    const rows = await this.#db.selectFrom('crash_orders').selectAll().orderBy('number').execute();
    return rows.map(({ number, at, who, order_given }) => ({
      number: Number(number),
      at: at.toISOString(),
      who,
      order: order_given,
    }));
  }

  async addOrder(who: string, at: Date, order: unknown): Promise<void> {
    await this.#db
      .insertInto('crash_orders')
      .values({ at, who, order_given: JSON.stringify(order) })
      .execute();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

function conditionsOf(query: CrashQuery): Expression<SqlBool>[] {
  const { machine, cluster, signature, cause, planned, since, until, where = [] } = query;
  const all: Expression<SqlBool>[] = [];
  if (machine !== undefined) all.push(sql<boolean>`machine = ${machine}`);
  if (cluster !== undefined) all.push(sql<boolean>`cluster = ${cluster}`);
  if (signature !== undefined) all.push(sql<boolean>`signature = ${signature}`);
  if (cause !== undefined) all.push(sql<boolean>`cause = ${cause}`);
  else if (!planned) all.push(sql<boolean>`cause <> 'planned'`);
  if (since !== undefined) all.push(sql<boolean>`happened_at >= ${new Date(since)}`);
  if (until !== undefined) all.push(sql<boolean>`happened_at < ${new Date(until)}`);
  for (const { key, values, not } of where) {
    const isOne = sql<boolean>`coalesce(attributes ->> ${key}, '') in (${sql.join(values.map((value) => sql`${value}`))})`;
    all.push(not ? sql<boolean>`not (${isOne})` : isOne);
  }
  return all;
}
