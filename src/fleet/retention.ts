import { incidentKind } from '../api/incident.ts';
import type { Kind } from '../api/kind.ts';
import { nodeOperationKind } from '../api/node-operation.ts';
import { DAY } from '../platform/clock/clock.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { isNotFound } from '../platform/kube/errors.ts';
import type { Caches } from './caches.ts';

/** Ended incidents and operations stay in etcd for a day, where people look first; history has them for good. */
const KEPT_MS = DAY;
/** Deletions in one pass. */
const DELETIONS_MAX = 200;

interface Ended {
  metadata: { name: string };
  status?: { endedAt?: string | undefined };
}

/** Deletes what ended more than a day ago. */
export async function deleteOld(client: KubeClient, caches: Caches, now: number): Promise<number> {
  const old = (item: Ended) =>
    item.status?.endedAt !== undefined && now - Date.parse(item.status.endedAt) > KEPT_MS;
  const found: { kind: Kind; name: string }[] = [];
  for (const item of caches.incidents.values())
    if (old(item)) found.push({ kind: incidentKind, name: item.metadata.name });
  for (const item of caches.operations.values())
    if (old(item)) found.push({ kind: nodeOperationKind, name: item.metadata.name });
  for (const { kind, name } of found.slice(0, DELETIONS_MAX)) {
    await client.delete(kind.resource, name).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
  return Math.min(found.length, DELETIONS_MAX);
}
