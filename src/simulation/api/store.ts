// Objects by kind, namespace and name; one counter of versions for all of them; and their history.

import { type Change, History } from './history.ts';
import { isObject, listAt, stringAt } from './json.ts';
import type { PendingWrite } from './ownership.ts';
import type { Kind, Stored } from './registry.ts';
import type { Watcher } from './watch.ts';

/** An object's place; `object` is swapped on each write. */
export interface Entry {
  object: Stored;
  /** Updates whose field ownership has not been worked out: see ownership.ts. */
  pending: PendingWrite[];
}

export interface Bucket {
  readonly entries: Map<string, Entry>;
  /** Names in order, worked out again after a name came or went. */
  sorted: string[] | undefined;
}

export class Collection {
  readonly kind: Kind;
  readonly buckets = new Map<string, Bucket>();
  readonly history: History;
  readonly watchers = new Set<Watcher>();

  constructor(kind: Kind, historySize: number) {
    this.kind = kind;
    this.history = new History(historySize);
  }

  find(namespace: string, name: string): Entry | undefined {
    return this.buckets.get(namespace)?.entries.get(name);
  }

  /** In order of namespace and name, as etcd has them. */
  *inOrder(namespace?: string): Generator<Stored> {
    const namespaces = namespace === undefined ? [...this.buckets.keys()].sort() : [namespace];
    for (const each of namespaces) {
      const bucket = this.buckets.get(each);
      if (!bucket) continue;
      bucket.sorted ??= [...bucket.entries.keys()].sort();
      for (const name of bucket.sorted) {
        const entry = bucket.entries.get(name);
        if (entry) yield entry.object;
      }
    }
  }

  get size(): number {
    let count = 0;
    for (const bucket of this.buckets.values()) count += bucket.entries.size;
    return count;
  }
}

export type Listener = (change: Change, collection: Collection) => void;

export class Store {
  readonly #historySize: number;
  readonly #collections = new Map<string, Collection>();
  readonly #dependents = new Map<string, Set<string>>();
  readonly #listeners: Listener[] = [];
  /** The version of the last write. */
  rv = 1;

  constructor(historySize: number) {
    this.#historySize = historySize;
  }

  /** Called after each change, before the writer has its answer. */
  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  collection(kind: Kind): Collection {
    const key = `${kind.group}/${kind.plural}`;
    const known = this.#collections.get(key);
    if (known?.kind === kind) return known;
    const collection = known ? Object.assign(known, { kind }) : new Collection(kind, this.#historySize);
    this.#collections.set(key, collection);
    return collection;
  }

  collections(): Iterable<Collection> {
    return this.#collections.values();
  }

  drop(kind: Kind): void {
    this.#collections.delete(`${kind.group}/${kind.plural}`);
  }

  nextVersion(): string {
    return String(++this.rv);
  }

  insert(collection: Collection, object: Stored, pending: PendingWrite[]): void {
    const namespace = object.metadata.namespace ?? '';
    let bucket = collection.buckets.get(namespace);
    if (!bucket) {
      bucket = { entries: new Map(), sorted: undefined };
      collection.buckets.set(namespace, bucket);
    }
    bucket.entries.set(object.metadata.name, { object, pending });
    bucket.sorted = undefined;
    this.#own(undefined, object);
    this.#tell(collection, { rv: this.rv, type: 'ADDED', object, previous: undefined });
  }

  replace(collection: Collection, entry: Entry, object: Stored): void {
    const previous = entry.object;
    entry.object = object;
    if (previous.metadata.ownerReferences !== object.metadata.ownerReferences) this.#own(previous, object);
    this.#tell(collection, { rv: this.rv, type: 'MODIFIED', object, previous });
  }

  /** @param last the final state, stamped with the version of the deletion. */
  remove(collection: Collection, entry: Entry, last: Stored): void {
    const { namespace = '', name } = last.metadata;
    const bucket = collection.buckets.get(namespace);
    if (!bucket?.entries.delete(name)) return;
    bucket.sorted = undefined;
    if (bucket.entries.size === 0) collection.buckets.delete(namespace);
    this.#own(entry.object, undefined);
    this.#tell(collection, { rv: this.rv, type: 'DELETED', object: last, previous: entry.object });
  }

  /** Whether anything names this uid as its owner: asked on each deletion, so it must be cheap. */
  hasDependents(uid: string): boolean {
    return this.#dependents.has(uid);
  }

  dependentsOf(uid: string): { collection: Collection; entry: Entry }[] {
    const found: { collection: Collection; entry: Entry }[] = [];
    for (const key of this.#dependents.get(uid) ?? []) {
      const [group = '', plural = '', namespace = '', name = ''] = key.split('|');
      const collection = this.#collections.get(`${group}/${plural}`);
      const entry = collection?.find(namespace, name);
      if (collection && entry) found.push({ collection, entry });
    }
    return found;
  }

  #own(before: Stored | undefined, after: Stored | undefined): void {
    const object = after ?? before;
    if (!object) return;
    const { namespace = '', name } = object.metadata;
    const slash = object.apiVersion.indexOf('/');
    const group = slash < 0 ? '' : object.apiVersion.slice(0, slash);
    const key = () => `${group}|${this.#pluralOf(object)}|${namespace}|${name}`;
    for (const uid of ownerUids(before)) {
      const set = this.#dependents.get(uid);
      set?.delete(key());
      if (set?.size === 0) this.#dependents.delete(uid);
    }
    for (const uid of ownerUids(after)) {
      const set = this.#dependents.get(uid) ?? new Set();
      set.add(key());
      this.#dependents.set(uid, set);
    }
  }

  #pluralOf(object: Stored): string {
    for (const { kind } of this.#collections.values()) {
      if (kind.kind !== object.kind) continue;
      if ((kind.group ? `${kind.group}/${kind.version}` : kind.version) === object.apiVersion)
        return kind.plural;
    }
    return '';
  }

  #tell(collection: Collection, change: Change): void {
    collection.history.push(change);
    if (collection.watchers.size > 0) {
      const shared = { type: change.type, object: change.object };
      for (const watcher of collection.watchers) watcher.offer(change, shared);
    }
    for (const listener of this.#listeners) listener(change, collection);
  }
}

function ownerUids(object: Stored | undefined): string[] {
  if (!object?.metadata.ownerReferences) return [];
  return listAt(object.metadata, 'ownerReferences').flatMap((owner) =>
    isObject(owner) ? (stringAt(owner, 'uid') ?? []) : [],
  );
}
