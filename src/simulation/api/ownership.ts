// Who owns which field: `metadata.managedFields`.
//
// Working out the fields of each write would be the dearest part of a heartbeat (300 µs for a node with
// 50 images). So an Update is only remembered (who, before, after: three references), and consecutive
// writes of one manager are one. An apply works all of them out and stores the result; so do more than
// PENDING_MAX writers in turn. Until then the managedFields that clients see lag behind plain writes:
// an object that nobody applied shows none. Conflicts are always right.

import { apiVersionOf } from '../../platform/kube/objects.ts';
import { compare, difference, type FieldSet, intersect, isEmpty, paths, strip, union } from './field-set.ts';
import { type JsonObject, objectAt, stringAt } from './json.ts';
import type { Kind, Stored } from './registry.ts';
import type { Entry } from './store.ts';

/** More than this many remembered writes of different managers are worked out into fields. */
const PENDING_MAX = 6;

/** Fields that the server itself keeps: nobody owns them. */
const SERVER_FIELDS: readonly (readonly string[])[] = [
  ['apiVersion'],
  ['kind'],
  ...[
    'name',
    'namespace',
    'generateName',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'resourceVersion',
    'selfLink',
    'managedFields',
  ].map((field) => ['metadata', field]),
];

export interface Owner {
  manager: string;
  operation: 'Apply' | 'Update';
  subresource: string;
  apiVersion: string;
  time: string;
  fields: FieldSet;
}

export interface PendingWrite {
  manager: string;
  subresource: string;
  time: string;
  /** undefined: the write that created it. */
  before: Stored | undefined;
  after: Stored;
}

export const withoutServerFields = (set: FieldSet): FieldSet => strip(set, ...SERVER_FIELDS);

export function ownersOf(object: Stored): Owner[] {
  const entries = object.metadata.managedFields;
  if (!Array.isArray(entries)) return [];
  return entries.map((entry: unknown) => ({
    manager: stringAt(entry, 'manager') ?? '',
    operation: stringAt(entry, 'operation') === 'Apply' ? 'Apply' : 'Update',
    subresource: stringAt(entry, 'subresource') ?? '',
    apiVersion: stringAt(entry, 'apiVersion') ?? '',
    time: stringAt(entry, 'time') ?? '',
    fields: objectAt(entry, 'fieldsV1') as FieldSet,
  }));
}

export function toManagedFields(owners: readonly Owner[]): JsonObject[] {
  return owners
    .filter((owner) => !isEmpty(owner.fields))
    .sort((a, b) =>
      a.operation === b.operation ? compareText(a.time, b.time) : a.operation === 'Apply' ? -1 : 1,
    )
    .map((owner) => ({
      manager: owner.manager,
      operation: owner.operation,
      apiVersion: owner.apiVersion,
      ...(owner.time ? { time: owner.time } : {}),
      fieldsType: 'FieldsV1',
      fieldsV1: owner.fields,
      ...(owner.subresource ? { subresource: owner.subresource } : {}),
    }));
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Gives the changed fields to the updater, and takes them (and what is gone) from all others. */
function afterUpdate(owners: readonly Owner[], write: PendingWrite, kind: Kind): Owner[] {
  const before: JsonObject | undefined = write.before;
  const changes = compare(before ?? {}, write.after, kind.shape);
  const set = withoutServerFields(changes.set);
  const gone = withoutServerFields(changes.removed);
  if (isEmpty(set) && isEmpty(gone)) return [...owners];
  let mine: Owner | undefined;
  const result: Owner[] = [];
  for (const owner of owners) {
    const own =
      owner.operation === 'Update' &&
      owner.manager === write.manager &&
      owner.subresource === write.subresource;
    let fields = difference(owner.fields, gone);
    if (own) {
      const merged = isEmpty(difference(set, fields)) ? fields : isEmpty(fields) ? set : union(fields, set);
      mine = { ...owner, fields: merged, time: merged === owner.fields ? owner.time : write.time };
      result.push(mine);
      continue;
    }
    fields = difference(fields, set);
    result.push(fields === owner.fields ? owner : { ...owner, fields });
  }
  if (!mine && !isEmpty(set)) {
    const { manager, subresource, time } = write;
    result.push({
      manager,
      operation: 'Update',
      subresource,
      apiVersion: apiVersionOf(kind),
      time,
      fields: set,
    });
  }
  return result;
}

/** The owners of an object's fields, with all remembered writes worked out. */
export function settledOwners(entry: Entry, kind: Kind): Owner[] {
  let owners = ownersOf(entry.object);
  for (const write of entry.pending) owners = afterUpdate(owners, write, kind);
  return owners;
}

/**
 * What a write that is no apply does to ownership. Returns the object to store: the same, or with
 * managedFields brought up to date.
 */
export function noteUpdate(entry: Entry, object: Stored, write: PendingWrite, kind: Kind): Stored {
  remember(entry, write);
  if (entry.pending.length <= PENDING_MAX) return object;
  const owners = settledOwners(entry, kind);
  entry.pending = [];
  return withOwners(object, owners);
}

function remember(entry: Entry, write: PendingWrite): void {
  const last = entry.pending.at(-1);
  const sameWriter = last && last.manager === write.manager && last.subresource === write.subresource;
  if (!sameWriter) entry.pending.push(write);
  else {
    last.after = write.after;
    last.time = write.time;
  }
}

export function withOwners(object: Stored, owners: readonly Owner[]): Stored {
  const { managedFields: _, ...metadata } = object.metadata;
  const list = toManagedFields(owners);
  const kept = list.length > 0 ? { ...metadata, managedFields: list } : metadata;
  return { ...object, metadata: kept } as Stored;
}

export interface FieldConflict {
  owner: Owner;
  path: string;
}

/** Fields of `wanted` that others own. */
export function conflictsWith(owners: readonly Owner[], wanted: FieldSet): FieldConflict[] {
  return owners.flatMap((owner) => {
    const shared = intersect(owner.fields, wanted);
    return isEmpty(shared) ? [] : paths(shared).map((path) => ({ owner, path }));
  });
}
