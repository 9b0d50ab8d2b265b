// Sets of fields in the form of `fieldsV1`: `f:NAME` a field, `k:{…}` an item of a list-map,
// `v:…` a member of a list-set, `.` the thing itself. A node without children is a member.

import { isObject, type JsonObject, same } from './json.ts';
import { fieldShape, itemShape, type Shape } from './shape.ts';

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

export const NONE: FieldSet = Object.freeze({});
const SELF = '.';

export const isEmpty = (set: FieldSet): boolean => {
  for (const _ in set) return false;
  return true;
};

/** A node without children stands for the field itself, as does one that says `.`. */
const isMember = (node: FieldSet): boolean => SELF in node || isEmpty(node);

type Mutable = Record<string, FieldSet>;

/** Key of a list-map's item: `k:{"type":"Ready"}`, keys in order of the alphabet as Go writes them. */
export function itemElement(item: unknown, shape: Shape): string {
  const key: Record<string, unknown> = {};
  for (const name of [...(shape.keys ?? [])].sort()) {
    const value = (isObject(item) ? item[name] : undefined) ?? shape.keyDefaults?.[name];
    if (value !== undefined) key[name] = value;
  }
  return `k:${JSON.stringify(key)}`;
}

/** The children of a value that are owned one by one; undefined when it is owned as a whole. */
export function childrenOf(value: unknown, shape: Shape): Map<string, [unknown, Shape]> | undefined {
  if (shape.atomic) return undefined;
  const children = new Map<string, [unknown, Shape]>();
  if (Array.isArray(value)) {
    if (shape.set) for (const item of value) children.set(`v:${JSON.stringify(item)}`, [item, shape]);
    else if (shape.keys)
      for (const item of value) children.set(itemElement(item, shape), [item, itemShape(shape)]);
    else return undefined;
    return children;
  }
  if (!isObject(value)) return undefined;
  for (const key in value)
    if (value[key] !== undefined) children.set(`f:${key}`, [value[key], fieldShape(shape, key)]);
  return children;
}

/** All fields that a value sets. `withSelf` also names the maps on the way, as an Update does. */
export function fieldsOf(value: unknown, shape: Shape, withSelf: boolean): FieldSet {
  const children = childrenOf(value, shape);
  if (!children || children.size === 0) return NONE;
  const set: Mutable = {};
  if (withSelf) set[SELF] = NONE;
  for (const [element, [child, inner]] of children) {
    if (element.startsWith('v:')) {
      set[element] = NONE;
      continue;
    }
    const below = fieldsOf(child, inner, withSelf);
    set[element] = element.startsWith('k:') ? { [SELF]: NONE, ...below } : below;
  }
  return set;
}

export interface Changes {
  /** Added or given another value. */
  set: FieldSet;
  removed: FieldSet;
}

/** What differs; parts that are one and the same reference cost nothing. */
export function compare(before: unknown, after: unknown, shape: Shape): Changes {
  if (before === after) return { set: NONE, removed: NONE };
  const old = childrenOf(before, shape);
  const now = childrenOf(after, shape);
  if (!old || !now) {
    if (same(before, after)) return { set: NONE, removed: NONE };
    // The caller names the field itself; what is below it comes and goes with it.
    return {
      set: now ? fieldsOf(after, shape, true) : NONE,
      removed: old ? fieldsOf(before, shape, true) : NONE,
    };
  }
  const set: Mutable = {};
  const removed: Mutable = {};
  for (const [element, [value, inner]] of now) {
    const was = old.get(element);
    if (!was) {
      const below = element.startsWith('v:') ? NONE : fieldsOf(value, inner, true);
      set[element] = element.startsWith('k:') ? { [SELF]: NONE, ...below } : below;
      continue;
    }
    if (was[0] === value || element.startsWith('v:')) continue;
    const below = compare(was[0], value, inner);
    const wholly = !childrenOf(was[0], inner) || !childrenOf(value, inner);
    if (wholly) {
      if (!same(was[0], value)) set[element] = below.set;
    } else if (!isEmpty(below.set)) set[element] = below.set;
    if (!isEmpty(below.removed)) removed[element] = below.removed;
  }
  for (const [element, [value, inner]] of old) {
    if (now.has(element)) continue;
    const below = element.startsWith('v:') ? NONE : fieldsOf(value, inner, true);
    removed[element] = element.startsWith('k:') ? { [SELF]: NONE, ...below } : below;
  }
  return { set, removed };
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  const result: Mutable = { ...a };
  if (isEmpty(a) !== isEmpty(b)) result[SELF] = NONE;
  for (const element in b) {
    const left = a[element];
    const right = b[element] as FieldSet;
    result[element] = left ? union(left, right) : right;
  }
  return result;
}

/** Root sets are no members themselves: what `union` says of the top is taken away. */
export function unionAll(sets: Iterable<FieldSet>): FieldSet {
  let result: FieldSet = NONE;
  for (const set of sets) result = isEmpty(result) ? set : isEmpty(set) ? result : union(result, set);
  return result;
}

/** Members of both. undefined: none. */
function intersectNode(a: FieldSet, b: FieldSet): FieldSet | undefined {
  const result: Mutable = {};
  let any = false;
  for (const element in a) {
    if (element === SELF || !(element in b)) continue;
    const inner = intersectNode(a[element] as FieldSet, b[element] as FieldSet);
    if (!inner) continue;
    result[element] = inner;
    any = true;
  }
  if (isMember(a) && isMember(b)) {
    if (any) result[SELF] = NONE;
    return result;
  }
  return any ? result : undefined;
}

export function intersect(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return NONE;
  return intersectNode(a, b) ?? NONE;
}

/** Members of `a` that are not in `b`. undefined: none are left. */
function differenceNode(a: FieldSet, b: FieldSet | undefined): FieldSet | undefined {
  if (!b) return a;
  const result: Mutable = {};
  let any = false;
  for (const element in a) {
    if (element === SELF) continue;
    const inner = differenceNode(a[element] as FieldSet, b[element]);
    if (!inner) continue;
    result[element] = inner;
    any = true;
  }
  const self = isMember(a) && !isMember(b);
  if (!any) return self ? NONE : undefined;
  if (self) result[SELF] = NONE;
  return result;
}

export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return differenceNode(a, b) ?? NONE;
}

/** Paths of all members as the real server prints them: `.spec.list[name="a"].field`. */
export function paths(set: FieldSet, prefix = ''): string[] {
  const result: string[] = [];
  for (const element in set) {
    if (element === SELF) continue;
    const node = set[element] as FieldSet;
    const path = prefix + printElement(element);
    if (isMember(node)) result.push(path);
    result.push(...paths(node, path));
  }
  return result;
}

function printElement(element: string): string {
  if (element.startsWith('f:')) return `.${element.slice(2)}`;
  if (element.startsWith('v:')) return `[=${element.slice(2)}]`;
  const key = JSON.parse(element.slice(2)) as JsonObject;
  const parts = Object.keys(key).map((name) => `${name}=${JSON.stringify(key[name])}`);
  return `[${parts.join(',')}]`;
}

/** The set without the given paths of field names: `['metadata', 'uid']`. */
export function strip(set: FieldSet, ...stripped: readonly (readonly string[])[]): FieldSet {
  let result = set;
  for (const path of stripped) result = stripOne(result, path);
  return result;
}

function stripOne(set: FieldSet, path: readonly string[]): FieldSet {
  const element = `f:${path[0]}`;
  const node = set[element];
  if (!node) return set;
  const rest: Mutable = { ...set };
  const inner = path.length > 1 ? stripOne(node, path.slice(1)) : NONE;
  if (inner === node && path.length > 1) return set;
  const left = Object.keys(inner).some((key) => key !== SELF);
  if (left) rest[element] = inner;
  else delete rest[element];
  return rest;
}
