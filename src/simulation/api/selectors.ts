// Label and field selectors as text: `a=b,c in (d,e),!f`.

import type { LabelSelector } from '../../platform/kube/objects.ts';
import { qualifiedNameFault } from './names.ts';
import { badRequest } from './status.ts';

type Labels = { readonly [key: string]: unknown };
type Test = (labels: Labels) => boolean;

const SET_TERM = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/;
const COMPARE_TERM = /^([^\s!=<>]+)\s*(==|!=|=|<|>)\s*(\S*)$/;
const EXISTS_TERM = /^(!?)\s*([^\s!=<>(),]+)$/;

/** undefined for an empty selector: everything matches. */
export function parseLabelSelector(text: string | undefined): Test | undefined {
  if (!text?.trim()) return undefined;
  const tests = splitTerms(text).map((term) => parseTerm(term.trim(), text));
  if (tests.length === 1) return tests[0];
  return (labels) => tests.every((test) => test(labels));
}

/** Splits at commas that are not between parentheses. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (text[i] === ',' && depth === 0) {
      terms.push(text.slice(from, i));
      from = i + 1;
    }
  }
  terms.push(text.slice(from));
  return terms;
}

function parseTerm(term: string, whole: string): Test {
  const set = SET_TERM.exec(term);
  if (set) {
    const key = checkedKey(set[1] as string, whole);
    const values = new Set((set[3] as string).split(',').map((value) => value.trim()));
    if (set[2] === 'in') return (labels) => labels[key] !== undefined && values.has(String(labels[key]));
    return (labels) => labels[key] === undefined || !values.has(String(labels[key]));
  }
  const exists = EXISTS_TERM.exec(term);
  if (exists) {
    const key = checkedKey(exists[2] as string, whole);
    return exists[1] ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
  }
  const compare = COMPARE_TERM.exec(term);
  if (!compare) throw badSelector(whole, term);
  const key = checkedKey(compare[1] as string, whole);
  const value = compare[3] as string;
  switch (compare[2]) {
    case '!=':
      return (labels) => labels[key] !== value;
    case '<':
    case '>': {
      const limit = Number(value);
      if (value === '' || !Number.isInteger(limit)) throw badSelector(whole, term);
      const sign = compare[2] === '>' ? 1 : -1;
      return (labels) => labels[key] !== undefined && (Number(labels[key]) - limit) * sign > 0;
    }
    default:
      return (labels) => labels[key] === value;
  }
}

function checkedKey(key: string, whole: string): string {
  if (qualifiedNameFault(key)) throw badSelector(whole, key);
  return key;
}

function badSelector(whole: string, at: string) {
  return badRequest(`unable to parse requirement: invalid label selector "${whole}" at "${at}"`);
}

/** A `metav1.LabelSelector`; an absent one matches nothing here (PodDisruptionBudget, ReplicaSet). */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (!selector) return false;
  for (const key in selector.matchLabels) if (labels[key] !== selector.matchLabels[key]) return false;
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key];
    const listed = value !== undefined && values.includes(String(value));
    if (operator === 'In' && !listed) return false;
    if (operator === 'NotIn' && listed) return false;
    if (operator === 'Exists' && value === undefined) return false;
    if (operator === 'DoesNotExist' && value !== undefined) return false;
  }
  return true;
}

export interface FieldTerm {
  path: string;
  value: string;
  not: boolean;
}

export function parseFieldSelector(text: string | undefined): FieldTerm[] {
  if (!text) return [];
  return text.split(',').map((term) => {
    const match = /^([^!=]+)(==|!=|=)(.*)$/.exec(term.trim());
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    return { path: (match[1] as string).trim(), value: match[3] as string, not: match[2] === '!=' };
  });
}
