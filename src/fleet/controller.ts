import { typeMetaOf } from '../api/crd.ts';
import type { Reason } from '../api/fields.ts';
import type { Machine, MachineStatus } from '../api/machine.ts';
import { nodeOperationKind } from '../api/node-operation.ts';
import type { Clock } from '../platform/clock/clock.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { isConflict, KubeError } from '../platform/kube/errors.ts';
import type { KubeObject } from '../platform/kube/objects.ts';
import { WorkQueue } from '../platform/kube/queue.ts';
import type { Caches } from './caches.ts';
import type { Clusters } from './clusters.ts';
import { hasOutlived, isHeld } from './cordons.ts';
import { nodeNameOf } from './labels.ts';
import { machineStatus, type Seen } from './machine-status.ts';
import type { Ways } from './ways.ts';
import { writeStatus } from './write-status.ts';

const FIELD_MANAGER = 'drover-fleet';
const CONCURRENCY = 16;

export interface FleetOptions {
  clock: Clock;
  client: KubeClient;
  caches: Caches;
  clusters: Clusters;
  /** Whether providers answer. */
  ways: Ways;
  /** Calls `listener` when the signals room has seen something new of a machine; returns how to stop. */
  onSeen(listener: (machine: string) => void): () => void;
  /** What the signals room holds true of the machine. */
  evidence(machine: string): readonly string[];
  isWell(machine: string): boolean;
  decisions(machine: string): MachineStatus['decisions'];
  /** Takes away what of ours keeps Pods from the node; leaves all that is others'. */
  giveBack(client: KubeClient, node: string): Promise<boolean>;
  refusal(): Reason | undefined;
  say(machine: Machine, reason: Reason): void;
  onError(key: string, error: unknown): void;
}

/** Keeps each Machine's status true, its `desired` state asked for, and no cordon of ours behind. */
export class FleetController {
  readonly queue: WorkQueue;
  readonly #options: FleetOptions;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.queue = new WorkQueue(options.clock);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { caches, clusters, onError } = this.#options;
    const ofNode = (cluster: string, node: string) => {
      for (const machine of caches.machines.by('node', `${cluster}/${node}`))
        this.queue.add(machine.metadata.name);
    };
    const stops = [
      this.#options.onSeen((machine) => this.queue.add(machine)),
      caches.machines.subscribe(({ key, after }) => after && this.queue.add(key)),
      caches.incidents.subscribe(({ before, after }) =>
        this.queue.add((after ?? before)?.spec.machine ?? ''),
      ),
      caches.operations.subscribe(({ before, after }) =>
        this.queue.add((after ?? before)?.spec.machine ?? ''),
      ),
      clusters.subscribe((cluster, { key }) => ofNode(cluster, key)),
      this.#options.ways.subscribe((machine) => this.queue.add(machine)),
    ];
    for (const name of caches.machines.keys()) this.queue.add(name);
    await this.queue.run((name) => this.#look(name), { concurrency: CONCURRENCY, signal, onError });
    for (const stop of stops) stop();
  }

  async #look(name: string): Promise<number | undefined> {
    const { caches, clusters, clock, refusal } = this.#options;
    const machine = caches.machines.get(name);
    if (!machine || refusal()) return undefined;
    const member = clusters.get(machine.spec.cluster);
    const node = member?.nodes.get(nodeNameOf(machine));
    const operations = caches.operations.by('machine', name);
    const incidents = caches.incidents.by('machine', name);
    let again_ms: number | undefined;
    try {
      if (member && node && isHeld(node)) {
        // Time alone can make the machine well, and no event tells of that.
        again_ms = 2_000;
        if (
          hasOutlived(node, operations, incidents, this.#options.isWell(name)) &&
          (await this.#options.giveBack(member.client, node.name))
        ) {
          this.#options.say(machine, {
            reason: 'Uncordoned',
            message: `what ${node.cordonedBy || node.freedBy} kept away may come again: its cause is over`,
          });
        }
      }
      const incident = incidents.find((one) => !one.status?.endedAt);
      const operation = operations.find((one) => !one.status?.endedAt);
      const seen: Seen = {
        bootID: node?.bootID ?? '',
        kernelVersion: node?.kernelVersion ?? '',
        ready: node?.ready ?? 'Unknown',
        joined: node !== undefined,
        unschedulable: node?.unschedulable ?? false,
        cordonedBy: node?.cordonedBy ?? '',
        evidence: this.#options.evidence(name),
        way: this.#options.ways.get(name),
        armed: this.#options.ways.armed(name),
        health: this.#options.ways.health(name),
        warnings: this.#options.ways.warnings(name),
      };
      const next = machineStatus(
        machine,
        seen,
        incident,
        operation,
        this.#options.decisions(name),
        clock.now(),
      );
      await this.#keepDesired(
        await writeStatus(this.#options.client, caches.machines, machine, next, FIELD_MANAGER),
      );
    } catch (error) {
      if (isConflict(error)) return 500;
      throw error;
    }
    return again_ms;
  }

  /** `rebootedAfter`: asks once for a reboot where the present boot was there before that time. */
  async #keepDesired(machine: Machine): Promise<void> {
    const { client, caches, clock } = this.#options;
    const after = machine.spec.desired.rebootedAfter;
    const seenAt = machine.status?.bootSeenAt;
    if (!after || !seenAt || Date.parse(after) > clock.now() || Date.parse(seenAt) > Date.parse(after))
      return;
    // The name carries the wish: the same wish asked for twice is one operation.
    const name = `${machine.metadata.name.slice(0, 230)}-reboot-${Math.floor(Date.parse(after) / 1000)}`;
    if (caches.operations.get(name)) return;
    const object = {
      ...typeMetaOf(nodeOperationKind),
      metadata: { name },
      spec: {
        cluster: machine.spec.cluster,
        machine: machine.metadata.name,
        node: nodeNameOf(machine),
        type: 'Reboot',
        reason: {
          kind: 'Machine',
          name: machine.metadata.name,
          message: `spec.desired.rebootedAfter is ${after}`,
        },
        ...(machine.status?.bootID && { expectBootID: machine.status.bootID }),
      },
    };
    try {
      caches.operations.observe(
        await client.create<KubeObject>(nodeOperationKind.resource, object, FIELD_MANAGER),
      );
    } catch (error) {
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
    }
  }
}
