// Which version of which schema each resource is written to, and what resources share.

import type { Json } from './route.ts';

/** DSP8010. Old enough for the packs in use, new enough for what we say. */
export const SCHEMAS = {
  AccountService: 'v1_10_0',
  ActionInfo: 'v1_2_0',
  Chassis: 'v1_15_0',
  ComputerSystem: 'v1_16_0',
  Event: 'v1_7_0',
  EventDestination: 'v1_11_0',
  EventService: 'v1_7_0',
  LogEntry: 'v1_9_0',
  LogService: 'v1_2_0',
  Manager: 'v1_11_0',
  ManagerAccount: 'v1_8_0',
  ManagerNetworkProtocol: 'v1_8_0',
  Message: 'v1_1_1',
  Power: 'v1_6_0',
  Role: 'v1_3_0',
  Sensor: 'v1_5_0',
  ServiceRoot: 'v1_17_0',
  Session: 'v1_3_0',
  SessionService: 'v1_1_8',
  SoftwareInventory: 'v1_4_0',
  Task: 'v1_5_0',
  TaskService: 'v1_2_0',
  Thermal: 'v1_6_0',
  UpdateService: 'v1_9_0',
} as const;
export type Schema = keyof typeof SCHEMAS;

export const COLLECTIONS = [
  'ChassisCollection',
  'ComputerSystemCollection',
  'EventDestinationCollection',
  'LogEntryCollection',
  'LogServiceCollection',
  'ManagerAccountCollection',
  'ManagerCollection',
  'RoleCollection',
  'SensorCollection',
  'SessionCollection',
  'SoftwareInventoryCollection',
  'TaskCollection',
] as const;
export type Collection = (typeof COLLECTIONS)[number];

export const SCHEMA_SITE = 'http://redfish.dmtf.org/schemas/v1';

/** What every resource begins with. */
export function typed(schema: Schema, path: string, id: string, name: string): Json {
  return { '@odata.id': path, '@odata.type': `#${schema}.${SCHEMAS[schema]}.${schema}`, Id: id, Name: name };
}

/** A collection of links to `path/id`. */
export function collection(schema: Collection, path: string, name: string, ids: readonly string[]): Json {
  return {
    '@odata.id': path,
    '@odata.type': `#${schema}.${schema}`,
    Name: name,
    Members: ids.map((id) => link(`${path}/${id}`)),
    'Members@odata.count': ids.length,
  };
}

export function link(path: string): { '@odata.id': string } {
  return { '@odata.id': path };
}

/** Of the header `Link`, from a resource's type. */
export function describedBy(type: unknown): string | undefined {
  const match = typeof type === 'string' ? /^#(\w+)(\.v\w+)?\.\w+$/.exec(type) : null;
  return match ? `<${SCHEMA_SITE}/${match[1]}${match[2] ?? ''}.json>; rel=describedby` : undefined;
}

/** RFC 3339 with whole seconds, as BMCs write time. */
export function redfishTime(at_ms: number): string {
  return `${new Date(at_ms).toISOString().slice(0, 19)}+00:00`;
}
