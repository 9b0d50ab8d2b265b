import { type Clock, SECOND, toTime } from '../../platform/clock/clock.ts';
import { KubeCache } from '../../platform/kube/cache.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import { isConflict, isNotFound } from '../../platform/kube/errors.ts';
import {
  type KubeObject,
  LEASES,
  type Lease,
  NODES,
  type Node,
  type NodeCondition,
  PODS,
  type Pod,
  type Taint,
} from '../../platform/kube/objects.ts';

/** `--node-monitor-grace-period` and `--node-monitor-period` of kube-controller-manager 1.37. */
const GRACE_MS = 50 * SECOND;
const PERIOD_MS = 5 * SECOND;
/** `tolerationSeconds` that admission gives Pods for not-ready and unreachable. */
const TOLERATION_MS = 300 * SECOND;
/** From this share of silent nodes on, the real controller stops evicting: it may be itself that is cut off. */
const UNHEALTHY_SHARE_MAX = 0.55;
const MANAGER = 'kube-controller-manager';
const UNREACHABLE = 'node.kubernetes.io/unreachable';
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
const NOT_READY = 'node.kubernetes.io/not-ready';

interface NodeSeen {
  name: string;
  ready: string;
  tainted: string;
  /** Somebody vouches that it is off. */
  outOfService: boolean;
}

interface LeaseSeen {
  renewTime: string;
}

/** What kube-controller-manager's node-lifecycle controller does, as far as Drover can see it. */
export class NodeLifecycle {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #nodes: KubeCache<NodeSeen>;
  readonly #leases: KubeCache<LeaseSeen>;
  readonly #pods: KubeCache<{
    name: string;
    namespace: string;
    ready: boolean;
    node: string;
    ending: boolean;
  }>;
  readonly #movedAt = new Map<string, number>();
  readonly #silentSince = new Map<string, number>();

  constructor(client: KubeClient) {
    this.#client = client;
    this.#clock = client.clock;
    this.#nodes = new KubeCache({ client, resource: NODES, project: nodeSeen });
    const place = { namespace: 'kube-node-lease' };
    this.#leases = new KubeCache<LeaseSeen>({
      client,
      resource: LEASES,
      place,
      project: (object) => ({ renewTime: (object as Lease).spec?.renewTime ?? '' }),
    });
    this.#pods = new KubeCache({
      client,
      resource: PODS,
      project: podSeen,
      indexes: { node: (pod) => (pod.node ? [pod.node] : []) },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    for (const cache of [this.#nodes, this.#leases, this.#pods]) void cache.run(signal);
    const stop = this.#leases.subscribe(({ key, before, after }) => {
      if (before?.renewTime !== after?.renewTime)
        this.#movedAt.set(key.slice(key.indexOf('/') + 1), this.#clock.now());
    });
    while (!signal.aborted) {
      if (this.#nodes.synced && this.#leases.synced) await this.#pass().catch(() => undefined);
      await this.#clock.sleep(PERIOD_MS, signal).catch(() => undefined);
    }
    stop();
  }

  async #pass(): Promise<void> {
    const now = this.#clock.now();
    const silent: NodeSeen[] = [];
    for (const node of this.#nodes.values()) {
      const movedAt = this.#movedAt.get(node.name) ?? now;
      this.#movedAt.set(node.name, movedAt);
      if (now - movedAt >= GRACE_MS) silent.push(node);
      else await this.#heard(node, now);
      if (node.outOfService && node.ready !== 'True') await this.#forget(node.name);
    }
    const disrupted = silent.length > this.#nodes.size * UNHEALTHY_SHARE_MAX;
    for (const node of silent) await this.#lost(node, now, disrupted);
  }

  /** A node whose lease moves: its taint follows its own Ready condition. */
  async #heard(node: NodeSeen, now: number): Promise<void> {
    if (node.ready === 'True') {
      this.#silentSince.delete(node.name);
      if (node.tainted !== '') await this.#taint(node.name, undefined);
      return;
    }
    if (node.ready !== 'False') return;
    if (node.tainted !== NOT_READY) {
      this.#silentSince.set(node.name, now);
      await this.#taint(node.name, NOT_READY);
      await this.#podsNotReady(node.name);
    }
    await this.#evictAfterToleration(node.name, now);
  }

  async #lost(node: NodeSeen, now: number, disrupted: boolean): Promise<void> {
    if (node.ready !== 'Unknown') {
      this.#silentSince.set(node.name, now);
      await this.#markUnknown(node.name);
      await this.#podsNotReady(node.name);
    }
    if (disrupted) {
      this.#silentSince.set(node.name, now);
      return;
    }
    if (node.tainted !== UNREACHABLE) await this.#taint(node.name, UNREACHABLE);
    await this.#evictAfterToleration(node.name, now);
  }

  /** What the pod garbage collector does on an out-of-service node: its Pods go without their kubelet's word. */
  async #forget(node: string): Promise<void> {
    for (const { name, namespace } of this.#pods.by('node', node))
      await this.#client.delete(PODS, name, { namespace, gracePeriodSeconds: 0 }).catch(ignoreGone);
  }

  async #markUnknown(name: string): Promise<void> {
    const node = await this.#client.get<Node>(NODES, name);
    if (!node) return;
    const at = toTime(this.#clock.now());
    const conditions = (node.status?.conditions ?? []).map(
      (condition): NodeCondition => ({
        ...condition,
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        lastTransitionTime: at,
      }),
    );
    await this.#patch(
      name,
      { metadata: { resourceVersion: node.metadata.resourceVersion }, status: { conditions } },
      'status',
    );
  }

  async #taint(name: string, key: string | undefined): Promise<void> {
    const node = await this.#client.get<Node>(NODES, name);
    if (!node) return;
    const others = (node.spec?.taints ?? []).filter(
      (taint) => taint.key !== UNREACHABLE && taint.key !== NOT_READY,
    );
    const ours: Taint[] = key
      ? [
          { key, effect: 'NoSchedule' },
          { key, effect: 'NoExecute' },
        ]
      : [];
    await this.#patch(name, {
      metadata: { resourceVersion: node.metadata.resourceVersion },
      spec: { taints: [...others, ...ours] },
    });
  }

  async #podsNotReady(node: string): Promise<void> {
    for (const pod of this.#pods.by('node', node)) {
      if (!pod.ready) continue;
      const live = await this.#client.get<Pod>(PODS, pod.name, pod.namespace);
      const conditions = (live?.status?.conditions ?? []).map((condition) =>
        condition.type === 'Ready' ? { ...condition, status: 'False' as const } : condition,
      );
      const options = { namespace: pod.namespace, fieldManager: MANAGER, subresource: 'status' };
      if (live)
        await this.#client.mergePatch(PODS, pod.name, { status: { conditions } }, options).catch(ignoreGone);
    }
  }

  async #evictAfterToleration(node: string, now: number): Promise<void> {
    if (now - (this.#silentSince.get(node) ?? now) < TOLERATION_MS) return;
    for (const pod of this.#pods.by('node', node)) {
      if (!pod.ending)
        await this.#client.delete(PODS, pod.name, { namespace: pod.namespace }).catch(ignoreGone);
    }
  }

  async #patch(name: string, patch: unknown, subresource?: string): Promise<void> {
    const options = { fieldManager: MANAGER, ...(subresource && { subresource }) };
    await this.#client.mergePatch(NODES, name, patch, options).catch(ignoreGone);
  }
}

/** A conflict or a missing object is looked at again in the next pass. */
function ignoreGone(error: unknown): void {
  if (!isConflict(error) && !isNotFound(error)) throw error;
}

function nodeSeen(object: KubeObject): NodeSeen {
  const { metadata, spec, status } = object as Node;
  return {
    name: metadata.name,
    ready: status?.conditions?.find((condition) => condition.type === 'Ready')?.status ?? '',
    tainted: spec?.taints?.find((taint) => taint.key === UNREACHABLE || taint.key === NOT_READY)?.key ?? '',
    outOfService: spec?.taints?.some((taint) => taint.key === OUT_OF_SERVICE) ?? false,
  };
}

function podSeen(object: KubeObject) {
  const { metadata, spec, status } = object as Pod;
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? 'default',
    node: spec?.nodeName ?? '',
    ready:
      status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ??
      false,
    ending: metadata.deletionTimestamp !== undefined,
  };
}
