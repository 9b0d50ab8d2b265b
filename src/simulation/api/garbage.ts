// What goes when its owner, its namespace or its definition has gone.

import { CRDS, NAMESPACES } from '../../platform/kube/objects.ts';
import type { ApiCore } from './core.ts';
import { kindOfCrd } from './crd.ts';
import { deleteOptionsOf, drop, remove } from './delete.ts';
import type { Change } from './history.ts';
import { listAt, stringAt } from './json.ts';
import type { Stored } from './registry.ts';
import type { Collection, Entry } from './store.ts';

/** Between looks at a namespace whose content waits for finalizers or kubelets. */
const NAMESPACE_RETRY_MS = 1000;

export function collectGarbage(core: ApiCore): void {
  core.store.onChange((change, collection) => {
    if (change.type === 'DELETED') onDeleted(core, change, collection);
    else if (change.type === 'ADDED') {
      if (change.object.metadata.ownerReferences)
        core.clock.timer(0, () => collectIfOrphan(core, collection, change.object));
    } else if (collection.kind.plural === NAMESPACES.plural && isTerminating(change.object)) {
      core.clock.timer(0, () => emptyNamespace(core, collection, change.object.metadata.name));
    }
  });
}

function onDeleted(core: ApiCore, { object }: Change, collection: Collection): void {
  const { uid } = object.metadata;
  if (core.store.hasDependents(uid)) {
    core.clock.timer(0, () => {
      for (const dependent of core.store.dependentsOf(uid)) {
        collectIfOrphan(core, dependent.collection, dependent.entry.object);
      }
    });
  }
  if (collection.kind.plural === CRDS.plural && collection.kind.group === CRDS.group) retire(core, object);
}

const isTerminating = (namespace: Stored) => stringAt(namespace.status, 'phase') === 'Terminating';

/** Deletes an object when none of its owners is left. */
function collectIfOrphan(core: ApiCore, collection: Collection, object: Stored): void {
  const { namespace = '', name, uid } = object.metadata;
  const entry = collection.find(namespace, name);
  if (!entry || entry.object.metadata.uid !== uid) return;
  const owners = listAt(entry.object.metadata, 'ownerReferences');
  if (owners.length === 0 || owners.some((owner) => ownerExists(core, owner, namespace))) return;
  remove(core, collection, entry, deleteOptionsOf({}, undefined));
}

function ownerExists(core: ApiCore, owner: unknown, namespace: string): boolean {
  const kind = core.registry.findKind(stringAt(owner, 'apiVersion') ?? '', stringAt(owner, 'kind') ?? '');
  // The real collector waits as well when it does not know the kind.
  if (!kind) return true;
  const found = core.store
    .collection(kind)
    .find(kind.namespaced ? namespace : '', stringAt(owner, 'name') ?? '');
  return found?.object.metadata.uid === stringAt(owner, 'uid');
}

function emptyNamespace(core: ApiCore, namespaces: Collection, name: string): void {
  const entry = namespaces.find('', name);
  if (!entry || !isTerminating(entry.object)) return;
  let left = 0;
  for (const collection of core.store.collections()) {
    if (!collection.kind.namespaced) continue;
    for (const object of [...collection.inOrder(name)]) {
      const found = collection.find(name, object.metadata.name) as Entry;
      if (!remove(core, collection, found, deleteOptionsOf({}, undefined)).gone) left++;
    }
  }
  const held = (entry.object.metadata.finalizers?.length ?? 0) > 0;
  if (left === 0 && !held) drop(core, namespaces, entry);
  else core.clock.timer(NAMESPACE_RETRY_MS, () => emptyNamespace(core, namespaces, name));
}

/** The kind of a deleted CRD goes with all its objects; their watches end. */
function retire(core: ApiCore, crd: Stored): void {
  const found = kindOfCrd(crd);
  if ('causes' in found) return;
  const known = core.registry.find(found.kind.group, found.kind.version, found.kind.plural);
  if (!known) return;
  const collection = core.store.collection(known);
  for (const object of [...collection.inOrder()]) {
    const { namespace = '', name } = object.metadata;
    drop(core, collection, collection.find(namespace, name) as Entry);
  }
  for (const watcher of [...collection.watchers]) watcher.end();
  core.registry.remove(known);
  core.store.drop(known);
}
