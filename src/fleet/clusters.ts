import { type Cluster, HOME_CLUSTER } from '../api/cluster.ts';
import type { Change } from '../platform/kube/cache.ts';
import { KubeCache } from '../platform/kube/cache.ts';
import { KubeClient } from '../platform/kube/client.ts';
import { messageOf } from '../platform/kube/errors.ts';
import { NODES } from '../platform/kube/objects.ts';
import { readSecret } from '../platform/kube/secrets.ts';
import type { Transport } from '../platform/kube/transport.ts';
import { type NodeView, nodeView } from './node-view.ts';

export interface Member {
  name: string;
  client: KubeClient;
  nodes: KubeCache<NodeView>;
}

export type NodeListener = (cluster: string, change: Change<NodeView>) => void;

interface Opened extends Member {
  /** The kubeconfig that it was opened with. */
  kubeconfig: string;
  stop: AbortController;
}

/**
 * The clusters that hold nodes: the home cluster always, and a member for each Cluster object whose
 * kubeconfig can be used. A member that can't be opened says so in its condition and stops no other.
 */
export class Clusters {
  readonly home: Member;
  /** What is wrong with those that can't be opened. */
  readonly troubles = new Map<string, string>();
  readonly #opened = new Map<string, Opened>();
  readonly #listeners = new Set<NodeListener>();
  readonly #signal: AbortSignal;
  readonly #connect: (kubeconfig: string) => Transport;

  /** @param connect makes a transport from a kubeconfig's text; throws what is wrong with it. */
  constructor(home: KubeClient, connect: (kubeconfig: string) => Transport, signal: AbortSignal) {
    this.#signal = signal;
    this.#connect = connect;
    this.home = this.#open(HOME_CLUSTER, home, signal);
  }

  get(name: string): Member | undefined {
    return name === HOME_CLUSTER ? this.home : this.#opened.get(name);
  }

  *all(): IterableIterator<Member> {
    yield this.home;
    yield* this.#opened.values();
  }

  /** Calls `listener` on each change of a node of any cluster; returns how to stop. */
  subscribe(listener: NodeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Opens, reopens or closes members as the Cluster objects and their Secrets say now. One pass; to be
   * called again and again, since a Secret may come later than its Cluster, or be renewed.
   */
  async follow(clusters: ReadonlyMap<string, Cluster>): Promise<void> {
    for (const name of [...this.#opened.keys(), ...this.troubles.keys()])
      if (!clusters.has(name)) this.#close(name, 'the Cluster is gone');
    for (const [name, cluster] of clusters) {
      try {
        const kubeconfig = await this.#kubeconfigOf(cluster);
        if (this.#opened.get(name)?.kubeconfig === kubeconfig) continue;
        this.#close(name, 'its kubeconfig has changed');
        const stop = new AbortController();
        const client = new KubeClient(this.#connect(kubeconfig), this.home.client.clock);
        const member = this.#open(name, client, AbortSignal.any([this.#signal, stop.signal]));
        this.#opened.set(name, { ...member, kubeconfig, stop });
        this.troubles.delete(name);
      } catch (error) {
        // A member that is open stays so: a Secret that can't be read just now is no reason to go blind.
        this.troubles.set(name, messageOf(error));
      }
    }
  }

  #close(name: string, why: string): void {
    const present = this.#opened.get(name);
    present?.stop.abort(new Error(why));
    present?.client.transport.close();
    this.#opened.delete(name);
    this.troubles.delete(name);
  }

  async #kubeconfigOf(cluster: Cluster): Promise<string> {
    const { namespace, name, key } = cluster.spec.kubeconfigSecret;
    const secret = await readSecret(this.home.client, { namespace, name });
    const kubeconfig = secret[key];
    if (!kubeconfig)
      throw new Error(
        `Secret ${namespace}/${name} has no key "${key}"; it has ${Object.keys(secret).join(', ') || 'none'}`,
      );
    return kubeconfig;
  }

  #open(name: string, client: KubeClient, signal: AbortSignal): Member {
    const nodes = new KubeCache<NodeView>({ client, resource: NODES, project: nodeView });
    nodes.subscribe((change) => {
      for (const listener of this.#listeners) listener(name, change);
    });
    void nodes.run(signal);
    return { name, client, nodes };
  }
}
