import { MESSAGE_LENGTH_MAX, type Reason } from '../api/fields.ts';
import type { KubeCache } from '../platform/kube/cache.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { standsSo, withCondition } from '../platform/kube/conditions.ts';
import { KubeError } from '../platform/kube/errors.ts';
import type { Condition, KubeObject } from '../platform/kube/objects.ts';
import { patchStatus } from './write-status.ts';

const FIELD_MANAGER = 'drover-acceptance';
/** Objects told of their faults in one pass; the others have their turn in the next. */
const WRITES_MAX = 50;

/**
 * Says on each object that could not be read what is wrong with it: such an object takes part in nothing,
 * and without this nobody would know why.
 * @param say for an object that is so wrong that the server takes no status on it either.
 */
export async function reportRejected(
  client: KubeClient,
  caches: readonly KubeCache<never>[],
  now: number,
  say: (object: KubeObject, why: Reason) => void,
): Promise<void> {
  let writes = 0;
  for (const cache of caches) {
    for (const { object, message } of cache.rejected.values()) {
      if (writes >= WRITES_MAX) return;
      const wanted = [{ type: 'Accepted', status: 'False', reason: 'Invalid', message }] as const;
      try {
        if (await setConditions(client, cache, object, wanted, now)) writes++;
      } catch (error) {
        // One that the server refuses must not keep the others from being told.
        if (!(error instanceof KubeError)) throw error;
        say(object, { reason: 'Invalid', message: message.slice(0, MESSAGE_LENGTH_MAX) });
      }
    }
  }
}

/** Sets conditions by one conditional patch; false where they stand so already, or the object has changed meanwhile. */
export async function setConditions(
  client: KubeClient,
  cache: Pick<KubeCache<never>, 'resource'>,
  object: KubeObject,
  wanted: readonly Omit<Condition, 'lastTransitionTime'>[],
  now: number,
): Promise<boolean> {
  const status = (object as KubeObject & { status?: { conditions?: Condition[] } }).status;
  if (wanted.every((next) => standsSo(status?.conditions, next))) return false;
  const conditions = wanted.reduce(
    (conditions, next) => withCondition(conditions, next, now),
    status?.conditions ?? [],
  );
  return (await patchStatus(client, cache.resource, object, { conditions }, FIELD_MANAGER)) !== undefined;
}
