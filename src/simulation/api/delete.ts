import { SECOND, toTime } from '../../platform/clock/clock.ts';
import type { ApiCore } from './core.ts';
import { isObject, listAt, numberAt, objectAt, stringAt } from './json.ts';
import type { Stored, StoredMeta } from './registry.ts';
import { conflict } from './status.ts';
import type { Collection, Entry } from './store.ts';

const POD_GRACE_SECONDS = 30;

export interface DeleteOptions {
  dryRun: boolean;
  gracePeriodSeconds: number | undefined;
  orphan: boolean;
  uid: string | undefined;
  resourceVersion: string | undefined;
}

/** Options come in the body, in the query, or both. */
export function deleteOptionsOf(query: Readonly<Record<string, string>>, body: unknown): DeleteOptions {
  const preconditions = objectAt(body, 'preconditions');
  const grace = numberAt(body, 'gracePeriodSeconds');
  const inQuery = query.gracePeriodSeconds === undefined ? undefined : Number(query.gracePeriodSeconds);
  const policy = stringAt(body, 'propagationPolicy') ?? query.propagationPolicy;
  return {
    dryRun: query.dryRun === 'All' || listAt(body, 'dryRun').includes('All'),
    gracePeriodSeconds: grace ?? inQuery,
    // Foreground is treated as Background: dependents go at once in either case.
    orphan: policy === 'Orphan' || (isObject(body) && body.orphanDependents === true),
    uid: stringAt(preconditions, 'uid'),
    resourceVersion: stringAt(preconditions, 'resourceVersion'),
  };
}

export interface Deleted {
  object: Stored;
  /** Whether it is gone, or only marked. */
  gone: boolean;
}

export function remove(core: ApiCore, collection: Collection, entry: Entry, options: DeleteOptions): Deleted {
  const old = entry.object;
  checkPreconditions(collection, old, options);
  const grace = graceOf(old, options);
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = old.metadata;
  const waits = grace > 0 || (old.metadata.finalizers?.length ?? 0) > 0 || old.kind === 'Namespace';
  if (options.dryRun) return { object: old, gone: !waits };
  if (options.orphan) orphanDependents(core, old);
  if (!waits) return { object: drop(core, collection, entry), gone: true };
  // A second deletion can only shorten the wait.
  if (deletionTimestamp !== undefined && grace >= deletionGracePeriodSeconds)
    return { object: old, gone: false };
  const metadata = {
    ...old.metadata,
    deletionTimestamp: toTime(core.clock.now() + grace * SECOND),
    deletionGracePeriodSeconds: grace,
    ...(old.metadata.generation ? { generation: old.metadata.generation + 1 } : {}),
    resourceVersion: core.store.nextVersion(),
  } as StoredMeta;
  const status =
    old.kind === 'Namespace' ? { status: { ...objectAt(old, 'status'), phase: 'Terminating' } } : {};
  const object = { ...old, metadata, ...status };
  core.store.replace(collection, entry, object);
  return { object, gone: false };
}

/** Removes it whatever it waits for. */
export function drop(core: ApiCore, collection: Collection, entry: Entry): Stored {
  const metadata = { ...entry.object.metadata, resourceVersion: core.store.nextVersion() };
  const last = { ...entry.object, metadata };
  core.store.remove(collection, entry, last);
  return last;
}

/** Only Pods that a kubelet runs are given time; the kubelet deletes them with 0 when they have ended. */
function graceOf(object: Stored, options: DeleteOptions): number {
  if (object.kind !== 'Pod' || object.apiVersion !== 'v1') return 0;
  const phase = stringAt(object.status, 'phase');
  if (!stringAt(object.spec, 'nodeName') || phase === 'Succeeded' || phase === 'Failed') return 0;
  const own = numberAt(object.spec, 'terminationGracePeriodSeconds') ?? POD_GRACE_SECONDS;
  return Math.max(0, options.gracePeriodSeconds ?? own);
}

function checkPreconditions({ kind }: Collection, { metadata }: Stored, options: DeleteOptions): void {
  const fail = (what: string, wanted: string, is: string) =>
    conflict(
      kind,
      metadata.name,
      `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${is}`,
    );
  if (options.uid && options.uid !== metadata.uid) throw fail('UID', options.uid, metadata.uid);
  if (options.resourceVersion && options.resourceVersion !== metadata.resourceVersion) {
    throw fail('ResourceVersion', options.resourceVersion, metadata.resourceVersion);
  }
}

function orphanDependents(core: ApiCore, owner: Stored): void {
  for (const { collection, entry } of core.store.dependentsOf(owner.metadata.uid)) {
    const { object } = entry;
    const owners = listAt(object.metadata, 'ownerReferences');
    const left = owners.filter((reference) => stringAt(reference, 'uid') !== owner.metadata.uid);
    const metadata = { ...object.metadata, ownerReferences: left, resourceVersion: core.store.nextVersion() };
    core.store.replace(collection, entry, { ...object, metadata });
  }
}
