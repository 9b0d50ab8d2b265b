// The kinds that are served, built-in and from CustomResourceDefinitions.

import type { Resource } from '../../platform/kube/objects.ts';
import type { JsonObject } from './json.ts';
import type { NameRule } from './names.ts';
import type { CompiledSchema } from './schema.ts';
import type { Shape } from './shape.ts';
import type { Cause } from './status.ts';
import type { Column } from './table-columns.ts';

export interface StoredMeta extends JsonObject {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

/** An object as stored and handed out: immutable. */
export interface Stored extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: StoredMeta;
}

export interface Kind extends Resource {
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  /** Has `/status`: the main endpoint leaves status alone, and `/status` all else. */
  status: boolean;
  /** Subresources that only take POST: eviction, binding. */
  actions: readonly string[];
  nameRule: NameRule;
  shape: Shape;
  /** Counts changes of what is neither metadata nor status. */
  generation: boolean;
  createOnUpdate: boolean;
  /** Takes a PUT that names no resourceVersion. */
  unconditionalUpdate: boolean;
  /** Fields that fieldSelector may name, beside metadata.name and metadata.namespace. */
  selectable: Readonly<Record<string, (object: JsonObject) => string>>;
  columns: readonly Column[] | undefined;
  /** Present for custom resources. */
  schema: CompiledSchema | undefined;
  /** Built-in defaults of a new object. */
  prepare?: (object: JsonObject) => JsonObject;
  validate?: (object: JsonObject, old: JsonObject | undefined) => Cause[];
}

const keyOf = (group: string, version: string, plural: string) => `${group}/${version}/${plural}`;

export class Registry {
  readonly #kinds = new Map<string, Kind>();

  add(kind: Kind): void {
    this.#kinds.set(keyOf(kind.group, kind.version, kind.plural), kind);
  }

  remove(kind: Resource): void {
    this.#kinds.delete(keyOf(kind.group, kind.version, kind.plural));
  }

  find(group: string, version: string, plural: string): Kind | undefined {
    return this.#kinds.get(keyOf(group, version, plural));
  }

  findKind(apiVersion: string, kind: string): Kind | undefined {
    const slash = apiVersion.indexOf('/');
    const group = slash < 0 ? '' : apiVersion.slice(0, slash);
    const version = apiVersion.slice(slash + 1);
    for (const known of this.#kinds.values()) {
      if (known.kind === kind && known.group === group && known.version === version) return known;
    }
    return undefined;
  }

  all(): Kind[] {
    return [...this.#kinds.values()];
  }
}
