import { isObject, withoutNulls } from './json.ts';

/** RFC 7386. What the patch does not touch is shared with the target. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const key in patch) {
    const value = patch[key];
    if (value === null) delete result[key];
    else if (isObject(value)) result[key] = mergePatch(result[key], value);
    else result[key] = withoutNulls(value);
  }
  return result;
}
