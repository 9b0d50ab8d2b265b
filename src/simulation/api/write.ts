// Creating and changing objects: what clients may set, what the server sets, and who then owns it.

import { apiVersionOf } from '../../platform/kube/objects.ts';
import { foldStringData } from './builtin-kinds.ts';
import type { ApiCore } from './core.ts';
import { crdStatus, kindOfCrd, withCrdDefaults } from './crd.ts';
import { isObject, type JsonObject, objectAt, same, stringAt, without, withoutNulls } from './json.ts';
import { checkMetadata, checkName } from './names.ts';
import { noteUpdate, type Owner, withOwners } from './ownership.ts';
import type { Kind, Stored, StoredMeta } from './registry.ts';
import { pruned, validate, withDefaults } from './schema.ts';
import {
  ApiError,
  alreadyExists,
  badRequest,
  type Cause,
  CHANGED_MEANWHILE,
  conflict,
  invalid,
  notFound,
} from './status.ts';
import type { Collection, Entry } from './store.ts';

const GENERATED_SUFFIX_LENGTH = 5;
const GENERATED_BASE_LENGTH_MAX = 58;

export interface WriteOptions {
  manager: string;
  dryRun: boolean;
  fieldValidation: string;
  /** Filled with what the client should hear of though the write went through. */
  warnings: string[];
  /** Set by an apply: the owners that result. */
  owners?: readonly Owner[];
}

export function uuid(core: ApiCore): string {
  const hex = () =>
    Math.floor(core.clock.random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  const digits = hex() + hex() + hex() + hex();
  const variant = '89ab'[Math.floor(core.clock.random() * 4)];
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20)}`;
}

export function create(
  core: ApiCore,
  kind: Kind,
  namespace: string | undefined,
  body: unknown,
  options: WriteOptions,
): Stored {
  let object = checkedBody(kind, namespace, body);
  const given = withoutEmpty(objectAt(object, 'metadata'));
  const name = nameOf(core, given);
  const causes =
    name === ''
      ? [
          {
            reason: 'FieldValueRequired',
            message: 'Required value: name or generateName is required',
            field: 'metadata.name',
          },
        ]
      : checkName(name, kind.nameRule);
  if (causes.length > 0) throw invalid(kind, name, [...causes, ...checkMetadata(given, undefined)]);
  if (namespace !== undefined) core.checkNamespace(namespace, kind, name);
  if (given.resourceVersion)
    throw new ApiError(500, 'InternalError', 'resourceVersion should not be set on objects to be created');
  const collection = core.store.collection(kind);
  if (collection.find(namespace ?? '', name)) throw alreadyExists(kind, name);

  const time = core.time();
  const {
    selfLink: _l,
    managedFields: _m,
    deletionTimestamp: _d,
    deletionGracePeriodSeconds: _g,
    generation: _n,
    ...kept
  } = given;
  const metadata = {
    ...kept,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid: uuid(core),
    creationTimestamp: time,
    resourceVersion: '',
    ...(kind.generation ? { generation: 1 } : {}),
  } as unknown as StoredMeta;
  object = { ...object, metadata };
  if (kind.schema && kind.status) object = withoutKey(object, 'status');
  object = prepared(kind, object, options);
  check(kind, object, undefined);
  let stored = finished(kind, object as Stored);
  if (kind.kind === 'CustomResourceDefinition') stored = admitCrd(core, stored, undefined, options);
  if (options.dryRun) return stamped(stored, String(core.store.rv));
  stored = stamped(stored, core.store.nextVersion());
  if (options.owners) stored = withOwners(stored, options.owners);
  const write = { manager: options.manager, subresource: '', time, before: undefined, after: stored };
  core.store.insert(collection, stored, options.owners ? [] : [write]);
  return stored;
}

function nameOf(core: ApiCore, metadata: JsonObject): string {
  const name = stringAt(metadata, 'name');
  if (name) return name;
  const base = stringAt(metadata, 'generateName');
  return base ? base.slice(0, GENERATED_BASE_LENGTH_MAX) + core.clock.id(GENERATED_SUFFIX_LENGTH) : '';
}

/** The body as an object of this kind, in this namespace. */
export function checkedBody(kind: Kind, namespace: string | undefined, body: unknown): JsonObject {
  if (!isObject(body)) throw badRequest('the body of the request is not an object');
  const apiVersion = apiVersionOf(kind);
  const [bodyVersion, bodyKind] = [
    stringAt(body, 'apiVersion') ?? apiVersion,
    stringAt(body, 'kind') ?? kind.kind,
  ];
  if (bodyVersion !== apiVersion || bodyKind !== kind.kind) {
    throw badRequest(
      `${bodyKind} in version "${bodyVersion}" cannot be handled as a ${kind.kind}: does not match the expected ${apiVersion} ${kind.kind}`,
    );
  }
  const given = stringAt(body.metadata, 'namespace');
  if (given && namespace !== undefined && given !== namespace) {
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`);
  }
  if (body.apiVersion === apiVersion && body.kind === kind.kind && isObject(body.metadata)) return body;
  return { ...body, apiVersion, kind: kind.kind, metadata: objectAt(body, 'metadata') };
}

const withoutKey = (object: JsonObject, key: string): JsonObject => {
  if (!(key in object)) return object;
  const { [key]: _, ...rest } = object;
  return rest;
};

/** Cut to the schema and filled with defaults. */
function prepared(kind: Kind, object: JsonObject, options: WriteOptions, old?: Stored): JsonObject {
  if (!kind.schema) {
    const clean = withoutNulls(object, old);
    if (kind.kind === 'CustomResourceDefinition') return withCrdDefaults(clean);
    if (!old) return kind.prepare ? kind.prepare(clean) : clean;
    return kind.kind === 'Secret' ? foldStringData(clean) : clean;
  }
  const unknown: string[] = [];
  const cut = pruned(object, kind.schema.root, unknown) as JsonObject;
  if (unknown.length > 0) tellUnknown(unknown, options);
  return withDefaults(cut, kind.schema.root) as JsonObject;
}

function tellUnknown(fields: readonly string[], options: WriteOptions): void {
  const words = fields.map((field) => `unknown field "${field}"`);
  if (options.fieldValidation === 'Strict') throw badRequest(`strict decoding error: ${words.join(', ')}`);
  if (options.fieldValidation !== 'Ignore') options.warnings.push(...words);
}

function check(kind: Kind, object: JsonObject, old: Stored | undefined): void {
  const metadata = objectAt(object, 'metadata');
  const causes: Cause[] = metadata === old?.metadata ? [] : checkMetadata(metadata, old?.metadata);
  if (kind.schema) causes.push(...validate(object, old, kind.schema));
  else if (kind.validate) causes.push(...kind.validate(object, old));
  if (causes.length > 0) throw invalid(kind, String(metadata.name), causes);
}

/** apiVersion, kind and metadata first, as people read it. */
function finished(kind: Kind, object: Stored): Stored {
  const [first, second, third] = Object.keys(object);
  if (first === 'apiVersion' && second === 'kind' && third === 'metadata') return object;
  const { apiVersion: _a, kind: _k, metadata, ...rest } = object;
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, ...rest };
}

const stamped = (object: Stored, resourceVersion: string): Stored => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
});

function admitCrd(core: ApiCore, crd: Stored, old: Stored | undefined, options: WriteOptions): Stored {
  const found = kindOfCrd(crd);
  if ('causes' in found) {
    throw invalid(
      { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition', plural: '' },
      crd.metadata.name,
      found.causes,
    );
  }
  if (!options.dryRun) core.serveKind(found.kind);
  return { ...crd, status: crdStatus(crd, old, core.time()) };
}

export interface Change {
  collection: Collection;
  entry: Entry;
  subresource: string;
  /** The wanted object, whole. */
  body: JsonObject;
}

/** Update: also the second half of every patch and apply. */
export function replace(core: ApiCore, change: Change, options: WriteOptions): Stored {
  const { collection, entry, subresource } = change;
  const { kind } = collection;
  const old = entry.object;
  checkPreconditions(kind, old, objectAt(change.body, 'metadata'));
  let object = inherited(kind, old, change.body, subresource);
  object = prepared(kind, object, options, old);
  if (kind.kind === 'CustomResourceDefinition')
    object = { ...object, status: crdStatus(object, old, core.time()) };
  check(kind, object, old);
  let stored = object as Stored;
  if (kind.kind === 'CustomResourceDefinition' && subresource === '' && !same(stored.spec, old.spec))
    stored = admitCrd(core, stored, old, options);
  if (kind.generation && specChanged(old, stored)) {
    stored = { ...stored, metadata: { ...stored.metadata, generation: (old.metadata.generation ?? 0) + 1 } };
  }
  const owned = options.owners ? withOwners(stored, options.owners) : stored;
  const ownersChanged =
    options.owners !== undefined && !same(owned.metadata.managedFields, old.metadata.managedFields);
  if (!ownersChanged && same(withoutManaged(stored), withoutManaged(old))) {
    if (same(stored.metadata.managedFields, old.metadata.managedFields)) return old;
  }
  if (options.dryRun) return owned;
  return commit(core, change, owned, options);
}

function commit(core: ApiCore, change: Change, object: Stored, options: WriteOptions): Stored {
  const { collection, entry, subresource } = change;
  const { kind } = collection;
  const old = entry.object;
  let stored = stamped(finished(kind, object), core.store.nextVersion());
  if (options.owners) entry.pending = [];
  else if (same(stored.metadata.managedFields, old.metadata.managedFields)) {
    const time = core.time();
    stored = noteUpdate(
      entry,
      stored,
      { manager: options.manager, subresource, time, before: old, after: stored },
      kind,
    );
  }
  if (isReleased(stored)) core.store.remove(collection, entry, stored);
  else core.store.replace(collection, entry, stored);
  return stored;
}

/** Marked as deleted, and the last finalizer is gone. */
const isReleased = ({ metadata }: Stored): boolean =>
  metadata.deletionTimestamp !== undefined &&
  (metadata.finalizers?.length ?? 0) === 0 &&
  (metadata.deletionGracePeriodSeconds ?? 0) === 0;

function checkPreconditions(kind: Kind, old: Stored, given: JsonObject): void {
  const { name } = old.metadata;
  if (given.name !== undefined && given.name !== name) {
    throw badRequest(
      `the name of the object (${String(given.name)}) does not match the name on the URL (${name})`,
    );
  }
  if (given.uid && given.uid !== old.metadata.uid) {
    throw conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${String(given.uid)}, UID in object meta: ${old.metadata.uid}`,
    );
  }
  if (!given.resourceVersion) {
    if (kind.unconditionalUpdate) return;
    const message = 'Invalid value: 0: must be specified for an update';
    throw invalid(kind, name, [{ reason: 'FieldValueInvalid', message, field: 'metadata.resourceVersion' }]);
  }
  if (given.resourceVersion !== old.metadata.resourceVersion) throw conflict(kind, name, CHANGED_MEANWHILE);
}

/** What the client may not change comes from the old object. */
function inherited(kind: Kind, old: Stored, body: JsonObject, subresource: string): JsonObject {
  if (subresource === 'status') {
    const base = withoutKey(old, 'status');
    // Custom resources take nothing but the status here; built-in kinds also labels and annotations.
    const metadata = kind.schema ? old.metadata : keptMetadata(old, objectAt(body, 'metadata'));
    return { ...base, metadata, ...(body.status === undefined ? {} : { status: body.status }) };
  }
  const metadata = keptMetadata(old, objectAt(body, 'metadata'));
  // A binding sets both spec and status.
  if (!kind.status || subresource === 'binding') return { ...body, metadata };
  const rest = withoutKey(body, 'status');
  return { ...rest, metadata, ...(old.status === undefined ? {} : { status: old.status }) };
}

const SERVER_META = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'namespace',
  'name',
  'resourceVersion',
] as const;

const DROPPED_WHEN_EMPTY = ['labels', 'annotations', 'finalizers', 'ownerReferences'];

function withoutEmpty(metadata: JsonObject): JsonObject {
  const empty = DROPPED_WHEN_EMPTY.filter((key) => {
    const value = metadata[key];
    return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  });
  return empty.length === 0 ? metadata : without(metadata, ...empty);
}

function keptMetadata(old: Stored, given: JsonObject): StoredMeta {
  // A client that changed only the rest hands back what it was given.
  if (given === old.metadata) return old.metadata;
  const metadata: Record<string, unknown> = { ...withoutEmpty(given) };
  for (const key of SERVER_META) {
    if (old.metadata[key] === undefined) delete metadata[key];
    else metadata[key] = old.metadata[key];
  }
  delete metadata.selfLink;
  const fields = metadata.managedFields;
  if (!Array.isArray(fields)) {
    if (old.metadata.managedFields === undefined) delete metadata.managedFields;
    else metadata.managedFields = old.metadata.managedFields;
  }
  return metadata as unknown as StoredMeta;
}

function withoutManaged(object: Stored): Stored {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata: metadata as StoredMeta };
}

/** Anything but metadata and status. */
function specChanged(old: Stored, now: Stored): boolean {
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
    if (key === 'metadata' || key === 'status' || key === 'apiVersion' || key === 'kind') continue;
    if (!same(old[key], now[key])) return true;
  }
  return false;
}

export function found(collection: Collection, namespace: string | undefined, name: string): Entry {
  const entry = collection.find(namespace ?? '', name);
  if (!entry) throw notFound(collection.kind, name);
  return entry;
}
