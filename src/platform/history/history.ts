import type { Reason } from '../../api/fields.ts';
import type { Incident } from '../../api/incident.ts';
import type { NodeOperation } from '../../api/node-operation.ts';

/** One act, refusal or finding, with everything that it rests on. */
export interface Decision extends Reason {
  /** Epoch milliseconds. */
  at: number;
  /** Which controller decided: `healing`, `gate`, `operations`, `fleet`. */
  actor: string;
  kind: 'Act' | 'Refusal' | 'Note';
  cluster: string;
  machine: string;
  /** Name of the incident or operation that it is about. */
  subject: string;
}

/**
 * Where what has happened is kept. Writing never waits, fails or grows: losing history must lose no
 * control. Reading is for people.
 */
export interface History {
  decision(decision: Decision): void;
  /** The newest state of an incident or operation replaces what was there. */
  incident(incident: Incident): void;
  operation(operation: NodeOperation): void;
}

/** For runs that need none. */
export const noHistory: History = { decision() {}, incident() {}, operation() {} };

/** Rows of one answer at most, whatever was asked for. */
export const READ_ROWS_MAX = 1000;

export interface DecisionQuery {
  machine?: string;
  /** Name of an incident or operation. */
  subject?: string;
  cluster?: string;
  /** Epoch milliseconds: not older than this. */
  since?: number;
  limit: number;
}

export interface IncidentQuery {
  machine?: string;
  cluster?: string;
  cause?: string;
  /** True: not ended; false: ended. */
  open?: boolean;
  /** Epoch milliseconds: created not earlier than this. */
  since?: number;
  limit: number;
}

export interface OperationQuery {
  machine?: string;
  cluster?: string;
  type?: string;
  state?: string;
  /** Name of the incident, rollout, machine or person that asked for it. */
  askedBy?: string;
  open?: boolean;
  since?: number;
  limit: number;
}

/** Answers are newest first. They throw when the database does not answer. */
export interface HistoryReader {
  decisions(query: DecisionQuery): Promise<Decision[]>;
  incidents(query: IncidentQuery): Promise<Incident[]>;
  operations(query: OperationQuery): Promise<NodeOperation[]>;
}

export interface HistoryStatus {
  /** `PostgreSQL`, `PGlite in memory`, `PGlite in /var/lib/drover`. */
  store: string;
  /** The last try to write succeeded, or nothing has been tried since the store was opened. */
  reachable: boolean;
  /** Epoch milliseconds since which `reachable` has been so. */
  since: number;
  /** What went wrong last, while it is not reachable. */
  message: string;
  /** Entries that wait to be written. */
  pending: number;
  /** Entries that were given up since the start: the buffer was full, or the database refused them. */
  dropped: number;
}
