import { toTime } from '../../platform/clock/clock.ts';
import type { ApiCore } from './core.ts';
import { isObject, type JsonObject, objectAt, withoutNulls } from './json.ts';
import { settledOwners } from './ownership.ts';
import { jsonPatch } from './patch-json.ts';
import { mergePatch } from './patch-merge.ts';
import { strategicPatch } from './patch-strategic.ts';
import type { Kind, Stored } from './registry.ts';
import { apply } from './server-side-apply.ts';
import { ApiError, badRequest, invalid, notFound, unsupportedMediaType } from './status.ts';
import { checkedBody, create, replace, type WriteOptions } from './write.ts';

export const JSON_PATCH = 'application/json-patch+json';
export const MERGE_PATCH = 'application/merge-patch+json';
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';

export interface PatchTarget {
  kind: Kind;
  namespace: string | undefined;
  name: string;
  subresource: string;
}

export interface Patched {
  object: Stored;
  created: boolean;
}

export function patch(
  core: ApiCore,
  target: PatchTarget,
  contentType: string,
  body: unknown,
  query: Readonly<Record<string, string>>,
  options: WriteOptions,
): Patched {
  if (contentType === APPLY_PATCH) return applyPatch(core, target, body, query, options);
  const { kind, namespace, name, subresource } = target;
  const collection = core.store.collection(kind);
  const entry = collection.find(namespace ?? '', name);
  if (!entry) throw notFound(kind, name);
  const changed = patched(entry.object, contentType, body, kind);
  if (!isObject(changed)) throw badRequest('the patched object is no object');
  const object = replace(
    core,
    { collection, entry, subresource, body: withLiveVersion(changed, entry.object) },
    options,
  );
  return { object, created: false };
}

function patched(live: Stored, contentType: string, body: unknown, kind: Kind): unknown {
  switch (contentType) {
    case MERGE_PATCH:
      return mergePatch(live, body);
    case JSON_PATCH:
      return kind.schema ? jsonPatch(live, body) : withoutNulls(jsonPatch(live, body));
    case STRATEGIC_PATCH:
      if (kind.schema) throw unsupportedMediaType(contentType, [JSON_PATCH, MERGE_PATCH, APPLY_PATCH]);
      return strategicPatch(live, body, kind.shape);
    default:
      throw unsupportedMediaType(contentType, [
        JSON_PATCH,
        MERGE_PATCH,
        ...(kind.schema ? [] : [STRATEGIC_PATCH]),
        APPLY_PATCH,
      ]);
  }
}

/** A patch needs no resourceVersion; one that a patch names stays and is a precondition. */
function withLiveVersion(object: JsonObject, live: Stored): JsonObject {
  const metadata = objectAt(object, 'metadata');
  if (metadata.resourceVersion) return object;
  return { ...object, metadata: { ...metadata, resourceVersion: live.metadata.resourceVersion } };
}

function applyPatch(
  core: ApiCore,
  target: PatchTarget,
  body: unknown,
  query: Readonly<Record<string, string>>,
  options: WriteOptions,
): Patched {
  const { kind, namespace, name, subresource } = target;
  const manager = query.fieldManager;
  if (!manager) {
    const of = { group: 'meta.k8s.io', kind: 'PatchOptions', plural: '' };
    const message = 'Required value: is required for apply patch';
    throw invalid(of, '', [{ reason: 'FieldValueRequired', message, field: 'fieldManager' }]);
  }
  if (!isObject(body) || !body.apiVersion || !body.kind)
    throw badRequest('apply configuration must set apiVersion and kind');
  const given = checkedBody(kind, namespace, body);
  const givenMeta = objectAt(given, 'metadata');
  if (givenMeta.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil');
  if (givenMeta.name !== undefined && givenMeta.name !== name) {
    throw badRequest(
      `the name of the object (${String(givenMeta.name)}) does not match the name on the URL (${name})`,
    );
  }
  const config = { ...withoutNulls(given), metadata: { ...withoutNulls(givenMeta), name } };
  const collection = core.store.collection(kind);
  const entry = collection.find(namespace ?? '', name);
  if (!entry && (subresource !== '' || givenMeta.uid))
    throw subresource ? notFound(kind, name) : gone(kind, name);
  const { object, owners } = apply({
    live: entry?.object,
    owners: entry ? settledOwners(entry, kind) : [],
    config,
    kind,
    subresource,
    manager,
    force: query.force === 'true',
    time: toTime(core.clock.now()),
  });
  const applied = { ...options, manager, owners };
  if (!entry) {
    return { object: create(core, kind, namespace, object, applied), created: true };
  }
  const result = replace(
    core,
    { collection, entry, subresource, body: withLiveVersion(object, entry.object) },
    applied,
  );
  return { object: result, created: false };
}

const gone = (kind: Kind, name: string) =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${kind.plural} "${name}": uid mismatch: the provided object specified a uid, and no existing object was found`,
  );
