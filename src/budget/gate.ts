import type { Reason } from '../api/fields.ts';
import type { HealingPolicy } from '../api/healing-policy.ts';
import type { Machine } from '../api/machine.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import { type Caches, oldestOf } from '../fleet/caches.ts';
import type { Clusters } from '../fleet/clusters.ts';
import { nodeNameOf } from '../fleet/labels.ts';
import { nodeView } from '../fleet/node-view.ts';
import { policyFor } from '../fleet/policies.ts';
import type { Clock } from '../platform/clock/clock.ts';
import type { KubeCache } from '../platform/kube/cache.ts';
import { NODES, type Node } from '../platform/kube/objects.ts';
import { admit, lookback_ms } from './admit.ts';
import { brake } from './brake.ts';
import { charge, type Stock, takeStock } from './stock.ts';

/** Counting a fleet of 50,000 takes some 50 ms: the count is kept this long, and what is admitted is added to it. */
const STOCK_MS = 1_000;

export interface GateOptions {
  clock: Clock;
  caches: Caches;
  clusters: Clusters;
  /** Machines of a cluster that answer nothing now and whose rack is not out as a whole, and since when. */
  lost(cluster: string): ReadonlyMap<string, number>;
  /** Our own witnesses agree that the machine is down, though its Node may still be Ready=True for 50 s. */
  isDown(machine: string): boolean;
  /** Why a rollout shall wait for this machine: machines like it crash as they never did. */
  surge?(machine: Machine): Reason | undefined;
  notLeader(): Reason | undefined;
}

/**
 * The one gate that every operation passes. Questions are answered one after another, and an admission is
 * written before the next question, so that two can't share the last place.
 */
export class Gate {
  readonly #options: GateOptions;
  #last: Promise<unknown> = Promise.resolve();
  #stocks: { at: number; stocks: Stock[] } = { at: Number.NEGATIVE_INFINITY, stocks: [] };

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /**
   * Why the operation may not begin now; undefined where it may, and then `write` has stored that.
   * @param write stores the admission; told whether the node takes Pods now.
   */
  ask(
    operation: NodeOperation,
    write: (takesPods: boolean) => Promise<NodeOperation>,
  ): Promise<Reason | undefined> {
    const answer = this.#last.then(() => this.#answer(operation, write));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** What is used of each budget, as of the last second. */
  stocks(): readonly Stock[] {
    const { clock, caches } = this.#options;
    const now = clock.now();
    if (now - this.#stocks.at >= STOCK_MS) {
      const since = now - lookback_ms(caches.budgets.values());
      const operations = [...caches.operations.values()].filter(
        ({ status }) => status?.admittedAt && (!status.endedAt || Date.parse(status.admittedAt) >= since),
      );
      const takesPods = (machine: string) => this.#takesPods(caches.machines.get(machine));
      const stocks = takeStock(caches.budgets.values(), {
        machines: caches.machines.values(),
        operations,
        takesPods,
        now,
      });
      this.#stocks = { at: now, stocks };
    }
    return this.#stocks.stocks;
  }

  async #answer(
    operation: NodeOperation,
    write: (takesPods: boolean) => Promise<NodeOperation>,
  ): Promise<Reason | undefined> {
    const { clock, caches, clusters, notLeader } = this.#options;
    const { machine: name, cluster, node: nodeName } = operation.spec;
    const machine = caches.machines.get(name);
    const member = clusters.get(cluster);
    if (!member) return { reason: 'NoCluster', message: `cluster ${cluster} is not connected` };
    const caches_ = [
      caches.machines,
      caches.operations,
      caches.incidents,
      caches.budgets,
      caches.policies,
      member.nodes,
    ];
    const other = caches.operations
      .by('machine', name)
      .find(
        (one) =>
          one.status?.admittedAt && !one.status.endedAt && one.metadata.name !== operation.metadata.name,
      );
    const question = {
      operation,
      machine,
      takesPods: this.#takesPods(machine),
      other,
      stocks: this.stocks(),
      notLeader: notLeader(),
      oldest: oldestOf(caches_ as unknown as KubeCache<never>[]),
      braked: machine && this.#braked(machine),
      surge: machine && this.#options.surge?.(machine),
      now: clock.now(),
    };
    const refusal = admit(question);
    if (refusal || !machine) return refusal;
    // The node once more, from the API server itself: what it costs is decided on nothing older than this answer.
    const live = await member.client.get<Node>(NODES, nodeName);
    const view = live && nodeView(live);
    const takesPods =
      view !== undefined && view.ready === 'True' && !view.unschedulable && !this.#options.isDown(name);
    if (takesPods && !question.takesPods) {
      const again = admit({ ...question, takesPods, now: clock.now() });
      if (again) return again;
    }
    const late = notLeader();
    if (late) return late;
    const written = await write(takesPods);
    charge(this.#stocks.stocks, machine, written, clock.now());
    return undefined;
  }

  #takesPods(machine: Machine | undefined): boolean {
    const node = machine && this.#options.clusters.get(machine.spec.cluster)?.nodes.get(nodeNameOf(machine));
    if (machine && this.#options.isDown(machine.metadata.name)) return false;
    return node !== undefined && node.ready === 'True' && !node.unschedulable;
  }

  /** Whether the policy's brake holds in any cluster, for its status. */
  brakeOf(policy: HealingPolicy): Reason | undefined {
    for (const { name } of this.#options.clusters.all()) {
      const braked = this.#brakeIn(name, policy);
      if (braked) return braked;
    }
    return undefined;
  }

  #braked(machine: Machine): Reason | undefined {
    const policy = policyFor(machine, this.#options.caches.policies.values());
    return policy && this.#brakeIn(machine.spec.cluster, policy);
  }

  #brakeIn(cluster: string, policy: HealingPolicy): Reason | undefined {
    const { caches, clock, lost } = this.#options;
    let total = 0;
    for (const machine of caches.machines.values()) if (machine.spec.cluster === cluster) total++;
    const incidents = [...caches.incidents.values()].filter((incident) => incident.spec.cluster === cluster);
    return brake({ cluster, total, lost: lost(cluster), incidents }, policy, clock.now());
  }
}
