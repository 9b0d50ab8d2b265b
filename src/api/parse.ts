import type { z } from 'zod';
import type { KubeObject } from '../platform/kube/objects.ts';
import type { Kind, ObjectOf } from './kind.ts';

/** Longest list of complaints about one object: enough to mend it, short enough for a condition. */
const ISSUES_MAX = 5;

export type Parsed<T> = { ok: true; value: T } | { ok: false; message: string };

/**
 * Reads an object of ours as it came from the API. The API server has checked it, but perhaps against
 * an older schema: what does not fit is reported by field, never trusted and never thrown.
 */
export function parseAs<K extends Kind>(kind: K, object: KubeObject): Parsed<ObjectOf<K>> {
  const raw = object as KubeObject & { spec?: unknown; status?: unknown };
  const spec = kind.spec.safeParse(raw.spec ?? {});
  if (!spec.success) return { ok: false, message: complaints('spec', spec.error) };
  // A status that we cannot read is as good as none: controllers write it anew.
  const status = kind.status.safeParse(raw.status ?? {});
  const value = {
    apiVersion: raw.apiVersion,
    kind: raw.kind,
    metadata: raw.metadata,
    spec: spec.data,
    status: status.success ? status.data : {},
  };
  return { ok: true, value: value as ObjectOf<K> };
}

function complaints(root: string, error: z.ZodError): string {
  const shown = error.issues.slice(0, ISSUES_MAX).map((issue) => {
    const path = issue.path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('');
    return `${root}${path}: ${issue.message}`;
  });
  const more = error.issues.length - shown.length;
  return more > 0 ? `${shown.join('; ')}; and ${more} more` : shown.join('; ');
}
