import type { Kind, Registry } from './registry.ts';

export interface Route {
  kind: Kind;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string;
}

/** What a path under `/api` or `/apis` names; undefined: nothing that is served. */
export function routeOf(path: string, registry: Registry): Route | undefined {
  const parts = path.split('/');
  const core = parts[1] === 'api';
  const group = core ? '' : (parts[2] as string);
  const version = parts[core ? 2 : 3];
  let at = core ? 3 : 4;
  if (version === undefined || (!core && parts[1] !== 'apis')) return undefined;
  let namespace: string | undefined;
  const next = parts[at + 2];
  // `/namespaces/a/pods` is a collection; `/namespaces/a` and `/namespaces/a/status` are the Namespace.
  if (
    parts[at] === 'namespaces' &&
    next !== undefined &&
    !(core && isNamespaceSubresource(next, parts.length - at))
  ) {
    namespace = decode(parts[at + 1]);
    at += 2;
  }
  const plural = parts[at];
  if (plural === undefined || parts.length > at + 3) return undefined;
  const kind = registry.find(group, version, plural);
  if (!kind || (namespace !== undefined && !kind.namespaced)) return undefined;
  const name = decode(parts[at + 1]);
  if (name !== undefined && kind.namespaced && namespace === undefined) return undefined;
  return { kind, namespace, name, subresource: parts[at + 2] ?? '' };
}

const isNamespaceSubresource = (word: string, length: number) =>
  length === 3 && (word === 'status' || word === 'finalize');

function decode(part: string | undefined): string | undefined {
  if (!part) return undefined;
  return part.includes('%') ? decodeURIComponent(part) : part;
}
