// Server-side apply: merges an applied configuration into the live object, field by field, by owner.

import { apiVersionOf } from '../../platform/kube/objects.ts';
import {
  compare,
  difference,
  type FieldSet,
  fieldsOf,
  intersect,
  isEmpty,
  itemElement,
  NONE,
  strip,
  unionAll,
} from './field-set.ts';
import { isObject, type JsonObject } from './json.ts';
import { conflictsWith, type FieldConflict, type Owner, withoutServerFields } from './ownership.ts';
import type { Kind } from './registry.ts';
import { fieldShape, itemShape, type Shape } from './shape.ts';
import { ApiError } from './status.ts';

export interface Applied {
  /** The merged object, before defaults and validation. */
  object: JsonObject;
  owners: Owner[];
}

export function apply(options: {
  live: JsonObject | undefined;
  owners: readonly Owner[];
  config: JsonObject;
  kind: Kind;
  subresource: string;
  manager: string;
  force: boolean;
  time: string;
}): Applied {
  const { live = {}, owners, config, kind, subresource, manager } = options;
  const wanted = fieldsOfConfig(config, kind, subresource);
  const isMine = (owner: Owner) =>
    owner.operation === 'Apply' && owner.manager === manager && owner.subresource === subresource;
  const mine = owners.find(isMine);
  const others = owners.filter((owner) => !isMine(owner));

  const merged = merge(live, config, kind.shape) as JsonObject;
  const changed = intersect(compare(live, merged, kind.shape).set, wanted);
  const conflicts = conflictsWith(others, changed);
  if (conflicts.length > 0 && !options.force) throw applyConflict(conflicts);

  const dropped = mine ? difference(mine.fields, wanted) : NONE;
  const ownedByOthers = unionAll([...others.map((owner) => owner.fields), wanted]);
  const object = isEmpty(dropped)
    ? merged
    : (prune(merged, dropped, ownedByOthers, kind.shape) as JsonObject);
  const gone = withoutServerFields(compare(live, object, kind.shape).removed);

  const left = others.map((owner) => ({
    ...owner,
    fields: difference(difference(owner.fields, changed), gone),
  }));
  const apiVersion = apiVersionOf(kind);
  const unchanged = mine !== undefined && sameSet(mine.fields, wanted);
  const time = unchanged ? mine.time : options.time;
  return {
    object,
    owners: [...left, { manager, operation: 'Apply', subresource, apiVersion, time, fields: wanted }],
  };
}

const sameSet = (a: FieldSet, b: FieldSet) => isEmpty(difference(a, b)) && isEmpty(difference(b, a));

/** What an applier may own: on `/status` the status alone, elsewhere all but the status. */
function fieldsOfConfig(config: JsonObject, kind: Kind, subresource: string): FieldSet {
  const all = withoutServerFields(fieldsOf(config, kind.shape, false));
  if (subresource === 'status') return all['f:status'] ? { 'f:status': all['f:status'] } : NONE;
  return kind.status ? strip(all, ['status']) : all;
}

function merge(live: unknown, config: unknown, shape: Shape): unknown {
  if (shape.atomic || live === undefined || live === null) return config;
  if (Array.isArray(config)) return mergeList(Array.isArray(live) ? live : [], config, shape);
  if (!isObject(config) || !isObject(live)) return config;
  let result: Record<string, unknown> | undefined;
  for (const key in config) {
    const value = merge(live[key], config[key], fieldShape(shape, key));
    if (value === live[key]) continue;
    result ??= { ...live };
    result[key] = value;
  }
  return result ?? live;
}

/** Items keep their live order; the applied ones come in the applied order among themselves. */
function mergeList(live: readonly unknown[], config: readonly unknown[], shape: Shape): unknown {
  if (shape.set) return [...live, ...config.filter((item) => !live.includes(item))];
  if (!shape.keys) return config;
  const result = live.slice();
  const places = new Map(live.map((item, index) => [itemElement(item, shape), index]));
  for (const item of config) {
    const place = places.get(itemElement(item, shape));
    if (place === undefined) result.push(item);
    else result[place] = merge(result[place], item, itemShape(shape));
  }
  return result;
}

/** Takes away the fields in `dropped` that nobody in `owned` holds; maps and items left bare go too. */
function prune(value: unknown, dropped: FieldSet, owned: FieldSet, shape: Shape): unknown {
  if (Array.isArray(value)) {
    const elementOf = (item: unknown) => (shape.set ? `v:${JSON.stringify(item)}` : itemElement(item, shape));
    return value.flatMap((item) => pruneChild(item, elementOf(item), dropped, owned, itemShape(shape)));
  }
  if (!isObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const key in value) {
    const [kept] = pruneChild(value[key], `f:${key}`, dropped, owned, fieldShape(shape, key));
    if (kept !== undefined) result[key] = kept;
  }
  return result;
}

function pruneChild(
  child: unknown,
  element: string,
  dropped: FieldSet,
  owned: FieldSet,
  shape: Shape,
): unknown[] {
  const drop = dropped[element];
  if (!drop) return [child];
  const holder = owned[element];
  if (!holder && (isEmpty(drop) || '.' in drop)) return [];
  const left = prune(child, drop, holder ?? NONE, shape);
  const bare = isObject(left) && isEmpty(left as FieldSet) && !holder;
  return bare ? [] : [left];
}

function applyConflict(conflicts: readonly FieldConflict[]): ApiError {
  const causes = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${nameOf(owner)}`,
    field: path,
  }));
  return new ApiError(409, 'Conflict', messageOf(conflicts), { causes });
}

function messageOf(conflicts: readonly FieldConflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first) {
    return `Apply failed with 1 conflict: conflict with ${nameOf(first.owner)}: ${first.path}`;
  }
  const byOwner = Map.groupBy(conflicts, ({ owner }) => nameOf(owner));
  const lines = [...byOwner].flatMap(([name, list]) => [
    `conflicts with ${name}:`,
    ...list.map(({ path }) => `- ${path}`),
  ]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}

function nameOf(owner: Owner): string {
  const name = `"${owner.manager}"${owner.subresource ? ` with subresource "${owner.subresource}"` : ''}`;
  if (owner.operation === 'Apply') return name;
  return `${name} using ${owner.apiVersion}${owner.time ? ` at ${owner.time}` : ''}`;
}
