import type { Reason } from '../api/fields.ts';
import type { Machine } from '../api/machine.ts';
import type { NodeOperation, NodeOperationStatus } from '../api/node-operation.ts';
import type { StepName } from '../api/operation-types.ts';
import type { Gate } from '../budget/gate.ts';
import type { Caches } from '../fleet/caches.ts';
import type { Clusters } from '../fleet/clusters.ts';
import { writeStatus } from '../fleet/write-status.ts';
import type { Clock } from '../platform/clock/clock.ts';
import type { History } from '../platform/history/history.ts';
import type { Entry, Journal } from '../platform/history/journal.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { isConflict } from '../platform/kube/errors.ts';
import { WorkQueue } from '../platform/kube/queue.ts';
import type { Outside } from '../platform/outside.ts';
import type { Beliefs } from '../signals/beliefs.ts';
import { targetOf } from '../signals/targets.ts';
import { admitted, advanced, begun, currentStep, ended, isOverdue, refused } from './progress.ts';
import { act } from './steps/act.ts';
import { cordon, uncordon } from './steps/cordon.ts';
import { drain } from './steps/drain.ts';
import { free } from './steps/free.ts';
import { proof } from './steps/proof.ts';
import { FIELD_MANAGER, type HostOutcome, type Step } from './steps/step.ts';
import { verify } from './steps/verify.ts';

const STEPS: Readonly<Record<StepName, Step>> = { cordon, drain, free, act, proof, verify, uncordon };
/** Operations looked at side by side. Each is on another machine. */
const CONCURRENCY = 32;
/** One that the gate refused asks again after this long. */
const ASK_AGAIN_MS = 3_000;
/** A refusal's numbers change at each look; they are written this often at most. */
const REFUSAL_WRITE_MS = 30_000;

export interface OperationsOptions {
  clock: Clock;
  client: KubeClient;
  caches: Caches;
  clusters: Clusters;
  beliefs: Beliefs;
  gate: Gate;
  journal: Journal;
  history: History;
  outside(machine: Machine): Outside | undefined;
  /** Why this replica must not act now. */
  refusal(): Reason | undefined;
  onError(key: string, error: unknown): void;
}

/** Carries out NodeOperations, one step at a time, each look level-triggered. */
export class OperationsController {
  readonly queue: WorkQueue;
  readonly #options: OperationsOptions;
  /** Ends what is under way when this replica no longer leads. */
  #stop: AbortSignal = AbortSignal.abort();
  readonly #refusalWrittenAt = new Map<string, number>();
  /** Work on hosts, by operation. */
  readonly #background = new Map<string, HostOutcome | 'Running'>();

  constructor(options: OperationsOptions) {
    this.#options = options;
    this.queue = new WorkQueue(options.clock);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#stop = signal;
    const { caches, onError } = this.#options;
    const stop = caches.operations.subscribe(({ key, after }) => {
      if (!after?.status?.endedAt) this.queue.add(key);
      if (after && !after.status?.endedAt) return;
      this.#background.delete(key);
      if (!after) this.#refusalWrittenAt.delete(key);
    });
    for (const operation of caches.operations.by('live', 'yes')) this.queue.add(operation.metadata.name);
    await this.queue.run((key) => this.#look(key), { concurrency: CONCURRENCY, signal, onError });
    stop();
  }

  async #look(name: string): Promise<number | undefined> {
    const operation = this.#options.caches.operations.get(name);
    if (!operation || operation.status?.endedAt || operation.metadata.deletionTimestamp) return undefined;
    const no = this.#options.refusal();
    if (no) return ASK_AGAIN_MS;
    try {
      return await this.#proceed(operation);
    } catch (error) {
      // Somebody else wrote it: the cache will bring the new state, and the look is repeated on that.
      if (isConflict(error)) return 500;
      throw error;
    }
  }

  async #proceed(operation: NodeOperation): Promise<number | undefined> {
    const { clock, gate } = this.#options;
    const status = operation.status ?? {};
    if (operation.spec.cancelled && !status.intent) {
      return this.#end(
        operation,
        ended(
          status,
          'Cancelled',
          { reason: 'Cancelled', message: 'called off before the machine was touched' },
          clock.now(),
        ),
      );
    }
    if (!status.admittedAt) {
      const answer = await gate.ask(operation, (takesPods) =>
        this.#write(operation, admitted(status, takesPods, clock.now())),
      );
      if (!answer) {
        const message = `${operation.spec.type} begins, asked for by ${operation.spec.reason.kind} ${operation.spec.reason.name}`;
        this.#say(operation, 'Act', { reason: 'Admitted', message });
        return 0;
      }
      this.#say(operation, 'Refusal', answer, 'gate');
      await this.#writeRefusal(operation, answer);
      return ASK_AGAIN_MS * (0.75 + clock.random() / 2);
    }
    if (isOverdue(operation, clock.now())) {
      const why = {
        reason: 'DeadlineExceeded',
        message: `not done within ${operation.spec.deadline} of its admission`,
      };
      return this.#end(operation, ended(status, 'Failed', why, clock.now()));
    }
    const step = currentStep(operation);
    if (!step)
      return this.#end(
        operation,
        ended(status, 'Succeeded', { reason: 'Succeeded', message: 'all steps are done' }, clock.now()),
      );
    return this.#step(operation, step);
  }

  async #step(operation: NodeOperation, name: StepName): Promise<number | undefined> {
    const { clock, caches, clusters, beliefs, outside } = this.#options;
    const machine = caches.machines.get(operation.spec.machine);
    const belief = beliefs.get(operation.spec.machine);
    const member = clusters.get(operation.spec.cluster);
    if (!machine || !belief || !member) {
      const why = {
        reason: 'MachineGone',
        message: `Machine ${operation.spec.machine} or its cluster ${operation.spec.cluster} is gone`,
      };
      return this.#end(operation, ended(operation.status ?? {}, 'Failed', why, clock.now()));
    }
    let current = operation;
    let status = begun(operation.status ?? {}, name, clock.now());
    const startedAt = Date.parse(status.steps?.find((step) => step.name === name)?.startedAt ?? '');
    const result = await STEPS[name]({
      operation,
      status,
      machine,
      belief,
      client: member.client,
      outside: outside(machine),
      probe: async () => {
        const prober = outside(machine)?.prober;
        return (await prober?.probe([targetOf(machine, clusters)], this.#stop))?.[0];
      },
      background: (work) => this.#inBackground(operation.metadata.name, work),
      startedAt,
      now: clock.now(),
      persist: async (next) => {
        current = await this.#write(current, next);
        status = current.status ?? next;
      },
      refusal: () => this.#options.refusal(),
    });
    const next = advanced(status, name, result, clock.now());
    if (result.is === 'failed' || result.is === 'needless') return this.#end(current, next);
    await this.#write(current, next);
    if (result.is === 'waiting') return result.again_ms;
    if (name === 'act')
      this.#say(operation, 'Act', { reason: 'Acted', message: `${operation.spec.type}: ${result.message}` });
    return 0;
  }

  /** What has ended is told once, and forgotten. */
  async #inBackground(
    name: string,
    work: (signal: AbortSignal) => Promise<string>,
  ): Promise<HostOutcome | 'Running'> {
    const known = this.#background.get(name);
    if (known && known !== 'Running') this.#background.delete(name);
    if (known) return known;
    this.#background.set(name, 'Running');
    const ended = (outcome: HostOutcome) => {
      this.#background.set(name, outcome);
      this.queue.add(name);
    };
    work(this.#stop).then(
      (message) => ended({ message }),
      (error: unknown) => ended({ error }),
    );
    return 'Running';
  }

  async #end(operation: NodeOperation, status: NodeOperationStatus): Promise<undefined> {
    const written = await this.#write(operation, status);
    const why = status.waiting ?? { reason: status.state ?? 'Ended', message: '' };
    const kind = status.state === 'Failed' ? 'Refusal' : 'Note';
    this.#say(written, kind, {
      ...why,
      message: `${operation.spec.type} ${status.state?.toLowerCase()}: ${why.message}`,
    });
    this.#options.journal.forget(operation.metadata.name);
    return undefined;
  }

  async #writeRefusal(operation: NodeOperation, why: Reason): Promise<void> {
    const { clock } = this.#options;
    const { name } = operation.metadata;
    const same = operation.status?.waiting?.reason === why.reason;
    if (same && clock.now() - (this.#refusalWrittenAt.get(name) ?? 0) < REFUSAL_WRITE_MS) return;
    this.#refusalWrittenAt.set(name, clock.now());
    await this.#write(operation, refused(operation.status ?? {}, why, clock.now()));
  }

  /** Replaces the status if nobody has changed the object since it was read. */
  async #write(operation: NodeOperation, status: NodeOperationStatus): Promise<NodeOperation> {
    const next = { ...status, observedGeneration: operation.metadata.generation ?? 0 };
    const { client, caches, history } = this.#options;
    const written = await writeStatus(client, caches.operations, operation, next, FIELD_MANAGER);
    if (written !== operation) history.operation(written);
    return written;
  }

  #say(operation: NodeOperation, kind: Entry['kind'], reason: Reason, actor = 'operations'): void {
    const { cluster, machine } = operation.spec;
    this.#options.journal.say({ actor, kind, cluster, machine, about: operation }, reason);
  }
}
