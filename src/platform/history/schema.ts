import type { ColumnType, Insertable } from 'kysely';
import type { Incident } from '../../api/incident.ts';
import type { NodeOperation } from '../../api/node-operation.ts';
import type { CrashRecord } from './crash-record.ts';

type Time = ColumnType<Date, Date, Date>;
type TimeOrNull = ColumnType<Date | null, Date | null, Date | null>;
/** Goes in as JSON text, comes out parsed. */
type Json<T> = ColumnType<T, string, string>;
type ByDefault<T> = ColumnType<T, never, T>;

export interface DecisionTable {
  /** With `number`: which entry of which process, so that a batch sent twice is stored once. */
  writer: ColumnType<string, number, never>;
  number: ColumnType<string, number, never>;
  at: Time;
  actor: string;
  kind: string;
  cluster: string;
  machine: string;
  subject: string;
  reason: string;
  message: string;
  evidence: ColumnType<Record<string, string> | null, string | null, never>;
  until: TimeOrNull;
}

export interface IncidentTable {
  uid: string;
  /** resourceVersion of the object, digits: an older one never replaces a newer. */
  version: string;
  name: string;
  cluster: string;
  machine: string;
  node: string;
  cause: string | null;
  domain: string | null;
  stage: string | null;
  created_at: Time;
  first_symptom_at: TimeOrNull;
  detected_at: TimeOrNull;
  located_at: TimeOrNull;
  healed_at: TimeOrNull;
  escalated_at: TimeOrNull;
  ended_at: TimeOrNull;
  /** When it was last written here, by the database's clock. */
  seen_at: ByDefault<Date>;
  object: Json<Incident>;
}

export interface OperationTable {
  uid: string;
  version: string;
  name: string;
  cluster: string;
  machine: string;
  node: string;
  type: string;
  asked_by_kind: string;
  asked_by_name: string;
  state: string | null;
  created_at: Time;
  admitted_at: TimeOrNull;
  ended_at: TimeOrNull;
  seen_at: ByDefault<Date>;
  boot_id_before: string | null;
  boot_id_after: string | null;
  object: Json<NodeOperation>;
}

export interface CrashTable {
  id: string;
  cluster: string;
  machine: string;
  happened_at: Time;
  seen_at: Time;
  signature: string;
  title: string;
  cause: string;
  attributes: Json<Record<string, string>>;
  object: Json<CrashRecord>;
}

export interface CrashOrderTable {
  number: ByDefault<string>;
  at: Time;
  who: string;
  order_given: Json<unknown>;
}

export interface FleetDayTable {
  /** `2026-11-25`. */
  day: ColumnType<Date, string, never>;
  /** Attributes that all of these machines have. */
  kind: Json<Record<string, string>>;
  machines: number;
}

export interface Tables {
  fleet_days: FleetDayTable;
  crashes: CrashTable;
  crash_orders: CrashOrderTable;
  decisions: DecisionTable;
  incidents: IncidentTable;
  operations: OperationTable;
  history_migrations: { name: string; at: ByDefault<Date> };
}

export type DecisionRow = Insertable<DecisionTable>;
export type IncidentRow = Insertable<IncidentTable>;
export type OperationRow = Insertable<OperationTable>;
