// Structural schemas of custom resources: what they fill in, cut off and refuse.

import { type CelRules, compileRules } from './cel.ts';
import { isObject, type JsonObject, listAt, objectAt } from './json.ts';
import { validateValue } from './schema-validate.ts';
import type { Cause } from './status.ts';

export interface CompiledSchema {
  root: JsonObject;
  rules: CelRules;
}

export const WHOLE_OBJECT_FIELDS = ['apiVersion', 'kind', 'metadata'];

export function compileSchema(root: JsonObject): CompiledSchema {
  return { root, rules: compileRules(root) };
}

/** Fills in defaults; drops nulls that a default replaces. Shares what it does not change. */
export function withDefaults(value: unknown, schema: JsonObject): unknown {
  if (Array.isArray(value)) {
    const items = objectAt(schema, 'items');
    return mapShared(value, (item) => withDefaults(item, items));
  }
  if (!isObject(value)) return value;
  const properties = objectAt(schema, 'properties');
  let copy: Record<string, unknown> | undefined;
  for (const key in properties) {
    const property = properties[key] as JsonObject;
    let inner = value[key];
    if (inner === null && property.nullable !== true && property.default !== undefined) inner = undefined;
    if (inner === undefined && property.default !== undefined) inner = property.default;
    const filled = inner === undefined ? undefined : withDefaults(inner, property);
    if (filled === value[key]) continue;
    copy ??= { ...value };
    if (filled === undefined) delete copy[key];
    else copy[key] = filled;
  }
  const additional = schema.additionalProperties;
  if (!isObject(additional)) return copy ?? value;
  for (const key in value) {
    if (key in properties) continue;
    const filled = withDefaults(value[key], additional);
    if (filled === value[key]) continue;
    copy ??= { ...value };
    copy[key] = filled;
  }
  return copy ?? value;
}

function mapShared(list: readonly unknown[], change: (item: unknown) => unknown): readonly unknown[] {
  let copy: unknown[] | undefined;
  list.forEach((item, index) => {
    const changed = change(item);
    if (changed === item) return;
    copy ??= list.slice();
    copy[index] = changed;
  });
  return copy ?? list;
}

/** Cuts off what the schema does not know and names it: `spec.foo`. */
export function pruned(value: unknown, schema: JsonObject, unknown: string[], path = ''): unknown {
  if (Array.isArray(value)) {
    const items = objectAt(schema, 'items');
    return mapShared(value, (item) => {
      const index = value.indexOf(item);
      return pruned(item, items, unknown, `${path}[${index}]`);
    });
  }
  if (!isObject(value)) return value;
  if (schema['x-kubernetes-embedded-resource'] === true && path !== '') return value;
  const properties = objectAt(schema, 'properties');
  const additional = schema.additionalProperties;
  const keepsAll = schema['x-kubernetes-preserve-unknown-fields'] === true || additional === true;
  let copy: Record<string, unknown> | undefined;
  for (const key in value) {
    if (path === '' && WHOLE_OBJECT_FIELDS.includes(key)) continue;
    const property = isObject(properties[key])
      ? properties[key]
      : isObject(additional)
        ? additional
        : undefined;
    if (!property && keepsAll) continue;
    const at = path === '' ? key : `${path}.${key}`;
    if (!property) {
      unknown.push(at);
      copy ??= { ...value };
      delete copy[key];
      continue;
    }
    const inner = pruned(value[key], property, unknown, at);
    if (inner === value[key]) continue;
    copy ??= { ...value };
    copy[key] = inner;
  }
  return copy ?? value;
}

/** Faults of form, after which rules are not asked. */
const BLOCKING = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const RULES_NOT_CHECKED: Cause = {
  reason: 'FieldValueInvalid',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
  field: '<nil>',
};

export function validate(object: JsonObject, old: JsonObject | undefined, schema: CompiledSchema): Cause[] {
  const causes: Cause[] = [];
  for (const key in objectAt(schema.root, 'properties')) {
    if (WHOLE_OBJECT_FIELDS.includes(key) || object[key] === undefined) continue;
    // A part that did not change was right when it was written.
    if (old && old[key] === object[key]) continue;
    const part = objectAt(objectAt(schema.root, 'properties'), key);
    validateValue(object[key], part, key, causes, old?.[key]);
  }
  for (const key of listAt(schema.root, 'required').map(String)) {
    if (object[key] !== undefined) continue;
    causes.push({ reason: 'FieldValueRequired', message: 'Required value', field: key });
  }
  if (!causes.some((cause) => BLOCKING.has(cause.reason ?? ''))) {
    return [...causes, ...schema.rules.check(object, old)];
  }
  return schema.rules.isEmpty ? causes : [...causes, RULES_NOT_CHECKED];
}
