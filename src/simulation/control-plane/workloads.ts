import { type Clock, SECOND } from '../../platform/clock/clock.ts';
import { KubeCache } from '../../platform/kube/cache.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import {
  type KubeObject,
  NODES,
  type Node,
  PODS,
  type Pod,
  REPLICASETS,
} from '../../platform/kube/objects.ts';

/** Looks this often; between two looks nothing waits that a person would notice. */
const PERIOD_MS = 2 * SECOND;
const MANAGER = 'kube-controller-manager';

interface SetSeen {
  name: string;
  namespace: string;
  uid: string;
  replicas: number;
  template: { metadata?: { labels?: Record<string, string> }; spec?: unknown };
}

interface PodSeen {
  name: string;
  namespace: string;
  node: string;
  owner: string;
  ending: boolean;
}

interface NodeSeen {
  name: string;
  open: boolean;
}

/** What the ReplicaSet controller and the scheduler do, as far as Drover can see it: Pods are there, and on nodes that take them. */
export class Workloads {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #sets: KubeCache<SetSeen>;
  readonly #pods: KubeCache<PodSeen>;
  readonly #nodes: KubeCache<NodeSeen>;

  constructor(client: KubeClient) {
    this.#client = client;
    this.#clock = client.clock;
    this.#sets = new KubeCache({ client, resource: REPLICASETS, project: setSeen });
    this.#nodes = new KubeCache({ client, resource: NODES, project: nodeSeen });
    this.#pods = new KubeCache({
      client,
      resource: PODS,
      project: podSeen,
      indexes: {
        owner: (pod) => (pod.owner && !pod.ending ? [pod.owner] : []),
        node: (pod) => (pod.node ? [pod.node] : []),
        unbound: (pod) => (pod.node || pod.ending ? [] : ['yes']),
      },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    for (const cache of [this.#sets, this.#nodes, this.#pods]) void cache.run(signal);
    while (!signal.aborted) {
      if (this.#sets.synced && this.#nodes.synced && this.#pods.synced) {
        await this.#replicate().catch(() => undefined);
        await this.#schedule().catch(() => undefined);
      }
      await this.#clock.sleep(PERIOD_MS, signal).catch(() => undefined);
    }
  }

  async #replicate(): Promise<void> {
    for (const set of this.#sets.values()) {
      const missing = set.replicas - this.#pods.by('owner', set.uid).length;
      for (let count = 0; count < missing; count++) {
        const pod = {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            name: `${set.name}-${this.#clock.id(5)}`,
            namespace: set.namespace,
            ...(set.template.metadata?.labels && { labels: set.template.metadata.labels }),
            ownerReferences: [
              { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: set.name, uid: set.uid, controller: true },
            ],
          },
          spec: set.template.spec,
        };
        this.#pods.observe(await this.#client.create<KubeObject>(PODS, pod, MANAGER));
      }
    }
  }

  /** The emptiest node that takes Pods. */
  async #schedule(): Promise<void> {
    const waiting = this.#pods.by('unbound', 'yes');
    if (waiting.length === 0) return;
    const loads = new Map<string, number>();
    for (const node of this.#nodes.values())
      if (node.open) loads.set(node.name, this.#pods.by('node', node.name).length);
    for (const pod of waiting) {
      let best: string | undefined;
      for (const [name, load] of loads)
        if (best === undefined || load < (loads.get(best) as number)) best = name;
      if (best === undefined) return;
      loads.set(best, (loads.get(best) as number) + 1);
      await this.#client.request({
        method: 'POST',
        path: `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/binding`,
        body: {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name: pod.name, namespace: pod.namespace },
          target: { kind: 'Node', name: best },
        },
      });
    }
  }
}

function setSeen(object: KubeObject): SetSeen {
  const { metadata, spec } = object as KubeObject & {
    spec: { replicas?: number; template: SetSeen['template'] };
  };
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? 'default',
    uid: metadata.uid ?? '',
    replicas: spec.replicas ?? 1,
    template: spec.template,
  };
}

function podSeen(object: KubeObject): PodSeen {
  const { metadata, spec, status } = object as Pod;
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? 'default',
    node: spec?.nodeName ?? '',
    owner: metadata.ownerReferences?.find((owner) => owner.controller)?.uid ?? '',
    ending:
      metadata.deletionTimestamp !== undefined || status?.phase === 'Failed' || status?.phase === 'Succeeded',
  };
}

function nodeSeen(object: KubeObject): NodeSeen {
  const { metadata, spec, status } = object as Node;
  const ready =
    status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ??
    false;
  const closed = spec?.unschedulable || spec?.taints?.some((taint) => taint.effect !== 'PreferNoSchedule');
  return { name: metadata.name, open: ready && !closed };
}
