// The CEL environment of Kubernetes rules: values with the types of their schema, and the functions of
// the Kubernetes library that we need. A function that is missing here makes its CRD be refused.

import { Environment, Optional } from '@marcbachmann/cel-js';
import { compareQuantities, parseQuantity, type Quantity } from '../../platform/kube/quantity.ts';
import { durationMs, isFormat } from './formats.ts';
import { isObject, type JsonObject, objectAt } from './json.ts';

class CelQuantity {
  readonly value: Quantity;
  constructor(value: Quantity) {
    this.value = value;
  }
}

let shared: Environment | undefined;

export function celEnvironment(): Environment {
  shared ??= build();
  return shared;
}

export const optionalOf = (value: unknown): Optional => Optional.of(value);
export const optionalNone = (): Optional => Optional.none();

function build(): Environment {
  const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
  environment.registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn');
  registerQuantity(environment);
  registerLists(environment);
  registerStrings(environment);
  return environment;
}

function registerQuantity(environment: Environment): void {
  const parse = (text: string) => {
    const value = parseQuantity(text);
    if (value === undefined) throw new Error(`quantity: ${JSON.stringify(text)} is none`);
    return new CelQuantity(value);
  };
  const compare = (a: CelQuantity, b: CelQuantity) => compareQuantities(a.value, b.value);
  environment
    .registerType('Quantity', CelQuantity)
    .registerFunction('quantity(string): Quantity', parse)
    .registerFunction('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined)
    .registerFunction(
      'Quantity.isGreaterThan(Quantity): bool',
      (a: CelQuantity, b: CelQuantity) => compare(a, b) > 0,
    )
    .registerFunction(
      'Quantity.isLessThan(Quantity): bool',
      (a: CelQuantity, b: CelQuantity) => compare(a, b) < 0,
    )
    .registerFunction('Quantity.compareTo(Quantity): int', (a: CelQuantity, b: CelQuantity) =>
      BigInt(compare(a, b)),
    );
}

type Ordered = number | bigint | string;

/** The least item by `sign`: Math.min takes neither bigint nor text. */
function least(list: readonly Ordered[], sign: 1 | -1): Ordered {
  let found = list[0];
  if (found === undefined) throw new Error('min or max of an empty list');
  for (const item of list) if (sign > 0 ? item < found : item > found) found = item;
  return found;
}

function registerLists(environment: Environment): void {
  environment
    .registerFunction('list.isSorted(): bool', (list: Ordered[]) =>
      list.every((item, i) => i === 0 || (list[i - 1] as Ordered) <= item),
    )
    .registerFunction('list.sum(): dyn', (list: (number | bigint)[]) =>
      typeof list[0] === 'number'
        ? list.reduce((sum: number, item) => sum + Number(item), 0)
        : list.reduce((sum: bigint, item) => sum + BigInt(item), 0n),
    )
    .registerFunction('list.min(): dyn', (list: Ordered[]) => least(list, 1))
    .registerFunction('list.max(): dyn', (list: Ordered[]) => least(list, -1))
    .registerFunction('list.indexOf(dyn): int', (list: unknown[], item: unknown) =>
      BigInt(list.indexOf(item)),
    )
    .registerFunction('list.lastIndexOf(dyn): int', (list: unknown[], item: unknown) =>
      BigInt(list.lastIndexOf(item)),
    );
}

function registerStrings(environment: Environment): void {
  const find = (text: string, pattern: string) => text.match(new RegExp(pattern, 'u'))?.[0] ?? '';
  environment
    .registerFunction('string.find(string): string', find)
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      text.replaceAll(from, to),
    )
    .registerFunction('string.findAll(string): list', (text: string, pattern: string) => [
      ...(text.match(new RegExp(pattern, 'gu')) ?? []),
    ])
    .registerFunction('isURL(string): bool', (text: string) => URL.canParse(text))
    .registerFunction(
      'isIP(string): bool',
      (text: string) => isFormat('ipv4', text) || /^[0-9a-f:]*:[0-9a-f:.]*$/i.test(text),
    );
}

/** A JSON value with the CEL types that its schema gives it: integers are int, dates are timestamps. */
export function toCel(value: unknown, schema: JsonObject): unknown {
  if (typeof value === 'number') {
    const isInt = schema.type === 'integer' || (schema.type !== 'number' && Number.isInteger(value));
    return isInt ? BigInt(value) : value;
  }
  if (typeof value === 'string') {
    if (schema.format === 'date-time') return new Date(value);
    if (schema.format === 'duration') return durationOf(value);
    return value;
  }
  if (Array.isArray(value)) {
    const items = objectAt(schema, 'items');
    return value.map((item) => toCel(item, items));
  }
  if (!isObject(value)) return value;
  const properties = objectAt(schema, 'properties');
  const additional = objectAt(schema, 'additionalProperties');
  const result: Record<string, unknown> = {};
  for (const key in value) {
    const property = properties[key];
    result[property ? escaped(key) : key] = toCel(value[key], isObject(property) ? property : additional);
  }
  return result;
}

function durationOf(text: string): unknown {
  return durationMs(text) === undefined
    ? text
    : celEnvironment().evaluate(`duration(${JSON.stringify(text)})`);
}

const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** Names of properties as rules spell them. */
function escaped(name: string): string {
  if (RESERVED.has(name)) return `__${name}__`;
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !name.includes('__')) return name;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}
