// The control plane on which plans are tried: it must be empty, and is left as it was.
import { MINUTE, SECOND } from '../../platform/clock/clock.ts';
import { KubeCache } from '../../platform/kube/cache.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import { isConflict, isNotFound, KubeError } from '../../platform/kube/errors.ts';
import {
  type KubeObject,
  NAMESPACES,
  NODES,
  type Node,
  PODS,
  pathOf,
  type Resource,
} from '../../platform/kube/objects.ts';
import { TransportError } from '../../platform/kube/transport.ts';
import { PlanError } from '../model.ts';
import { inOrder, type Order } from './margin.ts';
import { MARK, NAMESPACE, namespaceObject, nodeObject, podObject } from './objects.ts';
import { countOf, type NodeKind, type PodKind } from './scene.ts';
import { type PodSeen, podSeen, Tally } from './tally.ts';

const MANAGER = 'drover-plan-verify';
/** Requests under way at once. More makes an API server on the same machine slower, not faster. */
const REQUESTS_MAX = 32;
/** The scheduler hears of Nodes and Pods on two streams: the Nodes have this head start. */
const HEAD_START_MS = SECOND;
/** Its longest wait between two tries of a Pod is 10 s. */
const QUIET_MS = 12 * SECOND;
/** Without any news for so long it is not waited for any more. */
const SILENT_MS_MAX = 30 * SECOND;
const REMOVAL_MS_MAX = 5 * MINUTE;
const REMOVAL_TRIES_MAX = 5;
const NAMED_MAX = 3;
const SERVICE_ACCOUNTS: Resource = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  namespaced: true,
};

export interface Trial {
  nodes: readonly NodeKind[];
  pods: readonly PodKind[];
  scheduler: string;
  order: Order;
  /** Ends at the first Pod that has no place for good. */
  untilRefused: boolean;
}

export interface Tried {
  placed: number;
  /** Pods without a place, by label of the workload: so far, where the trial ended early. */
  unplaced: Map<string, { count: number; messages: string[] }>;
  time_ms: number;
}

export class Stage {
  readonly #client: KubeClient;
  readonly #signal: AbortSignal;
  readonly #pods: KubeCache<PodSeen>;
  readonly #watching = new AbortController();
  readonly #nodes = new Set<string>();

  /** @param signal ends a trial; what was made is removed by `clear` all the same. */
  constructor(client: KubeClient, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
    const place = { namespace: NAMESPACE };
    this.#pods = new KubeCache({ client, resource: PODS, place, project: podSeen });
  }

  /** Throws PlanError where there is anything that is not ours. Changes nothing. */
  async check(): Promise<void> {
    for (const resource of [NODES, PODS]) await this.#refuseOthers(resource);
    const namespace = await this.#client.get(NAMESPACES, NAMESPACE);
    if (namespace && namespace.metadata.labels?.[MARK] === undefined)
      throw new PlanError(
        `this cluster has a namespace ${NAMESPACE} of somebody else; verify on another one`,
      );
  }

  /** What a run that was killed has left is removed. */
  async open(): Promise<void> {
    await this.#removeAll();
    await this.#until(
      'the namespace of an earlier run',
      async () => !(await this.#client.get(NAMESPACES, NAMESPACE)),
    );
    await this.#create(NAMESPACES, namespaceObject());
    // Where Pods need an account, its controller may not have made it yet.
    const account = { name: 'default', namespace: NAMESPACE };
    await this.#create(SERVICE_ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: account });
    void this.#pods.run(this.#watching.signal);
  }

  /** From scratch: no Pod of an earlier trial is there. */
  async run(trial: Trial): Promise<Tried> {
    await this.#removePods();
    await this.#setNodes(trial.nodes);
    await this.#client.clock.sleep(HEAD_START_MS, this.#signal);
    const { clock } = this.#client;
    const startedAt = clock.now();
    const tally = new Tally(countOf(trial.nodes), countOf(trial.pods), clock.now());
    const stop = this.#pods.subscribe((change) => tally.count(change, clock.now()));
    try {
      const enough = () => this.#signal.aborted || (trial.untilRefused && tally.refusedForGood > 0);
      for (const batch of inOrder(trial.pods, trial.order))
        await this.#inParallel(batch, async ({ kind, at }) => {
          if (!enough())
            await this.#create(PODS, podObject(kind, `${kind.label}-${at + 1}`, trial.scheduler));
        });
      while (!enough() && !tally.allPlaced && !this.#isOver(tally, trial)) await this.#news(tally);
      this.#signal.throwIfAborted();
      return { placed: tally.placed, unplaced: this.#unplaced(), time_ms: clock.now() - startedAt };
    } finally {
      stop();
    }
  }

  /** Removes all that was made, also when the signal has ended the trial. */
  async clear(): Promise<void> {
    this.#watching.abort(new Error('verified'));
    await this.#removeAll();
  }

  #isOver(tally: Tally, { scheduler }: Trial): boolean {
    const quiet_ms = this.#client.clock.now() - tally.changedAt;
    if (quiet_ms >= SILENT_MS_MAX && tally.answered === 0)
      throw new PlanError(
        `no scheduler took up Pods of "${scheduler}" within ${SILENT_MS_MAX / SECOND} s: is kube-scheduler running there, with a profile of that name?`,
      );
    if (quiet_ms >= SILENT_MS_MAX) return true;
    if (tally.waiting > 0) return false;
    return tally.hopeful === 0 || quiet_ms >= QUIET_MS;
  }

  /** Resolves at the next change, or after a second. */
  #news(tally: Tally): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#client.clock.timer(SECOND, resolve);
      tally.onChange = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #unplaced(): Tried['unplaced'] {
    const unplaced: Tried['unplaced'] = new Map();
    for (const { workload, node, refusal } of this.#pods.values()) {
      if (node !== '') continue;
      const known = unplaced.get(workload) ?? { count: 0, messages: [] };
      known.count++;
      if (refusal !== '') known.messages.push(refusal);
      unplaced.set(workload, known);
    }
    return unplaced;
  }

  async #refuseOthers(resource: Resource): Promise<void> {
    const { items } = await this.#client.list<KubeObject>(resource, { labelSelector: `!${MARK}` });
    if (items.length === 0) return;
    const named = items.slice(0, NAMED_MAX).map(({ metadata }) => metadata.name);
    const more = items.length > NAMED_MAX ? ` and ${items.length - NAMED_MAX} more` : '';
    throw new PlanError(
      `this cluster is in use: it has the ${resource.plural} ${named.join(', ')}${more}. Plans are verified on an empty control plane only, such as 'node scripts/control-plane.ts up' starts`,
    );
  }

  async #setNodes(kinds: readonly NodeKind[]): Promise<void> {
    const wanted = new Map(
      kinds.flatMap((kind, at) =>
        Array.from({ length: kind.count }, (_, each): [string, NodeKind] => [
          `machine-${at + 1}-${each + 1}`,
          kind,
        ]),
      ),
    );
    const gone = [...this.#nodes].filter((name) => !wanted.has(name));
    const missing = [...wanted].filter(([name]) => !this.#nodes.has(name));
    await this.#inParallel(gone, async (name) => {
      await this.#client.delete(NODES, name).catch(ignoreGone);
      this.#nodes.delete(name);
    });
    await this.#inParallel(missing, async ([name, kind]) => {
      await this.#create<Node>(NODES, nodeObject(kind, name, this.#client.clock.now()));
      this.#nodes.add(name);
    });
  }

  async #removePods(): Promise<void> {
    await this.#removeCollection(PODS, NAMESPACE);
    await this.#until('Pods of an earlier trial', async () => this.#pods.synced && this.#pods.size === 0);
  }

  async #until(what: string, gone: () => Promise<boolean>): Promise<void> {
    const { clock } = this.#client;
    const until = clock.now() + REMOVAL_MS_MAX;
    while (!(await gone())) {
      if (clock.now() > until)
        throw new PlanError(
          `${what} did not go within ${REMOVAL_MS_MAX / MINUTE} minutes: is kube-controller-manager running there?`,
        );
      await clock.sleep(SECOND / 10, this.#signal);
    }
  }

  async #removeAll(): Promise<void> {
    await this.#removeCollection(PODS, NAMESPACE);
    await this.#removeCollection(NODES);
    await this.#client.delete(NAMESPACES, NAMESPACE).catch(ignoreGone);
    this.#nodes.clear();
  }

  /** A server under load may break off the removal of thousands in the middle: then the rest is asked for again. */
  async #removeCollection(resource: Resource, namespace?: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#client.request({
          method: 'DELETE',
          path: pathOf(resource, namespace),
          query: { labelSelector: MARK },
          body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 },
          timeout_ms: REMOVAL_MS_MAX,
        });
        return;
      } catch (error) {
        const isBrokenOff =
          error instanceof TransportError || (error instanceof KubeError && error.status >= 500);
        if (!isBrokenOff || tries >= REMOVAL_TRIES_MAX) throw error;
      }
    }
  }

  /** What is there already is as good. */
  async #create<T extends KubeObject>(resource: Resource, object: T): Promise<void> {
    await this.#client.create(resource, object, MANAGER).catch((error: unknown) => {
      if (!isConflict(error)) throw error;
    });
  }

  /** After the first failure nothing more is begun, and what is under way is waited for: it would come after the clearing. */
  async #inParallel<T>(all: Iterable<T>, work: (each: T) => Promise<void>): Promise<void> {
    const rest = all[Symbol.iterator]();
    const failed: unknown[] = [];
    const worker = async () => {
      for (let next = rest.next(); !next.done && failed.length === 0; next = rest.next()) {
        this.#signal.throwIfAborted();
        await work(next.value);
      }
    };
    await Promise.all(
      Array.from({ length: REQUESTS_MAX }, () => worker().catch((error: unknown) => void failed.push(error))),
    );
    if (failed.length > 0) throw failed[0];
  }
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error;
}
