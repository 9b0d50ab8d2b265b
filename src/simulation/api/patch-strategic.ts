// Strategic merge patches of built-in kinds: lists with a patch key merge item by item, others are
// replaced. Directives: $patch (merge, replace, delete), $deleteFromPrimitiveList, $setElementOrder,
// $retainKeys; any other is refused by name.

import { isObject, type JsonObject, same, without, withoutNulls } from './json.ts';
import { fieldShape, itemShape, type Shape } from './shape.ts';
import { badRequest } from './status.ts';

const DELETE_FROM = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';

export function strategicPatch(target: unknown, patch: unknown, shape: Shape): unknown {
  if (!isObject(patch)) throw badRequest('error decoding patch: a strategic merge patch is an object');
  return mergeObject(isObject(target) ? target : {}, patch, shape);
}

function mergeObject(target: JsonObject, patch: JsonObject, shape: Shape): JsonObject {
  const directive = patch.$patch;
  if (directive === 'replace') return withoutNulls(without(patch, '$patch'));
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge')
    throw unknownDirective(`$patch: ${String(directive)}`);
  let result: Record<string, unknown> = { ...target };
  const retained = patch.$retainKeys;
  if (Array.isArray(retained)) {
    result = Object.fromEntries(Object.entries(result).filter(([key]) => retained.includes(key)));
  }
  for (const key in patch) if (key.startsWith('$')) applyDirective(result, key, patch[key]);
  for (const key in patch) {
    if (key.startsWith('$')) continue;
    const value = patch[key];
    if (value === null) delete result[key];
    else result[key] = mergeValue(result[key], value, fieldShape(shape, key));
  }
  for (const key in patch) {
    if (!key.startsWith(ORDER)) continue;
    const field = key.slice(ORDER.length);
    const list = result[field];
    if (Array.isArray(list)) result[field] = inOrder(list, patch[key], fieldShape(shape, field).patchKey);
  }
  return result;
}

function applyDirective(result: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '$patch' || key === '$retainKeys' || key.startsWith(ORDER)) return;
  if (!key.startsWith(DELETE_FROM)) throw unknownDirective(key);
  const field = key.slice(DELETE_FROM.length);
  const list = result[field];
  if (!Array.isArray(list) || !Array.isArray(value)) return;
  const left = list.filter((item) => !value.includes(item));
  if (left.length > 0) result[field] = left;
  else delete result[field];
}

function mergeValue(target: unknown, value: unknown, shape: Shape): unknown {
  if (isObject(value)) {
    const kept = mergeObject(isObject(target) ? target : {}, value, shape);
    // An unchanged part stays the same reference, so that whoever compares is quick.
    return same(kept, target) ? target : kept;
  }
  if (!Array.isArray(value)) return value;
  const old: unknown[] = Array.isArray(target) ? target : [];
  if (shape.patchKey) return mergeList(old, value, shape.patchKey, shape);
  if (shape.set) return [...old, ...value.filter((item) => !old.includes(item))];
  return withoutNulls(value);
}

function mergeList(old: readonly unknown[], patch: readonly unknown[], key: string, shape: Shape): unknown[] {
  const replaces = patch.some(
    (item) => isObject(item) && item.$patch === 'replace' && item[key] === undefined,
  );
  const result: unknown[] = replaces ? [] : old.slice();
  for (const item of patch) {
    if (!isObject(item)) throw badRequest(`error decoding patch: a list merged by ${key} holds objects`);
    if (item.$patch === 'replace' && item[key] === undefined) continue;
    const value = item[key];
    if (value === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    const at = result.findIndex((known) => isObject(known) && known[key] === value);
    if (item.$patch === 'delete') {
      if (at >= 0) result.splice(at, 1);
    } else if (at < 0) result.push(mergeObject({}, item, itemShape(shape)));
    else result[at] = mergeValue(result[at], item, itemShape(shape));
  }
  return result;
}

/** Items that the order names come in its order; others keep their place behind their predecessor. */
function inOrder(list: readonly unknown[], order: unknown, key: string | undefined): unknown[] {
  if (!Array.isArray(order)) return [...list];
  const idOf = (item: unknown) => (key && isObject(item) ? item[key] : item);
  const rank = new Map(order.map((item: unknown, index) => [idOf(item), index]));
  let last = -1;
  const ranked = list.map((item) => {
    last = rank.get(idOf(item)) ?? last;
    return { item, rank: last };
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ item }) => item);
}

const unknownDirective = (name: string) =>
  badRequest(`error decoding patch: the embedded API does not know the directive ${name}`);
