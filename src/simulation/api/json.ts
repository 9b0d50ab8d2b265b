// Reading and comparing JSON values. Stored values are immutable: changed ones share what did not change.

export type JsonObject = { readonly [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(value: unknown, key: string): JsonObject {
  const inner = isObject(value) ? value[key] : undefined;
  return isObject(inner) ? inner : EMPTY;
}

export function listAt(value: unknown, key: string): readonly unknown[] {
  const inner = isObject(value) ? value[key] : undefined;
  return Array.isArray(inner) ? inner : [];
}

export function stringAt(value: unknown, key: string): string | undefined {
  const inner = isObject(value) ? value[key] : undefined;
  return typeof inner === 'string' ? inner : undefined;
}

export function numberAt(value: unknown, key: string): number | undefined {
  const inner = isObject(value) ? value[key] : undefined;
  return typeof inner === 'number' ? inner : undefined;
}

export const EMPTY: JsonObject = Object.freeze({});

export function without(object: JsonObject, ...keys: string[]): JsonObject {
  const copy: Record<string, unknown> = { ...object };
  for (const key of keys) delete copy[key];
  return copy;
}

/** The same value; identical references are taken as equal without a look inside. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false;
    return true;
  }
  if (!isObject(a) || !isObject(b)) return false;
  let count = 0;
  for (const key in a) {
    if (a[key] === undefined) continue;
    if (!same(a[key], b[key])) return false;
    count++;
  }
  for (const key in b) if (b[key] !== undefined) count--;
  return count === 0;
}

/**
 * Drops null members of objects at every depth, as the typed structs of the real server do. What is the
 * same reference as in `clean` is not looked into: it was done before.
 */
export function withoutNulls<T>(value: T, clean?: unknown): T {
  if (value === clean) return value;
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item !== 'object') continue;
      const kept = withoutNulls(item, Array.isArray(clean) ? clean[i] : undefined);
      if (kept !== item) copy ??= value.slice();
      if (copy) copy[i] = kept;
    }
    return (copy ?? value) as T;
  }
  if (!isObject(value)) return value;
  const known = isObject(clean) ? clean : EMPTY;
  let copy: Record<string, unknown> | undefined;
  for (const key in value) {
    const item = value[key];
    if (item === null || item === undefined) {
      copy ??= { ...value };
      delete copy[key];
    } else if (typeof item === 'object') {
      const kept = withoutNulls(item, known[key]);
      if (kept !== item) {
        copy ??= { ...value };
        copy[key] = kept;
      }
    }
  }
  return (copy ?? value) as T;
}
