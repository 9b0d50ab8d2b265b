import { isDeepStrictEqual } from 'node:util';
import type { KubeCache } from '../platform/kube/cache.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import type { KubeObject } from '../platform/kube/objects.ts';

/**
 * Writes a status where it says something new, and lets the cache see it at once; gives back the object as it
 * then is. Throws a Conflict where somebody has changed the object since it was read.
 */
export async function writeStatus<T extends KubeObject & { status?: unknown }>(
  client: KubeClient,
  cache: Pick<KubeCache<never>, 'resource' | 'observe'>,
  object: T,
  status: NonNullable<T['status']>,
  fieldManager: string,
): Promise<T> {
  // As JSON: a field that is set to undefined is one that goes away.
  const wanted: unknown = JSON.parse(JSON.stringify(status));
  if (isDeepStrictEqual(object.status ?? {}, wanted)) return object;
  const written = await client.replace<KubeObject>(
    cache.resource,
    { ...object, status: wanted },
    fieldManager,
    'status',
  );
  cache.observe(written);
  return written as T;
}
