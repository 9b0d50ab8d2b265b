import { type Cluster, clusterKind, HOME_CLUSTER } from '../../api/cluster.ts';
import { type DisruptionBudget, disruptionBudgetKind } from '../../api/disruption-budget.ts';
import { type HealingPolicy, healingPolicyKind } from '../../api/healing-policy.ts';
import { type Incident, incidentKind } from '../../api/incident.ts';
import type { Kind, ObjectOf } from '../../api/kind.ts';
import type { Machine } from '../../api/machine.ts';
import { type NodeOperation, nodeOperationKind } from '../../api/node-operation.ts';
import { parseAs } from '../../api/parse.ts';
import { NAMESPACE } from '../../fleet/install.ts';
import { nodeNameOf } from '../../fleet/labels.ts';
import { KubeClient, type Place } from '../../platform/kube/client.ts';
import { messageOf } from '../../platform/kube/errors.ts';
import { kubeconfigFromText } from '../../platform/kube/kubeconfig.ts';
import {
  type KubeObject,
  LEASES,
  type Lease,
  NODES,
  type Node,
  SECRETS,
} from '../../platform/kube/objects.ts';

/** Label by which incidents and operations name their machine. */
const MACHINE_LABEL = 'drover.dev/machine';

/** Everything that an explanation rests on, as it was read. */
export interface Facts {
  machine: Machine;
  node: Node | undefined;
  /** Why the node could not be read, where that is so. */
  nodeUnread?: string;
  /** The open incident, or the last one. */
  incident: Incident | undefined;
  /** Of this machine, oldest first. */
  operations: readonly NodeOperation[];
  policies: readonly HealingPolicy[];
  budgets: readonly DisruptionBudget[];
  /** Who leads, and when that was last renewed; undefined where no Drover has ever run. */
  leader: { holder: string; renewedAt: number } | undefined;
}

export async function readFacts(client: KubeClient, machine: Machine): Promise<Facts> {
  const { name } = machine.metadata;
  const mine = { labelSelector: `${MACHINE_LABEL}=${name.slice(0, 63)}` };
  const [node, incidents, operations, policies, budgets, lease] = await Promise.all([
    readNode(client, machine),
    listAs(client, incidentKind, mine),
    listAs(client, nodeOperationKind, mine),
    listAs(client, healingPolicyKind),
    listAs(client, disruptionBudgetKind),
    client.get<Lease>(LEASES, 'drover', NAMESPACE).catch(() => undefined),
  ]);
  const own = incidents.filter(({ spec }) => spec.machine === name).sort(byCreation);
  return {
    machine,
    ...node,
    incident: own.findLast(({ status }) => !status?.endedAt) ?? own.at(-1),
    operations: await withCurrent(
      client,
      machine,
      operations.filter(({ spec }) => spec.machine === name),
    ),
    policies,
    budgets,
    leader: lease && {
      holder: lease.spec?.holderIdentity ?? '',
      renewedAt: Date.parse(lease.spec?.renewTime ?? ''),
    },
  };
}

/** Operations that people ask for carry no label: the machine's status names the one that counts now. */
async function withCurrent(
  client: KubeClient,
  machine: Machine,
  known: readonly NodeOperation[],
): Promise<NodeOperation[]> {
  const found = [...known];
  const current = machine.status?.operation;
  if (current && !found.some(({ metadata }) => metadata.name === current)) {
    const object = await client.get<KubeObject>(nodeOperationKind.resource, current);
    const parsed = object && parseAs(nodeOperationKind, object);
    if (parsed?.ok) found.push(parsed.value);
  }
  return found.sort(byCreation);
}

async function readNode(home: KubeClient, machine: Machine): Promise<Pick<Facts, 'node' | 'nodeUnread'>> {
  const { cluster } = machine.spec;
  let close = () => {};
  try {
    let client = home;
    if (cluster !== HOME_CLUSTER) {
      client = await memberClient(home, cluster);
      close = () => client.transport.close();
    }
    return { node: await client.get<Node>(NODES, nodeNameOf(machine)) };
  } catch (error) {
    return { node: undefined, nodeUnread: messageOf(error) };
  } finally {
    close();
  }
}

async function memberClient(home: KubeClient, name: string): Promise<KubeClient> {
  const cluster = await home.get<KubeObject & Cluster>(clusterKind.resource, name);
  if (!cluster) throw new Error(`there is no Cluster ${name}`);
  const { namespace, name: secretName, key } = cluster.spec.kubeconfigSecret;
  const source = `Secret ${namespace}/${secretName}`;
  const secret = await home.get<KubeObject & { data?: Record<string, string> }>(
    SECRETS,
    secretName,
    namespace,
  );
  const data = secret?.data?.[key];
  if (!data) throw new Error(`${source} has no key "${key}"`);
  const text = Buffer.from(data, 'base64').toString('utf8');
  return new KubeClient(
    kubeconfigFromText(text, { clock: home.clock, source, userAgent: 'drover' }).transport,
    home.clock,
  );
}

/** Objects that can be read; one that can't says so in its own condition and takes part in nothing. */
async function listAs<K extends Kind>(
  client: KubeClient,
  kind: K,
  place: Place = {},
): Promise<ObjectOf<K>[]> {
  const { items } = await client.list<KubeObject>(kind.resource, place);
  return items.flatMap((item) => {
    const parsed = parseAs(kind, item);
    return parsed.ok ? [parsed.value] : [];
  });
}

function byCreation(
  a: { metadata: KubeObject['metadata'] },
  b: { metadata: KubeObject['metadata'] },
): number {
  const at = ({ creationTimestamp = '' }: KubeObject['metadata']) => creationTimestamp;
  return (
    at(a.metadata).localeCompare(at(b.metadata)) ||
    a.metadata.name.localeCompare(b.metadata.name, 'en', { numeric: true })
  );
}
