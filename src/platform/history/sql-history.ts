// History in SQL. Writing puts into a bounded buffer and returns; a loop of our own carries the buffer to
// the database, and waits out whatever keeps it away.
import type { Incident } from '../../api/incident.ts';
import type { NodeOperation } from '../../api/node-operation.ts';
import { type Clock, MINUTE, SECOND } from '../clock/clock.ts';
import { messageOf } from '../kube/errors.ts';
import type { Log } from '../telemetry/log.ts';
import { Buffer } from './buffer.ts';
import { CrashStore } from './crashes.ts';
import { type Database, describe, openDatabase, type Place } from './database.ts';
import { writeAll } from './flush.ts';
import type {
  Decision,
  DecisionQuery,
  History,
  HistoryReader,
  HistoryStatus,
  IncidentQuery,
  OperationQuery,
} from './history.ts';
import { migrate } from './migrate.ts';
import { readDecisions, readIncidents, readOperations } from './read.ts';
import { deleteBefore, type Retained } from './retain.ts';
import { isAnswer, isTableMissing, newWriter } from './write.ts';

/** What is told is in the database this much later, while all is well. */
const FLUSH_MS = SECOND;
/** Waits after failures, doubled from FLUSH_MS up to this. */
const RETRY_MS_MAX = 30 * SECOND;
const SAY_DROPPED_MS = MINUTE;
/** How long `close` tries to write what waits. */
const CLOSE_MS_MAX = 5 * SECOND;

export interface HistoryOptions extends Place {
  clock: Clock;
  log: Log;
}

/**
 * Opens the history: PostgreSQL when `url` is given, else PGlite in the folder `dir`, else in memory. A
 * database that is away is no error: it is tried again, and `status()` says so.
 */
export async function openHistory(options: HistoryOptions): Promise<SqlHistory> {
  const history = new SqlHistory(options);
  await history.flush().catch(() => undefined);
  history.start();
  return history;
}

interface Opened extends Database {
  writer: number;
}

export class SqlHistory implements History, HistoryReader, AsyncDisposable {
  readonly #options: HistoryOptions;
  readonly #clock: Clock;
  readonly #buffer = new Buffer();
  readonly #stop = new AbortController();
  #database: Promise<Opened> | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #loop: Promise<void> = Promise.resolve();
  #failures = 0;
  #health: Pick<HistoryStatus, 'reachable' | 'since' | 'message'>;
  #dropsSaid = { at: Number.NEGATIVE_INFINITY, count: 0 };

  /** For tests that step by hand; `openHistory` is the way in. */
  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#health = { reachable: true, since: options.clock.now(), message: '' };
  }

  decision(decision: Decision): void {
    this.#buffer.decision(decision);
  }

  incident(incident: Incident): void {
    this.#buffer.incident(incident);
  }

  operation(operation: NodeOperation): void {
    this.#buffer.operation(operation);
  }

  async decisions(query: DecisionQuery): Promise<Decision[]> {
    return readDecisions((await this.#open()).kysely, query);
  }

  async incidents(query: IncidentQuery): Promise<Incident[]> {
    return readIncidents((await this.#open()).kysely, query);
  }

  async operations(query: OperationQuery): Promise<NodeOperation[]> {
    return readOperations((await this.#open()).kysely, query);
  }

  /** The crashes, in the same database. Throws when it does not answer. */
  async crashes(): Promise<CrashStore> {
    return new CrashStore((await this.#open()).kysely);
  }

  /** Deletes what is older than `olderThan_ms`; says how many rows went. */
  async retain(olderThan_ms: number): Promise<Retained> {
    if (!(olderThan_ms > 0))
      throw new Error(`history older than ${olderThan_ms} ms: give a length of time above 0`);
    return deleteBefore((await this.#open()).kysely, new Date(this.#clock.now() - olderThan_ms));
  }

  status(): HistoryStatus {
    const { pending, dropped } = this.#buffer;
    return { store: describe(this.#options), ...this.#health, pending, dropped };
  }

  /** Writes what waits, now. Throws when the database is away. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.catch(() => undefined).then(() => this.#flush());
    return this.#flushing;
  }

  start(): void {
    this.#loop = this.#run(this.#stop.signal);
  }

  /** Writes what waits, for at most 5 s, and lets go of the database. */
  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return this.#loop;
    this.#stop.abort(new Error('history is closed'));
    const late = new AbortController();
    const timeout = this.#clock.sleep(CLOSE_MS_MAX, late.signal).catch(() => undefined);
    const clean = this.flush()
      .catch(() => undefined)
      .then(() => this.#database)
      .then((database) => database?.close())
      .catch(() => undefined);
    await Promise.race([clean, timeout]);
    late.abort();
    this.#reset();
    const { pending } = this.#buffer;
    if (pending > 0)
      this.#options.log.warn('closed before all of the history was written', { lost: pending });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const wait_ms = Math.min(RETRY_MS_MAX, FLUSH_MS * 2 ** this.#failures);
      await this.#clock
        .sleep(wait_ms * (this.#failures > 0 ? 0.75 + this.#clock.random() / 4 : 1), signal)
        .catch(() => undefined);
      if (signal.aborted) return;
      await this.flush().catch(() => undefined);
      this.#sayDropped();
    }
  }

  async #flush(): Promise<void> {
    try {
      const { kysely, writer } = await this.#open();
      await writeAll(kysely, writer, this.#buffer, (key, error) => {
        this.#options.log.warn(`history: the database does not take an entry: ${messageOf(error)}`, { key });
      });
    } catch (error) {
      this.#failed(error);
      throw error;
    }
    this.#failures = 0;
    if (this.#health.reachable) return;
    this.#health = { reachable: true, since: this.#clock.now(), message: '' };
    this.#options.log.info('history is written again', { store: describe(this.#options) });
  }

  #failed(error: unknown): void {
    if (!isAnswer(error)) this.#reset();
    if (isTableMissing(error)) this.#reopen();
    this.#failures++;
    // What PostgreSQL says of a refused connection on several addresses has no message of its own.
    const message = messageOf(error) || String((error as { code?: unknown }).code ?? error);
    const since = this.#health.reachable ? this.#clock.now() : this.#health.since;
    if (this.#health.reachable)
      this.#options.log.warn(`history can't be written, and is kept in memory until it can: ${message}`);
    this.#health = { reachable: false, since, message };
  }

  /** Opened, up to date and ours; opened anew when that failed. */
  #open(): Promise<Opened> {
    this.#database ??= this.#openNow().catch((error: unknown) => {
      this.#database = undefined;
      throw error;
    });
    return this.#database;
  }

  async #openNow(): Promise<Opened> {
    const database = await openDatabase(this.#options);
    try {
      const made = await migrate(database.kysely);
      if (made.length > 0)
        this.#options.log.info('history tables are up to date', { migrations: made.join(' ') });
      return { ...database, writer: await newWriter(database.kysely) };
    } catch (error) {
      database.reset();
      await database.close().catch(() => undefined);
      throw error;
    }
  }

  /** Somebody put an empty database in its place: the tables are made again. */
  #reopen(): void {
    const before = this.#database;
    this.#database = undefined;
    before?.then((database) => database.close()).catch(() => undefined);
  }

  #reset(): void {
    this.#database?.then((database) => database.reset()).catch(() => undefined);
  }

  #sayDropped(): void {
    const { dropped, pending } = this.#buffer;
    if (dropped === this.#dropsSaid.count || this.#clock.now() - this.#dropsSaid.at < SAY_DROPPED_MS) return;
    const lately = dropped - this.#dropsSaid.count;
    this.#dropsSaid = { at: this.#clock.now(), count: dropped };
    this.#options.log.warn('history entries were given up', { lately, dropped, pending });
  }
}
