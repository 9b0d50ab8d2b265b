import { isDeepStrictEqual } from 'node:util';
import type { KubeCache } from '../platform/kube/cache.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { isConflict, isNotFound } from '../platform/kube/errors.ts';
import type { KubeObject, ObjectMeta, Resource } from '../platform/kube/objects.ts';

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

/** Patches parts of a status; undefined where the object has changed or gone meanwhile, which the next pass looks at. */
export async function patchStatus(
  client: KubeClient,
  resource: Resource,
  { metadata }: { metadata: ObjectMeta },
  status: unknown,
  fieldManager: string,
): Promise<KubeObject | undefined> {
  const patch = { metadata: { resourceVersion: metadata.resourceVersion }, status };
  const { namespace } = metadata;
  const options = { fieldManager, subresource: 'status', ...(namespace && { namespace }) };
  try {
    return await client.mergePatch<KubeObject>(resource, metadata.name, patch, options);
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return undefined;
    throw error;
  }
}
