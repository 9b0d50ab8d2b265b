// LogServices, under Systems or Managers by vendor: the SEL, and the BMC's own log beside it.

import type { LogEntry } from './board.ts';
import { done } from './done.ts';
import { notFound } from './messages.ts';
import { type Call, type Json, orNotFound, type Route } from './route.ts';
import { collection, link, redfishTime, typed } from './schemas.ts';
import type { Unit } from './service.ts';
import type { LogPlace } from './vendors.ts';

const RECORDS_MAX = 1024;

interface Log {
  place: LogPlace;
  isSel: boolean;
  path: string;
  /** In the order in which the vendor lists them. */
  entries: readonly LogEntry[];
  clear(): void;
}

export const logRoutes: readonly Route[] = (['Systems', 'Managers'] as const).flatMap((under) => {
  const services = `/redfish/v1/${under}/{unit}/LogServices`;
  return [
    { path: services, isCollection: true, read: (call) => listLogs(call, under) },
    { path: `${services}/{log}`, read: (call) => logResource(call, logOf(call, under)) },
    {
      path: `${services}/{log}/Entries`,
      isCollection: true,
      read: (call) => entriesResource(call, logOf(call, under)),
    },
    { path: `${services}/{log}/Entries/{entry}`, read: (call) => oneEntry(call, logOf(call, under)) },
    {
      path: `${services}/{log}/Actions/LogService.ClearLog`,
      post: {
        needs: ['ConfigureManager', 'ConfigureComponents'],
        do: (call) => {
          logOf(call, under).clear();
          return done(call);
        },
      },
    },
  ] satisfies Route[];
});

function unitOf(call: Call, under: LogPlace['under']): Unit {
  const { units } = call.service;
  const id = call.params.unit;
  return orNotFound(
    units.find(({ system, manager }) => (under === 'Systems' ? system : manager) === id),
    call,
  );
}

function logsOf(call: Call, under: LogPlace['under']): Log[] {
  const { sel, bmcLog } = call.service.vendor;
  const unit = unitOf(call, under);
  const folder = `/redfish/v1/${under}/${call.params.unit}/LogServices`;
  const { board } = unit;
  const logs: Log[] = [
    {
      place: bmcLog,
      isSel: false,
      path: `${folder}/${bmcLog.id}`,
      entries: unit.bmcLog,
      clear: () => {
        unit.bmcLog.length = 0;
      },
    },
    {
      place: sel,
      isSel: true,
      path: `${folder}/${sel.id}`,
      entries: sel.newestFirst ? board.eventLog().toReversed() : board.eventLog(),
      clear: () => board.clearLog(),
    },
  ];
  return logs.filter(({ place }) => place.under === under);
}

function listLogs(call: Call, under: LogPlace['under']): Json {
  const logs = logsOf(call, under);
  const path = `/redfish/v1/${under}/${call.params.unit}/LogServices`;
  if (logs.length === 0) throw notFound(path);
  return collection(
    'LogServiceCollection',
    path,
    'Log Service Collection',
    logs.map(({ place }) => place.id),
  );
}

function logOf(call: Call, under: LogPlace['under']): Log {
  return orNotFound(
    logsOf(call, under).find(({ place }) => place.id === call.params.log),
    call,
  );
}

function logResource({ service }: Call, { place, path, isSel }: Log): Json {
  return {
    ...typed('LogService', path, place.id, place.name),
    ServiceEnabled: true,
    Status: { State: 'Enabled', Health: 'OK' },
    LogEntryType: isSel ? ENTRY_TYPE_OF_SERVICE[service.vendor.sel.entryType] : 'Multiple',
    MaxNumberOfRecords: RECORDS_MAX,
    OverWritePolicy: 'WrapsWhenFull',
    DateTime: redfishTime(service.clock.now()),
    DateTimeLocalOffset: '+00:00',
    Entries: link(`${path}/Entries`),
    Actions: { '#LogService.ClearLog': { target: `${path}/Actions/LogService.ClearLog` } },
  };
}

/** A LogService has no `Oem`: those say `Multiple`. */
const ENTRY_TYPE_OF_SERVICE = { SEL: 'SEL', Event: 'Event', Oem: 'Multiple' } as const;

function entriesResource(call: Call, log: Log): Json {
  const path = `${log.path}/Entries`;
  return {
    ...collection('LogEntryCollection', path, 'Log Entry Collection', []),
    Members: log.entries.map((entry) => entryResource(call, log, entry)),
    'Members@odata.count': log.entries.length,
  };
}

function oneEntry(call: Call, log: Log): Json {
  const entry = log.entries.find(({ id }) => id === call.params.entry);
  return entryResource(call, log, orNotFound(entry, call));
}

function entryResource({ service }: Call, { path, isSel }: Log, entry: LogEntry): Json {
  const { entryType, oemRecordFormat } = service.vendor.sel;
  const type = isSel ? entryType : 'Event';
  return {
    ...typed('LogEntry', `${path}/Entries/${entry.id}`, entry.id, 'Log Entry'),
    EntryType: type,
    ...(type === 'Oem' && oemRecordFormat ? { OemRecordFormat: oemRecordFormat } : {}),
    Created: redfishTime(entry.created_ms),
    Severity: entry.severity,
    Message: entry.message,
    ...(type === 'SEL'
      ? {
          // IPMI's view of it, which only the type SEL has
          ...(entry.sensorType ? { SensorType: entry.sensorType } : {}),
          ...(entry.sensorNumber === undefined ? {} : { SensorNumber: entry.sensorNumber }),
          EntryCode: entry.entryCode ?? 'Assert',
        }
      : {}),
  };
}
