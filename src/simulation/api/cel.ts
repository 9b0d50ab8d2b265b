// `x-kubernetes-validations`: CEL rules in a schema, found and compiled once, then asked of each value
// at their place.

import type { ParseResult } from '@marcbachmann/cel-js';
import { celEnvironment, optionalNone, optionalOf, toCel } from './cel-library.ts';
import { itemElement } from './field-set.ts';
import { isObject, type JsonObject, listAt, objectAt, stringAt } from './json.ts';
import { shapeOfSchema } from './shape.ts';
import type { Cause } from './status.ts';

interface Rule {
  source: string;
  evaluate: ParseResult;
  message: string | undefined;
  messageExpression: ParseResult | undefined;
  reason: string;
  fieldPath: string;
  usesOld: boolean;
  optionalOldSelf: boolean;
}

/** The rules of one schema node and of what is below it. */
interface RuleNode {
  schema: JsonObject;
  rules: Rule[];
  fields: Map<string, RuleNode>;
  additional: RuleNode | undefined;
  items: RuleNode | undefined;
}

export class CelError extends Error {
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

export class CelRules {
  readonly #root: RuleNode | undefined;

  constructor(root: RuleNode | undefined) {
    this.#root = root;
  }

  get isEmpty(): boolean {
    return this.#root === undefined;
  }

  check(object: JsonObject, old: JsonObject | undefined): Cause[] {
    const causes: Cause[] = [];
    if (this.#root) checkNode(this.#root, object, old, '', causes);
    return causes;
  }
}

/** Throws CelError for a rule that does not compile. */
export function compileRules(schema: JsonObject): CelRules {
  return new CelRules(compileNode(schema, 'openAPIV3Schema'));
}

function compileNode(schema: JsonObject, path: string): RuleNode | undefined {
  const rules = listAt(schema, 'x-kubernetes-validations').map((rule, i) =>
    compileRule(rule, `${path}.x-kubernetes-validations[${i}]`),
  );
  const fields = new Map<string, RuleNode>();
  const properties = objectAt(schema, 'properties');
  for (const key in properties) {
    const node = compileNode(objectAt(properties, key), `${path}.properties[${key}]`);
    if (node) fields.set(key, node);
  }
  const { additionalProperties, items: itemSchema } = schema;
  const additional = isObject(additionalProperties)
    ? compileNode(additionalProperties, `${path}.additionalProperties`)
    : undefined;
  const items = isObject(itemSchema) ? compileNode(itemSchema, `${path}.items`) : undefined;
  if (rules.length === 0 && fields.size === 0 && !additional && !items) return undefined;
  return { schema, rules, fields, additional, items };
}

function compileRule(rule: unknown, path: string): Rule {
  const source = stringAt(rule, 'rule') ?? '';
  const messageExpression = stringAt(rule, 'messageExpression');
  return {
    source,
    evaluate: compile(source, `${path}.rule`),
    message: stringAt(rule, 'message'),
    messageExpression: messageExpression
      ? compile(messageExpression, `${path}.messageExpression`)
      : undefined,
    reason: stringAt(rule, 'reason') ?? 'FieldValueInvalid',
    fieldPath: stringAt(rule, 'fieldPath') ?? '',
    usesOld: /\boldSelf\b/.test(source),
    optionalOldSelf: isObject(rule) && rule.optionalOldSelf === true,
  };
}

function compile(source: string, path: string): ParseResult {
  try {
    const parsed = celEnvironment().parse(source);
    const checked = parsed.check();
    if (!checked.valid) throw checked.error ?? new Error('type check failed');
    return parsed;
  } catch (error) {
    const words = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new CelError(path, `compilation failed: ${words}`);
  }
}

function checkNode(node: RuleNode, value: unknown, old: unknown, path: string, causes: Cause[]): void {
  if (value === undefined || value === null) return;
  const unchanged = value === old;
  let self: unknown;
  for (const rule of node.rules) {
    // What did not change passed before; only rules that compare may see it differently.
    if (unchanged && !rule.usesOld) continue;
    if (rule.usesOld && old === undefined && !rule.optionalOldSelf) continue;
    self ??= toCel(value, node.schema);
    checkRule(rule, node, value, self, old, path, causes);
  }
  if (Array.isArray(value)) checkItems(node, value, old, path, causes);
  else if (isObject(value)) {
    for (const [key, field] of node.fields)
      checkNode(field, value[key], objectAtOrNone(old, key), join(path, key), causes);
    if (!node.additional) return;
    const known = objectAt(node.schema, 'properties');
    for (const key in value) {
      if (key in known) continue;
      checkNode(node.additional, value[key], objectAtOrNone(old, key), `${path}[${key}]`, causes);
    }
  }
}

const objectAtOrNone = (value: unknown, key: string): unknown => (isObject(value) ? value[key] : undefined);
const join = (path: string, key: string) => (path === '' ? key : `${path}.${key}`);

/** Items of a list-map know their old selves by key; items of other lists have none. */
function checkItems(
  node: RuleNode,
  value: readonly unknown[],
  old: unknown,
  path: string,
  causes: Cause[],
): void {
  if (!node.items) return;
  const shape = shapeOfSchema(node.schema, false);
  const before = new Map(
    shape.keys && Array.isArray(old) ? old.map((item) => [itemElement(item, shape), item]) : [],
  );
  value.forEach((item, index) => {
    const was = shape.keys ? before.get(itemElement(item, shape)) : undefined;
    checkNode(node.items as RuleNode, item, was, `${path}[${index}]`, causes);
  });
}

function checkRule(
  rule: Rule,
  node: RuleNode,
  value: unknown,
  self: unknown,
  old: unknown,
  path: string,
  causes: Cause[],
): void {
  const oldSelf = old === undefined ? undefined : toCel(old, node.schema);
  const scope: Record<string, unknown> = { self };
  if (rule.optionalOldSelf) scope.oldSelf = oldSelf === undefined ? optionalNone() : optionalOf(oldSelf);
  else if (oldSelf !== undefined) scope.oldSelf = oldSelf;
  const field = path + rule.fieldPath || '<nil>';
  // Objects and lists are not printed, as in the real server.
  const shown = typeof value === 'object' ? '' : `${JSON.stringify(value)}: `;
  try {
    if (rule.evaluate(scope) === true) return;
  } catch (error) {
    const words = error instanceof Error ? error.message.split('\n')[0] : String(error);
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${shown}rule evaluation failed for "${rule.source}": ${words}`,
      field,
    });
    return;
  }
  causes.push(causeOf(rule, shown, field, messageOf(rule, scope)));
}

function causeOf(rule: Rule, shown: string, field: string, message: string): Cause {
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return { reason: rule.reason, message: `Forbidden: ${message}`, field };
    case 'FieldValueRequired':
      return { reason: rule.reason, message: `Required value: ${message}`, field };
    case 'FieldValueDuplicate':
      return { reason: rule.reason, message: `Duplicate value${shown && `: ${shown.slice(0, -2)}`}`, field };
    default:
      return { reason: 'FieldValueInvalid', message: `Invalid value: ${shown}${message}`, field };
  }
}

function messageOf(rule: Rule, scope: Record<string, unknown>): string {
  if (rule.messageExpression) {
    try {
      const message: unknown = rule.messageExpression(scope);
      if (typeof message === 'string' && message.trim() && !message.includes('\n')) return message;
    } catch {
      // The plain message is the fallback, as in the real server.
    }
  }
  return rule.message ?? `failed rule: ${rule.source.trim()}`;
}
