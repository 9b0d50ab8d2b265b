import { typeMetaOf } from '../api/crd.ts';
import { type Reason, toMilliseconds } from '../api/fields.ts';
import type { HealingPolicy, Rung } from '../api/healing-policy.ts';
import { type Incident, type IncidentStatus, incidentKind } from '../api/incident.ts';
import { STALENESS_MS_MAX } from '../api/limits.ts';
import type { Machine } from '../api/machine.ts';
import { type NodeOperation, nodeOperationKind, type OperationType } from '../api/node-operation.ts';
import { TYPES } from '../api/operation-types.ts';
import type { Caches } from '../fleet/caches.ts';
import type { Clusters } from '../fleet/clusters.ts';
import { policyFor } from '../fleet/policies.ts';
import { writeStatus } from '../fleet/write-status.ts';
import type { Clock } from '../platform/clock/clock.ts';
import type { History } from '../platform/history/history.ts';
import type { Journal } from '../platform/history/journal.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { isConflict, KubeError } from '../platform/kube/errors.ts';
import type { KubeObject } from '../platform/kube/objects.ts';
import { WorkQueue } from '../platform/kube/queue.ts';
import { type Belief, isLost } from '../signals/belief.ts';
import type { Beliefs } from '../signals/beliefs.ts';
import { incidentConditions } from './conditions.ts';
import { decide } from './decide.ts';
import type { Surroundings } from './diagnose.ts';
import { type Outage, outageAround, outagesOf } from './domains.ts';
import { DEAD } from './holds.ts';
import { rebootsToday } from './ladder.ts';
import type { Plan } from './plan.ts';
import { isEnded, type View } from './view.ts';

const FIELD_MANAGER = 'drover-healing';
const CONCURRENCY = 32;
/** Outages are counted over the whole fleet, so at most once in this time. */
const OUTAGES_MS = 1_000;
export const INCIDENT_LABEL = 'drover.dev/incident';
export const MACHINE_LABEL = 'drover.dev/machine';

export interface HealingOptions {
  clock: Clock;
  client: KubeClient;
  caches: Caches;
  clusters: Clusters;
  beliefs: Beliefs;
  journal: Journal;
  history: History;
  refusal(): Reason | undefined;
  onError(key: string, error: unknown): void;
}

/** Keeps one incident for each machine in trouble, and asks for what its ladder says. */
export class HealingController {
  readonly queue: WorkQueue;
  readonly #options: HealingOptions;
  #outages: { at: number; found: Map<string, Outage> } = { at: Number.NEGATIVE_INFINITY, found: new Map() };

  constructor(options: HealingOptions) {
    this.#options = options;
    this.queue = new WorkQueue(options.clock);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { caches, beliefs, onError } = this.#options;
    const stops = [
      beliefs.subscribe((machine) => this.queue.add(machine)),
      caches.incidents.subscribe(({ before, after }) =>
        this.queue.add((after ?? before)?.spec.machine ?? ''),
      ),
      caches.operations.subscribe(({ before, after }) =>
        this.queue.add((after ?? before)?.spec.machine ?? ''),
      ),
    ];
    for (const incident of caches.incidents.by('open', 'yes')) this.queue.add(incident.spec.machine);
    await this.queue.run((machine) => this.#look(machine), { concurrency: CONCURRENCY, signal, onError });
    for (const stop of stops) stop();
  }

  /** Domains that are out now. */
  outages(): Map<string, Outage> {
    const { clock, beliefs, caches } = this.#options;
    if (clock.now() - this.#outages.at >= OUTAGES_MS) {
      this.#outages = {
        at: clock.now(),
        found: outagesOf(beliefs.all(), thresholds(caches.policies.values())),
      };
    }
    return this.#outages.found;
  }

  /** Machines of a cluster that answer nothing, but for those whose rack is out: a rack is an outage, no storm. */
  lost(cluster: string): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const belief of this.#options.beliefs.all()) {
      if (belief.cluster !== cluster || !isLost(belief)) continue;
      if (outageAround(belief, this.outages())?.level !== 'rack')
        found.set(belief.machine, belief.ssh?.since ?? 0);
    }
    return found;
  }

  /** It answers nothing, and a second witness has told why: nothing that it does can be disrupted. */
  isDown(name: string): boolean {
    const belief = this.#options.beliefs.get(name);
    if (!belief || !isLost(belief)) return false;
    const incident = this.#options.caches.incidents.by('machine', name).find((one) => !one.status?.endedAt);
    return DEAD.has(incident?.status?.diagnosis?.cause ?? 'Unknown');
  }

  async #look(name: string): Promise<number | undefined> {
    const { caches, beliefs, clock, refusal } = this.#options;
    const machine = caches.machines.get(name);
    const belief = beliefs.get(name);
    if (!machine || !belief || refusal()) return undefined;
    beliefs.reconsider(name);
    const incident = caches.incidents.by('machine', name).find((one) => !one.status?.endedAt);
    const all = caches.operations.by('machine', name);
    const operations = incident
      ? all.filter(
          (one) => one.spec.reason.kind === 'Incident' && one.spec.reason.name === incident.metadata.name,
        )
      : [];
    operations.sort((a, b) => ordinal(a) - ordinal(b));
    const now = clock.now();
    const view: View = {
      belief,
      policy: policyFor(machine, caches.policies.values()),
      incident,
      operations,
      around: this.#surroundings(belief, all, incident),
      rebootsToday: rebootsToday(all, now),
      now,
    };
    try {
      return await this.#carryOut(view, machine, decide(view));
    } catch (error) {
      if (isConflict(error)) return 500;
      throw error;
    }
  }

  #surroundings(
    belief: Belief,
    operations: readonly NodeOperation[],
    incident: Incident | undefined,
  ): Surroundings {
    const around: Surroundings = {};
    const outage = outageAround(belief, this.outages());
    if (outage) around.domain = outage;
    const member = this.#options.clusters.get(belief.cluster);
    const age_ms = member?.nodes.age_ms() ?? Number.POSITIVE_INFINITY;
    if (age_ms > STALENESS_MS_MAX)
      around.blind = `the API of cluster ${belief.cluster} has told us nothing for ${Math.round(age_ms / 1000)} s`;
    const planned = operations.find(
      (one) => one.status?.admittedAt && !isEnded(one) && one.spec.reason.name !== incident?.metadata.name,
    );
    if (planned)
      around.planned = `${planned.spec.type} ${planned.metadata.name} is under way, asked for by ${planned.spec.reason.kind} ${planned.spec.reason.name}`;
    else if (belief.maintenance) around.planned = `the provider is at work on it: ${belief.maintenance}`;
    return around;
  }

  async #carryOut(view: View, machine: Machine, plan: Plan): Promise<number | undefined> {
    let about: Incident | undefined = view.incident;
    if (plan.open) about = await this.#open(view, machine, plan.open);
    if (!about) return plan.again_ms;
    for (const name of plan.cancel ?? []) await this.#cancel(name);
    if (plan.ask && view.policy) await this.#ask(view, about, plan.ask, view.policy);
    if (plan.status) await this.#write(about, plan.status);
    if (plan.say) {
      const { kind, ...reason } = plan.say;
      const { cluster, machine: name } = about.spec;
      this.#options.journal.say({ actor: 'healing', kind, cluster, machine: name, about }, reason);
    }
    if (plan.status?.endedAt) this.#options.journal.forget(about.metadata.name);
    return plan.again_ms;
  }

  async #open(view: View, machine: Machine, status: IncidentStatus): Promise<Incident> {
    const { client, caches, clock } = this.#options;
    const name = machine.metadata.name;
    // Our cache may lag behind a replica that led until a moment ago: ask the API itself.
    const labelSelector = `${MACHINE_LABEL}=${name.slice(0, 63)}`;
    const { items } = await client.list<KubeObject & Incident>(incidentKind.resource, { labelSelector });
    const open = items.find((item) => item.spec.machine === name && !item.status?.endedAt);
    if (open) {
      caches.incidents.observe(open);
      return open;
    }
    const created = await client.create<KubeObject & { spec: unknown }>(
      incidentKind.resource,
      {
        ...typeMetaOf(incidentKind),
        metadata: {
          name: `${name.slice(0, 240)}-${clock.id(5)}`,
          labels: { [MACHINE_LABEL]: name.slice(0, 63) },
        },
        spec: {
          cluster: machine.spec.cluster,
          machine: name,
          node: view.belief.node,
          ...(view.policy && { policy: view.policy.metadata.name }),
        },
      },
      FIELD_MANAGER,
    );
    return this.#write(created as unknown as Incident, status);
  }

  async #ask(view: View, incident: Incident, rung: Rung, policy: HealingPolicy): Promise<void> {
    const { client, caches } = this.#options;
    // The name is worked out from the incident and the number of tries: a second create of the same try is refused.
    const name = `${incident.metadata.name}-${view.operations.length + 1}`;
    const bootID = view.belief.boot.value;
    const object = {
      ...typeMetaOf(nodeOperationKind),
      metadata: {
        name,
        labels: {
          [INCIDENT_LABEL]: incident.metadata.name.slice(0, 63),
          [MACHINE_LABEL]: incident.spec.machine.slice(0, 63),
        },
      },
      spec: {
        cluster: incident.spec.cluster,
        machine: incident.spec.machine,
        node: incident.spec.node,
        type: rung.remedy as OperationType,
        ...(rung.service && { service: rung.service }),
        ...(rung.cleanRules && { cleanRules: rung.cleanRules }),
        ...(rung.remedy === 'Redeploy' && {
          consent: { by: `HealingPolicy ${policy.metadata.name}`, why: 'spec.redeploy is Allowed' },
        }),
        reason: {
          kind: 'Incident',
          name: incident.metadata.name,
          message: (view.incident?.status?.diagnosis?.message ?? '').slice(0, 512),
        },
        ...(bootID && TYPES[rung.remedy as OperationType].boots && { expectBootID: bootID }),
        bootTimeout: policy.spec.bootTimeout,
        dumpTimeout: policy.spec.dumpTimeout,
        verifyFor: policy.spec.verifyFor,
        deadline: deadlineOf(rung, policy),
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

  async #cancel(name: string): Promise<void> {
    const { client, caches } = this.#options;
    const patch = { spec: { cancelled: true } };
    caches.operations.observe(
      await client.mergePatch<KubeObject>(nodeOperationKind.resource, name, patch, {
        fieldManager: FIELD_MANAGER,
      }),
    );
  }

  async #write(incident: Incident, status: IncidentStatus): Promise<Incident> {
    const { client, caches, clock, history } = this.#options;
    const conditions = incidentConditions(status, clock.now());
    const next = { ...status, conditions, observedGeneration: incident.metadata.generation ?? 0 };
    const written = await writeStatus(client, caches.incidents, incident, next, FIELD_MANAGER);
    if (written !== incident) history.incident(written);
    return written;
  }
}

/** What the rung says; a boot, with a dump before it, is given at least what the policy gives those. */
function deadlineOf({ remedy, timeout }: Rung, { spec }: HealingPolicy): string {
  if (!TYPES[remedy as OperationType].boots) return timeout;
  const least_ms = toMilliseconds(spec.dumpTimeout) + 3 * toMilliseconds(spec.bootTimeout);
  return `${Math.ceil(Math.max(least_ms, toMilliseconds(timeout)) / 60_000)}m`;
}

/** `…-3` is the third try. */
function ordinal(operation: NodeOperation): number {
  return Number(operation.metadata.name.slice(operation.metadata.name.lastIndexOf('-') + 1));
}

/** Domains cross policies: the most careful thresholds count for all. */
function thresholds(policies: Iterable<HealingPolicy>): { share: number; atLeast: number } {
  const limits = { share: 50, atLeast: 4 };
  let first = true;
  for (const { spec } of policies) {
    limits.share = first ? spec.domain.share : Math.min(limits.share, spec.domain.share);
    limits.atLeast = first ? spec.domain.atLeast : Math.min(limits.atLeast, spec.domain.atLeast);
    first = false;
  }
  return limits;
}
