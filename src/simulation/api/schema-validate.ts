import { isFormat } from './formats.ts';
import { isObject, type JsonObject, listAt, objectAt, same } from './json.ts';
import type { Cause } from './status.ts';

/**
 * What is wrong with `value`, in the words of the real server. What did not change is not asked about again
 * (KEP-4008, ratcheting), so that an object which an older schema let in can still have its status written.
 */
export function validateValue(
  value: unknown,
  schema: JsonObject,
  path: string,
  causes: Cause[],
  old?: unknown,
): void {
  if (old !== undefined && same(old, value)) return;
  if (value === null && schema.nullable === true) return;
  if (!hasType(value, schema)) {
    const type = schema['x-kubernetes-int-or-string'] === true ? 'integer,string' : String(schema.type);
    causes.push(typeInvalid(path, value, `${path} in body must be of type ${type}: "${typeName(value)}"`));
    return;
  }
  const options = listAt(schema, 'enum');
  if (options.length > 0 && !options.some((option) => same(option, value))) {
    const supported = options.map((option) => JSON.stringify(option)).join(', ');
    const shown = typeof value === 'string' ? JSON.stringify(value) : print(value);
    causes.push({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${shown}: supported values: ${supported}`,
      field: path,
    });
  }
  if (typeof value === 'string') checkString(value, schema, path, causes);
  else if (typeof value === 'number') checkNumber(value, schema, path, causes);
  else if (Array.isArray(value)) checkList(value, schema, path, causes);
  else if (isObject(value)) checkObject(value, schema, path, causes, old);
  checkCombined(value, schema, path, causes);
}

function hasType(value: unknown, schema: JsonObject): boolean {
  if (schema['x-kubernetes-int-or-string'] === true)
    return typeof value === 'string' || Number.isInteger(value);
  switch (schema.type) {
    case undefined:
      return true;
    case 'object':
      return isObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === schema.type;
  }
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function checkString(value: string, schema: JsonObject, path: string, causes: Cause[]): void {
  const length = [...value].length;
  if (typeof schema.maxLength === 'number' && length > schema.maxLength) {
    causes.push(tooLong(path, `Too long: may not be more than ${schema.maxLength} bytes`));
  }
  if (typeof schema.minLength === 'number' && length < schema.minLength) {
    const words = `${path} in body should be at least ${schema.minLength} chars long`;
    causes.push(invalidValue(path, value, words));
  }
  if (typeof schema.pattern === 'string' && !new RegExp(schema.pattern, 'u').test(value)) {
    causes.push(invalidValue(path, value, `${path} in body should match '${schema.pattern}'`));
  }
  if (typeof schema.format === 'string' && !isFormat(schema.format, value)) {
    causes.push(
      invalidValue(path, value, `${path} in body must be of type ${schema.format}: ${JSON.stringify(value)}`),
    );
  }
}

function checkNumber(value: number, schema: JsonObject, path: string, causes: Cause[]): void {
  const { maximum, minimum, multipleOf } = schema;
  if (typeof maximum === 'number') {
    const strict = schema.exclusiveMaximum === true;
    if (strict ? value >= maximum : value > maximum) {
      const words = `${path} in body should be less than ${strict ? '' : 'or equal to '}${maximum}`;
      causes.push(invalidValue(path, value, words));
    }
  }
  if (typeof minimum === 'number') {
    const strict = schema.exclusiveMinimum === true;
    if (strict ? value <= minimum : value < minimum) {
      const words = `${path} in body should be greater than ${strict ? '' : 'or equal to '}${minimum}`;
      causes.push(invalidValue(path, value, words));
    }
  }
  if (typeof multipleOf === 'number' && !Number.isInteger(value / multipleOf)) {
    causes.push(invalidValue(path, value, `${path} in body should be a multiple of ${multipleOf}`));
  }
}

function checkList(value: readonly unknown[], schema: JsonObject, path: string, causes: Cause[]): void {
  if (typeof schema.maxItems === 'number' && value.length > schema.maxItems) {
    causes.push({
      reason: 'FieldValueTooMany',
      message: `Too many: ${value.length}: must have at most ${schema.maxItems} items`,
      field: path,
    });
  }
  if (typeof schema.minItems === 'number' && value.length < schema.minItems) {
    const words = `${path} in body should have at least ${schema.minItems} items`;
    causes.push(invalidValue(path, value.length, words));
  }
  const items = objectAt(schema, 'items');
  value.forEach((item, index) => {
    validateValue(item, items, `${path}[${index}]`, causes);
  });
  checkUnique(value, schema, path, causes);
}

function checkUnique(value: readonly unknown[], schema: JsonObject, path: string, causes: Cause[]): void {
  const listType = schema['x-kubernetes-list-type'];
  if (listType !== 'map' && listType !== 'set') return;
  const keys = listAt(schema, 'x-kubernetes-list-map-keys').map(String);
  const seen = new Set<string>();
  value.forEach((item, index) => {
    const key =
      listType === 'set'
        ? item
        : Object.fromEntries(keys.map((name) => [name, isObject(item) ? item[name] : undefined]));
    const text = JSON.stringify(key);
    if (seen.has(text)) {
      causes.push({
        reason: 'FieldValueDuplicate',
        message: `Duplicate value: ${text}`,
        field: `${path}[${index}]`,
      });
    }
    seen.add(text);
  });
}

function checkObject(
  value: JsonObject,
  schema: JsonObject,
  path: string,
  causes: Cause[],
  old: unknown,
): void {
  const was = isObject(old) ? old : {};
  const properties = objectAt(schema, 'properties');
  const count = Object.keys(value).length;
  if (typeof schema.maxProperties === 'number' && count > schema.maxProperties) {
    causes.push({
      reason: 'FieldValueTooMany',
      message: `Too many: ${count}: must have at most ${schema.maxProperties} items`,
      field: path,
    });
  }
  if (typeof schema.minProperties === 'number' && count < schema.minProperties) {
    const words = `${path} in body should have at least ${schema.minProperties} properties`;
    causes.push(invalidValue(path, count, words));
  }
  for (const key of listAt(schema, 'required').map(String)) {
    if (value[key] !== undefined) continue;
    causes.push({ reason: 'FieldValueRequired', message: 'Required value', field: `${path}.${key}` });
  }
  const additional = schema.additionalProperties;
  for (const key in value) {
    const property = properties[key];
    if (isObject(property)) validateValue(value[key], property, `${path}.${key}`, causes, was[key]);
    else if (isObject(additional)) validateValue(value[key], additional, `${path}.${key}`, causes, was[key]);
  }
}

function checkCombined(value: unknown, schema: JsonObject, path: string, causes: Cause[]): void {
  const passes = (branch: unknown) => {
    const found: Cause[] = [];
    validateValue(value, branch as JsonObject, path, found);
    return found.length === 0;
  };
  for (const branch of listAt(schema, 'allOf')) validateValue(value, branch as JsonObject, path, causes);
  const any = listAt(schema, 'anyOf');
  if (any.length > 0 && !any.some(passes)) {
    causes.push(invalidValue(path, value, `"${path}" must validate at least one schema (anyOf)`));
  }
  const one = listAt(schema, 'oneOf');
  if (one.length > 0 && one.filter(passes).length !== 1) {
    causes.push(invalidValue(path, value, `"${path}" must validate one and only one schema (oneOf)`));
  }
  if (isObject(schema.not) && passes(schema.not)) {
    causes.push(invalidValue(path, value, `"${path}" must not validate the schema (not)`));
  }
}

/** The value as the real server prints it in messages. */
export function print(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const invalidValue = (field: string, value: unknown, words: string): Cause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${print(value)}: ${words}`,
  field,
});
const typeInvalid = (field: string, value: unknown, words: string): Cause => ({
  reason: 'FieldValueTypeInvalid',
  message: `Invalid value: "${typeName(value)}": ${words}`,
  field,
});
const tooLong = (field: string, message: string): Cause => ({ reason: 'FieldValueTooLong', message, field });
