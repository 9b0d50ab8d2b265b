import { typeMetaOf } from '../../api/crd.ts';
import type { Machine } from '../../api/machine.ts';
import { type NodeOperation, nodeOperationKind } from '../../api/node-operation.ts';
import type { Remediation } from '../../api/remediation.ts';
import { policyFor } from '../../fleet/policies.ts';
import { writeStatus } from '../../fleet/write-status.ts';
import { keyOf } from '../../platform/kube/cache.ts';
import { isConflict, KubeError } from '../../platform/kube/errors.ts';
import type { KubeObject } from '../../platform/kube/objects.ts';
import { WorkQueue } from '../../platform/kube/queue.ts';
import { type HealingOptions, MACHINE_LABEL } from '../controller.ts';
import { rebootsToday } from '../ladder.ts';
import { decide, mayCancel, type Verdict } from './decide.ts';
import { conditionsOf, tellMachine } from './told.ts';
import { whom } from './whom.ts';

const FIELD_MANAGER = 'drover-remediation';
/** Requests looked at side by side. */
const CONCURRENCY = 8;
const UNSYNCED_AGAIN_MS = 5_000;

export type RequestsOptions = Omit<HealingOptions, 'history'>;

/**
 * Answers DroverRemediations, which MachineHealthChecks of Cluster API and NodeHealthChecks of medik8s make. It deletes
 * none, holds none back, and asks for what it asks as anybody does: by a NodeOperation that the gate lets through.
 */
export class RequestsController {
  readonly queue: WorkQueue;
  readonly #options: RequestsOptions;
  /** Requests that are gone, until their Machine has been told. */
  readonly #gone = new Map<string, Remediation>();

  constructor(options: RequestsOptions) {
    this.#options = options;
    this.queue = new WorkQueue(options.clock);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { caches, onError } = this.#options;
    const ofMachine = (machine: string | undefined) => {
      for (const request of caches.remediations.by('machine', machine ?? '')) this.queue.add(keyOf(request));
    };
    const stops = [
      caches.remediations.subscribe(({ key, before, after }) => {
        if (before && before.metadata.uid !== after?.metadata.uid) this.#gone.set(key, before);
        this.queue.add(key);
      }),
      caches.incidents.subscribe(({ before, after }) => ofMachine((after ?? before)?.spec.machine)),
      caches.operations.subscribe(({ before, after }) => {
        const { kind, name } = (after ?? before)?.spec.reason ?? {};
        if (kind === 'Remediation' && name) this.queue.add(name);
      }),
    ];
    for (const key of caches.remediations.keys()) this.queue.add(key);
    // One that was deleted while nobody led has left an operation behind.
    for (const { spec } of caches.operations.by('live', 'yes'))
      if (spec.reason.kind === 'Remediation') this.queue.add(spec.reason.name);
    await this.queue.run((key) => this.#look(key), { concurrency: CONCURRENCY, signal, onError });
    for (const stop of stops) stop();
  }

  async #look(key: string): Promise<number | undefined> {
    const { caches, refusal } = this.#options;
    if (refusal() || !caches.remediations.synced) return UNSYNCED_AGAIN_MS;
    const request = caches.remediations.get(key);
    try {
      await this.#callOffForGone(key, request);
      return request && !request.metadata.deletionTimestamp ? await this.#answer(request) : undefined;
    } catch (error) {
      if (isConflict(error)) return 500;
      throw error;
    }
  }

  /** Operations of requests of this name that are no longer there. */
  async #callOffForGone(key: string, present: Remediation | undefined): Promise<void> {
    const { caches } = this.#options;
    const wanted = present && !present.metadata.deletionTimestamp ? operationName(present) : undefined;
    for (const operation of caches.operations.by('live', 'yes')) {
      const { kind, name } = operation.spec.reason;
      if (kind !== 'Remediation' || name !== key || operation.metadata.name === wanted) continue;
      if (mayCancel(operation)) await this.#cancel(operation);
    }
    const gone = this.#gone.get(key);
    if (!gone) return;
    if (!wanted) await this.#tell(gone, undefined);
    this.#gone.delete(key);
  }

  async #answer(request: Remediation): Promise<number | undefined> {
    const { caches, client, clock, clusters, beliefs } = this.#options;
    const found = await whom(request, { client, caches, clusters });
    const machine = 'reason' in found ? undefined : found;
    const name = machine?.metadata.name ?? '';
    const incidents = machine ? caches.incidents.by('machine', name) : [];
    const open = incidents.find(({ status }) => !status?.endedAt);
    const verdict = decide({
      request,
      ...('reason' in found && { unknown: found }),
      belief: beliefs.get(name),
      policy: machine && policyFor(machine, caches.policies.values()),
      open,
      followed: incidents.find(
        ({ metadata, status }) => metadata.name === request.status?.incident && status?.endedAt,
      ),
      operation: caches.operations.get(operationName(request)),
      rebootsToday: rebootsToday(caches.operations.by('machine', name), clock.now()),
      now: clock.now(),
    });
    if (!verdict) return undefined;
    const operation = await this.#carryOut(verdict, request, machine);
    const status = {
      ...request.status,
      observedGeneration: request.metadata.generation ?? 0,
      conditions: conditionsOf(request, verdict, clock.now()),
      ...(machine && { machine: name }),
      ...(open && { incident: open.metadata.name }),
      ...(operation && { operation }),
    };
    await writeStatus(client, caches.remediations, request, status, FIELD_MANAGER);
    await this.#tell(request, verdict);
    return verdict.again_ms;
  }

  /** Where that is refused it is logged, and keeps nothing from being done. */
  async #tell(request: Remediation, verdict: Verdict | undefined): Promise<void> {
    const { client, clock, onError } = this.#options;
    try {
      await tellMachine(client, request, verdict, clock.now(), FIELD_MANAGER);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      onError(keyOf(request), error);
    }
  }

  /** Name of the operation that there is for it. */
  async #carryOut(
    verdict: Verdict,
    request: Remediation,
    machine: Machine | undefined,
  ): Promise<string | undefined> {
    const name = operationName(request);
    const operation = this.#options.caches.operations.get(name);
    if (verdict.do === 'Cancel' && operation) await this.#cancel(operation);
    if (verdict.do !== 'Ask' || !machine) return operation && name;
    await this.#ask(name, request, machine, verdict);
    return name;
  }

  async #ask(name: string, request: Remediation, machine: Machine, verdict: Verdict): Promise<void> {
    const { client, caches, beliefs, journal } = this.#options;
    const belief = beliefs.get(machine.metadata.name);
    const policy = policyFor(machine, caches.policies.values());
    if (!belief || !policy) return;
    const { cluster } = machine.spec;
    const object = {
      ...typeMetaOf(nodeOperationKind),
      metadata: { name, labels: { [MACHINE_LABEL]: machine.metadata.name.slice(0, 63) } },
      spec: {
        cluster,
        machine: machine.metadata.name,
        node: belief.node,
        type: 'Reboot',
        reason: { kind: 'Remediation', name: keyOf(request), message: verdict.message.slice(0, 512) },
        ...(belief.boot.value && { expectBootID: belief.boot.value }),
        bootTimeout: policy.spec.bootTimeout,
        dumpTimeout: policy.spec.dumpTimeout,
        verifyFor: policy.spec.verifyFor,
      },
    };
    try {
      caches.operations.observe(
        await client.create<KubeObject>(nodeOperationKind.resource, object, FIELD_MANAGER),
      );
    } catch (error) {
      if (error instanceof KubeError && error.reason === 'AlreadyExists') return;
      throw error;
    }
    journal.say(
      { actor: 'healing', kind: 'Act', cluster, machine: machine.metadata.name, about: request },
      {
        reason: 'RemedyAsked',
        message: `DroverRemediation ${keyOf(request)}: Reboot, since ${verdict.message}`.slice(0, 1000),
      },
    );
  }

  async #cancel({ metadata }: NodeOperation): Promise<void> {
    const { client, caches } = this.#options;
    const options = { fieldManager: FIELD_MANAGER };
    caches.operations.observe(
      await client.mergePatch<KubeObject>(
        nodeOperationKind.resource,
        metadata.name,
        { spec: { cancelled: true } },
        options,
      ),
    );
  }
}

/** A second create for the same request is refused, whoever leads. */
function operationName({ metadata }: Remediation): string {
  return `remediation-${metadata.uid}`;
}
