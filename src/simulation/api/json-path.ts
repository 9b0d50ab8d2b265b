// The JSONPath of printer columns and selectable fields: `.a.b`, `['a.b']`, `[0]`, `[*]`,
// `[?(@.type=="Ready")]`.

import { isObject } from './json.ts';

type Step = (value: unknown) => unknown[];

const TOKEN =
  /\.((?:[A-Za-z0-9_$/-]|\\.)+|\*)|\['([^']*)'\]|\["([^"]*)"\]|\[(\d+|\*)\]|\[\?\(\s*@((?:\.[A-Za-z0-9_-]+)+)\s*(==|!=)\s*["']([^"']*)["']\s*\)\]/y;

/** Throws for a path that is outside this subset. */
export function parseJsonPath(path: string): (value: unknown) => unknown[] {
  const bare = path.replace(/^\{|\}$/g, '').replace(/^\$/, '');
  const text = /^[.[]/.test(bare) || bare === '' ? bare : `.${bare}`;
  const steps: Step[] = [];
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`JSONPath "${path}" is not supported`);
    steps.push(stepOf(match));
  }
  return (value) => steps.reduce<unknown[]>((values, step) => values.flatMap(step), [value]);
}

function stepOf(match: RegExpExecArray): Step {
  const [, name, single, double, index, filterPath, operator, wanted] = match;
  const key = (name ?? single ?? double)?.replaceAll('\\.', '.');
  if (key === '*' || index === '*') return childrenOf;
  if (key !== undefined) return (value) => (isObject(value) && value[key] !== undefined ? [value[key]] : []);
  if (index !== undefined) {
    return (value) =>
      Array.isArray(value) && value[Number(index)] !== undefined ? [value[Number(index)]] : [];
  }
  const parts = (filterPath ?? '').split('.').slice(1);
  return (value) =>
    childrenOf(value).filter((item) => {
      const found = parts.reduce<unknown>((inner, part) => (isObject(inner) ? inner[part] : undefined), item);
      return (String(found) === wanted) === (operator === '==');
    });
}

function childrenOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}
