import type { Clock } from '../clock/clock.ts';
import type { KubeClient, Place } from './client.ts';
import { messageOf } from './errors.ts';
import type { KubeObject, Resource } from './objects.ts';
import { type Listing, reflect } from './reflector.ts';

/** Items that could not be read are kept up to this many, to be reported; more are left out. */
export const REJECTED_MAX = 1000;

export interface Change<T> {
  key: string;
  before: T | undefined;
  after: T | undefined;
}

/** An object which `project` refused: it is reported in its own condition, and stops nothing else. */
export interface Rejected {
  object: KubeObject;
  message: string;
}

export interface CacheOptions<T> {
  client: KubeClient;
  resource: Resource;
  place?: Place;
  /** Keeps only what its readers use: 50,000 whole nodes are 857 MB, the fields in use 32 MB. Throws on what it can't read. */
  project: (object: KubeObject) => T;
  /** Names of groups an item belongs to, by index. */
  indexes?: Readonly<Record<string, (item: T) => readonly string[]>>;
}

interface Entry<T> {
  item: T;
  resourceVersion: string;
}

/** An object as read: its projection, or what is wrong with it. */
type Read<T> = Entry<T> | { rejected: Rejected; resourceVersion: string };

/**
 * A projected copy of one collection, kept by a watch. It says how old it is: data is only as good as
 * the last sign that the stream still lives (an event, a bookmark, a list).
 */
export class KubeCache<T> {
  readonly resource: Resource;
  readonly rejected = new Map<string, Rejected>();
  readonly #clock: Clock;
  readonly #options: CacheOptions<T>;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #indexes = new Map<string, Map<string, Set<string>>>();
  readonly #listeners = new Set<(change: Change<T>) => void>();
  #aliveAt = Number.NEGATIVE_INFINITY;
  /** The newest version of which the stream has told us. */
  #told = '0';
  #synced = false;
  #events = 0;
  #relists = 0;

  constructor(options: CacheOptions<T>) {
    this.resource = options.resource;
    this.#options = options;
    this.#clock = options.client.clock;
    for (const name of Object.keys(options.indexes ?? {})) this.#indexes.set(name, new Map());
  }

  /** Fills and follows until `signal` is aborted. Never throws: trouble shows as age. */
  run(signal: AbortSignal): Promise<void> {
    return reflect(
      {
        client: this.#options.client,
        resource: this.resource,
        place: this.#options.place ?? {},
        alive: () => {
          this.#aliveAt = this.#clock.now();
        },
        list: () => this.#list(),
        changed: (object, gone) => this.#changed(object, gone),
      },
      signal,
    );
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.item;
  }

  *values(): IterableIterator<T> {
    for (const entry of this.#entries.values()) yield entry.item;
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Items that the index `name` puts under `value`. */
  by(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`cache of ${this.resource.plural} has no index "${name}"`);
    const found: T[] = [];
    for (const key of index.get(value) ?? []) found.push((this.#entries.get(key) as Entry<T>).item);
    return found;
  }

  /** The first full list has arrived. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Milliseconds since the last sign of life; Infinity before the first list. */
  age_ms(): number {
    return this.#synced ? this.#clock.now() - this.#aliveAt : Number.POSITIVE_INFINITY;
  }

  stats(): { size: number; age_ms: number; events: number; relists: number; rejected: number } {
    return {
      size: this.size,
      age_ms: this.age_ms(),
      events: this.#events,
      relists: this.#relists,
      rejected: this.rejected.size,
    };
  }

  /** Calls `listener` on each change from now on; returns how to stop. */
  subscribe(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes the answer to a write of ours at once, so that the next decision sees what the last one did. */
  observe(object: KubeObject): void {
    // An answer that comes after the stream has passed it is old news: its object may be deleted by now, and
    // no event would ever take it away again.
    if (isNewer(versionOf(object), this.#told)) this.#put(keyOf(object), this.#read(object));
  }

  #changed(object: KubeObject, gone: boolean): void {
    this.#events++;
    this.#told = versionOf(object);
    if (!gone) this.#put(keyOf(object), this.#read(object));
    else if (!this.#hasNewer(keyOf(object), this.#told)) this.#remove(keyOf(object));
  }

  /** Projected at once: 50,000 whole objects, even for the time of a list, are 700 MB. */
  #list(): Listing {
    const all = new Map<string, Read<T>>();
    return {
      add: (object) => all.set(keyOf(object), this.#read(object)),
      remove: (object) => all.delete(keyOf(object)),
      done: (resourceVersion) => this.#replaceAll(all, resourceVersion),
    };
  }

  #replaceAll(all: ReadonlyMap<string, Read<T>>, resourceVersion: string): void {
    this.#relists++;
    // Versions that go back mean an etcd restored from a backup: ours of the lost time count for nothing.
    if (isNewer(this.#told, resourceVersion)) {
      for (const entry of this.#entries.values()) entry.resourceVersion = '0';
      this.rejected.clear();
    }
    this.#told = resourceVersion;
    for (const key of [...this.#entries.keys(), ...this.rejected.keys()])
      if (!all.has(key) && !this.#hasNewer(key, resourceVersion)) this.#remove(key);
    for (const [key, read] of all) this.#put(key, read);
    this.#synced = true;
  }

  /** A write of ours may have been observed before the stream brought what preceded it. */
  #hasNewer(key: string, resourceVersion: string): boolean {
    const known = this.#entries.get(key)?.resourceVersion ?? versionOf(this.rejected.get(key)?.object);
    return isNewer(known, resourceVersion);
  }

  #read(object: KubeObject): Read<T> {
    const resourceVersion = versionOf(object);
    // What a list brings is mostly known already.
    const present = this.#entries.get(keyOf(object));
    if (present?.resourceVersion === resourceVersion) return { ...present };
    try {
      return { item: this.#options.project(object), resourceVersion };
    } catch (error) {
      return { rejected: { object, message: messageOf(error) }, resourceVersion };
    }
  }

  #put(key: string, read: Read<T>): void {
    const present = this.#entries.get(key);
    if (present?.resourceVersion === read.resourceVersion || this.#hasNewer(key, read.resourceVersion))
      return;
    if ('rejected' in read) {
      this.#remove(key);
      if (this.rejected.size < REJECTED_MAX) this.rejected.set(key, read.rejected);
      return;
    }
    this.rejected.delete(key);
    if (present) this.#unindex(key, present.item);
    this.#entries.set(key, read);
    this.#index(key, read.item);
    this.#tell({ key, before: present?.item, after: read.item });
  }

  #remove(key: string): void {
    this.rejected.delete(key);
    const present = this.#entries.get(key);
    if (!present) return;
    this.#unindex(key, present.item);
    this.#entries.delete(key);
    this.#tell({ key, before: present.item, after: undefined });
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) listener(change);
  }

  #index(key: string, item: T): void {
    for (const [name, index] of this.#indexes) {
      for (const value of this.#options.indexes?.[name]?.(item) ?? []) {
        const keys = index.get(value);
        if (keys) keys.add(key);
        else index.set(value, new Set([key]));
      }
    }
  }

  #unindex(key: string, item: T): void {
    for (const [name, index] of this.#indexes) {
      for (const value of this.#options.indexes?.[name]?.(item) ?? []) {
        const keys = index.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index.delete(value);
      }
    }
  }
}

function versionOf(object: KubeObject | undefined): string {
  return object?.metadata.resourceVersion ?? '0';
}

/** `name`, or `namespace/name`. */
export function keyOf(object: { metadata: { name: string; namespace?: string } }): string {
  const { name, namespace } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/**
 * Resource versions are decimal numbers that may be compared (KEP-5504); longer than 2^53 is possible,
 * so digits are compared, not numbers.
 */
export function isNewer(version: string, than: string): boolean {
  return version.length !== than.length ? version.length > than.length : version > than;
}
