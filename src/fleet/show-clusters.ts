import { type Cluster, clusterKind } from '../api/cluster.ts';
import { STALENESS_MS_MAX } from '../api/limits.ts';
import { MINUTE } from '../platform/clock/clock.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { standsSo, withCondition } from '../platform/kube/conditions.ts';
import type { Condition } from '../platform/kube/objects.ts';
import type { Caches } from './caches.ts';
import type { Clusters, Member } from './clusters.ts';
import { patchStatus } from './write-status.ts';

const FIELD_MANAGER = 'drover-clusters';
/** `lastSeenAt` is written this often while nothing else changes. */
const SEEN_MS = MINUTE;

/** Shows on each Cluster whether it answers, how many nodes it has and how old its data is. One pass. */
export async function showClusters(
  client: KubeClient,
  caches: Caches,
  clusters: Clusters,
  now: number,
): Promise<void> {
  for (const cluster of caches.clusters.values()) {
    const { name } = cluster.metadata;
    const status = clusterStatus(cluster, clusters.get(name), clusters.troubles.get(name), now);
    if (!status) continue;
    const written = await patchStatus(client, clusterKind.resource, cluster, status, FIELD_MANAGER);
    if (written) caches.clusters.observe(written);
  }
}

/** The status that the Cluster should show now; undefined where it shows that already. Pure. */
function clusterStatus(
  { metadata, status: old = {} }: Cluster,
  member: Member | undefined,
  trouble: string | undefined,
  now: number,
): Cluster['status'] | undefined {
  const connected = connection(member, trouble);
  const age_ms = member?.nodes.age_ms() ?? Number.POSITIVE_INFINITY;
  const seenAt = Number.isFinite(age_ms) ? now - age_ms : undefined;
  const nodes = member?.nodes.size ?? old.nodes ?? 0;
  const isOld =
    seenAt !== undefined && seenAt - Date.parse(old.lastSeenAt ?? '1970-01-01T00:00:00Z') >= SEEN_MS;
  if (standsSo(old.conditions, connected) && nodes === old.nodes && !isOld) return undefined;
  return {
    observedGeneration: metadata.generation ?? 0,
    conditions: withCondition(old.conditions, connected, now),
    nodes,
    ...(seenAt !== undefined && { lastSeenAt: new Date(seenAt).toISOString() }),
  };
}

function connection(
  member: Member | undefined,
  trouble: string | undefined,
): Omit<Condition, 'lastTransitionTime'> {
  const no = (reason: string, message: string) =>
    ({ type: 'Connected', status: 'False', reason, message: message.slice(0, 1000) }) as const;
  if (!member) return no('NotUsable', trouble ?? 'its kubeconfig has not been read yet');
  if (!member.nodes.synced) return no('NoList', 'its nodes have not been listed yet');
  if (member.nodes.age_ms() > STALENESS_MS_MAX)
    return no(
      'Silent',
      `its API has told us nothing for longer than ${STALENESS_MS_MAX / 1000} s; nothing is disrupted there`,
    );
  return { type: 'Connected', status: 'True', reason: 'Connected', message: 'its nodes are followed' };
}
