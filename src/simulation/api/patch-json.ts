// RFC 6902.

import { isObject, type JsonObject, same } from './json.ts';
import { ApiError, badRequest } from './status.ts';

/** As many as the real server takes. */
const OPERATIONS_MAX = 10_000;

export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('error decoding patch: a JSON patch is a list of operations');
  if (patch.length > OPERATIONS_MAX) {
    throw new ApiError(
      413,
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${patch.length}`,
    );
  }
  let result = target;
  for (const operation of patch) {
    if (!isObject(operation) || typeof operation.path !== 'string') {
      throw badRequest('error decoding patch: an operation needs op and path');
    }
    result = step(result, operation, operation.path);
  }
  return result;
}

function step(target: unknown, operation: JsonObject, path: string): unknown {
  switch (operation.op) {
    case 'add':
      return edit(target, pointer(path), 'add', operation.value, path);
    case 'replace':
      return edit(target, pointer(path), 'replace', operation.value, path);
    case 'remove':
      return edit(target, pointer(path), 'remove', undefined, path);
    case 'test': {
      const found = lookup(target, pointer(path));
      if (same(found ?? null, operation.value ?? null)) return target;
      throw unprocessable(`testing value ${path} failed`);
    }
    case 'copy':
    case 'move': {
      const from = String(operation.from);
      const value = lookup(target, pointer(from));
      if (value === undefined)
        throw unprocessable(`${operation.op} operation does not apply: doc is missing from path: ${from}`);
      const left = operation.op === 'move' ? edit(target, pointer(from), 'remove', undefined, from) : target;
      return edit(left, pointer(path), 'add', value, path);
    }
    default:
      throw badRequest(`error decoding patch: unknown operation "${String(operation.op)}"`);
  }
}

function pointer(path: string): string[] {
  if (path === '') return [];
  if (!path.startsWith('/')) throw badRequest(`error decoding patch: path "${path}" does not start with '/'`);
  return path
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function lookup(target: unknown, parts: readonly string[]): unknown {
  let value = target;
  for (const part of parts) {
    if (Array.isArray(value)) value = value[indexOf(part, value.length - 1) ?? -1];
    else if (isObject(value)) value = value[part];
    else return undefined;
  }
  return value;
}

function edit(
  target: unknown,
  parts: readonly string[],
  op: 'add' | 'replace' | 'remove',
  value: unknown,
  path: string,
): unknown {
  const [part, ...rest] = parts;
  if (part === undefined) return op === 'remove' ? null : value;
  const missing = () =>
    unprocessable(
      `${op} operation does not apply: doc is missing ${rest.length ? 'path' : 'key'}: ${path}: missing value`,
    );
  if (Array.isArray(target)) {
    const copy = target.slice();
    const inserts = op === 'add' && rest.length === 0;
    const index =
      part === '-' && inserts ? copy.length : indexOf(part, inserts ? copy.length : copy.length - 1);
    if (index === undefined)
      throw unprocessable(`${op} operation does not apply: ${path}: invalid index referenced`);
    if (rest.length > 0) copy[index] = edit(copy[index], rest, op, value, path);
    else if (op === 'add') copy.splice(index, 0, value);
    else if (op === 'remove') copy.splice(index, 1);
    else copy[index] = value;
    return copy;
  }
  if (!isObject(target)) throw missing();
  if ((rest.length > 0 || op !== 'add') && target[part] === undefined) throw missing();
  const copy: Record<string, unknown> = { ...target };
  if (rest.length > 0) copy[part] = edit(target[part], rest, op, value, path);
  else if (op === 'remove') delete copy[part];
  else copy[part] = value;
  return copy;
}

function indexOf(part: string, max: number): number | undefined {
  if (!/^\d+$/.test(part)) return undefined;
  const index = Number(part);
  return index <= max ? index : undefined;
}

const unprocessable = (message: string) => new ApiError(422, 'Invalid', message);
