// Which machine a request means: Cluster API's go by the Machine that owns them, medik8s' by the name of the node.
import { z } from 'zod';
import { HOME_CLUSTER } from '../../api/cluster.ts';
import type { Reason } from '../../api/fields.ts';
import type { Machine } from '../../api/machine.ts';
import type { Remediation } from '../../api/remediation.ts';
import type { Caches } from '../../fleet/caches.ts';
import type { Clusters } from '../../fleet/clusters.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import { KubeError } from '../../platform/kube/errors.ts';
import { NODES, type OwnerReference, type Resource } from '../../platform/kube/objects.ts';

/** medik8s names the node here where a remediator may have several templates. */
export const NODE_NAME = 'remediation.medik8s.io/node-name';
const GROUP = 'cluster.x-k8s.io';
/** Cluster API tells on each Node which Machine it is. */
const NODE_OF = `${GROUP}/machine`;
const NODE_IN = `${GROUP}/cluster-namespace`;

const machineShape = z.object({
  metadata: z.object({ uid: z.string() }),
  spec: z.object({ clusterName: z.string().default('') }).prefault({}),
  status: z.object({ nodeRef: z.object({ name: z.string().default('') }).prefault({}) }).prefault({}),
});

export interface Lookup {
  client: KubeClient;
  caches: Caches;
  clusters: Clusters;
}

/** The Machine of Cluster API for which a MachineHealthCheck made this; undefined where it was another. */
export function capiOwner({ metadata }: Remediation): OwnerReference | undefined {
  return metadata.ownerReferences?.find(
    ({ apiVersion, kind }) => apiVersion.startsWith(`${GROUP}/`) && kind === 'Machine',
  );
}

export function capiMachines({ apiVersion }: OwnerReference): Resource {
  const version = apiVersion.slice(GROUP.length + 1);
  return { group: GROUP, version, kind: 'Machine', plural: 'machines', namespaced: true };
}

/** Drover's Machine, or why none is known. Throws where the API does not answer. */
export async function whom(request: Remediation, at: Lookup): Promise<Machine | Reason> {
  const known = request.status?.machine && at.caches.machines.get(request.status.machine);
  if (known) return known;
  const owner = capiOwner(request);
  return owner ? ofCapi(request, owner, at) : ofNode(request, at.caches);
}

/** NodeHealthChecks look after the nodes of the cluster that they stand in. */
function ofNode({ metadata }: Remediation, caches: Caches): Machine | Reason {
  const node = metadata.annotations?.[NODE_NAME] ?? metadata.name;
  const [found] = caches.machines.by('node', `${HOME_CLUSTER}/${node}`);
  return found ?? notFound(`no Machine of Drover’s is the node ${node} of this cluster`);
}

async function ofCapi(
  { metadata }: Remediation,
  owner: OwnerReference,
  { client, caches, clusters }: Lookup,
): Promise<Machine | Reason> {
  const namespace = metadata.namespace ?? '';
  const what = `Machine ${namespace}/${owner.name} of Cluster API`;
  const object = await client.get(capiMachines(owner), owner.name, namespace).catch((error: unknown) => {
    if (error instanceof KubeError && error.status === 403) return error;
    throw error;
  });
  if (object instanceof KubeError)
    return {
      reason: 'MissingRights',
      message: `the ${what} may not be read: ${object.message}`.slice(0, 1000),
    };
  const { success, data } = machineShape.safeParse(object);
  if (!success || data.metadata.uid !== owner.uid) return notFound(`the ${what} is gone`);
  const node = data.status.nodeRef.name;
  if (!node) return notFound(`the ${what} has no node yet, so nothing of Drover’s is known to be behind it`);
  for (const { name: cluster, client: member } of clusters.all()) {
    const [found] = caches.machines.by('node', `${cluster}/${node}`);
    if (!found) continue;
    if (cluster === data.spec.clusterName) return found;
    // Nodes of two clusters may have one name: it must say itself that it is this Machine.
    const { annotations } = (await member.get(NODES, node))?.metadata ?? {};
    if (annotations?.[NODE_OF] === owner.name && annotations[NODE_IN] === namespace) return found;
  }
  return notFound(
    `the ${what} is node ${node} of cluster ${data.spec.clusterName}, and no Machine of Drover’s is that: it is found by a Cluster of that name, or by the node’s annotation ${NODE_OF}`,
  );
}

function notFound(message: string): Reason {
  return { reason: 'NodeNotFound', message: message.slice(0, 1000) };
}
