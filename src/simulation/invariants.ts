// Watches a simulated world from outside and says which of the design's invariants was broken, by which
// act, when. It uses the world's truth (what machines really did) and the API's objects, and none of the
// judgement that it judges.
import { disruptionBudgetKind } from '../api/disruption-budget.ts';
import { allowanceOf, toMilliseconds } from '../api/fields.ts';
import { type Incident, incidentKind } from '../api/incident.ts';
import type { ObjectOf } from '../api/kind.ts';
import { type Machine, machineKind } from '../api/machine.ts';
import { type NodeOperation, nodeOperationKind } from '../api/node-operation.ts';
import { SECOND } from '../platform/clock/clock.ts';
import type { Decision } from '../platform/history/history.ts';
import { KubeCache } from '../platform/kube/cache.ts';
import {
  type KubeObject,
  LEASES,
  type Lease,
  NODES,
  type Node,
  type Resource,
} from '../platform/kube/objects.ts';
import type { KubeRequest } from '../platform/kube/transport.ts';
import type { Struck } from './fleet/fleet.ts';
import type { SimulatedMachine } from './fleet/machine.ts';
import type { World } from './world.ts';

export interface Violation {
  invariant: number;
  at: number;
  message: string;
}

/** Operations that interrupt no Pod. Said here anew: the watcher must not believe the code that it judges. */
const ON_HOST: ReadonlySet<string> = new Set(['RestartService', 'CleanDisk']);

/** An act with the replica that sent it. */
export interface AttributedAct extends Struck {
  replica: string;
}

type Budget = ObjectOf<typeof disruptionBudgetKind>;
type RawNode = Node & { metadata: { annotations?: Record<string, string> } };

/** Signs take this long to reach Drover; what changed later can't be held against it. */
const SIGHT_MS = 30 * SECOND;
/** The staleness limit of the design, and what a request may take. */
const STALE_MS = 90 * SECOND + 15 * SECOND;
/** The brake's window, less what it takes to see a fault: who fell ill earlier is no part of a storm. */
const STORM_MS = 9 * 60 * SECOND;
/** An object that the API refuses, or an error of the program: nothing in the world calls for either. */
const OWN_FAULT = /is invalid|is not a function|Cannot read|undefined|is not iterable|exceeded/;
const VIOLATIONS_MAX = 50;

export class Invariants {
  readonly violations: Violation[] = [];
  readonly #world: World;
  readonly #operations: KubeCache<NodeOperation>;
  readonly #incidents: KubeCache<Incident>;
  readonly #machines: KubeCache<Machine>;
  readonly #budgets: KubeCache<Budget>;
  readonly #nodes: KubeCache<RawNode>;
  readonly #leases: KubeCache<Lease>;
  /** Operations by uid that had begun, with whether their machine really served then. */
  readonly #begun = new Map<string, { operation: NodeOperation; served: boolean }>();
  readonly #dumpSince = new Map<string, number>();
  readonly #sickSince = new Map<string, number>();
  readonly #bootingSince = new Map<string, number>();
  /** Zones without a network. */
  readonly #darkSince = new Map<string, number>();
  /** Nodes that a person cordoned. */
  readonly humanCordons = new Set<string>();
  /** Since when a replica has been cut off or its watches frozen. */
  readonly blindSince = new Map<string, number>();
  readonly #decided = new Set<string>();
  /** Operations that were seen to free Pods by force. */
  readonly #freed = new Set<string>();

  constructor(world: World) {
    this.#world = world;
    const cacheOf = <T>(resource: Resource, place = {}) =>
      new KubeCache<T>({
        client: world.admin,
        resource,
        place,
        project: (object: KubeObject) => object as unknown as T,
      });
    this.#operations = cacheOf(nodeOperationKind.resource);
    this.#incidents = cacheOf(incidentKind.resource);
    this.#machines = cacheOf(machineKind.resource);
    this.#budgets = cacheOf(disruptionBudgetKind.resource);
    this.#nodes = cacheOf(NODES);
    this.#leases = cacheOf(LEASES, { namespace: 'drover-system' });
  }

  async watch(signal: AbortSignal): Promise<void> {
    for (const cache of [
      this.#operations,
      this.#incidents,
      this.#machines,
      this.#budgets,
      this.#nodes,
      this.#leases,
    ])
      void cache.run(signal);
    this.#operations.subscribe(({ after }) => after && this.#operationChanged(after));
    this.#nodes.subscribe(({ key, after }) => after && this.#nodeChanged(key, after));
    const track = (machine: SimulatedMachine) => this.#machineChanged(machine);
    this.#world.fleet.listeners.add(track);
  }

  /** To be called with every request that a Drover sends. */
  requested(request: KubeRequest): void {
    const pods = /^\/api\/v1\/namespaces\/[^/]+\/pods\/[^/]+$/.test(request.path);
    if (pods && request.method === 'DELETE')
      this.#broken(1, `a Pod was deleted past its PodDisruptionBudget: ${request.path}`);
  }

  decided(decision: Decision): void {
    this.#decided.add(`${decision.subject}/${decision.reason}`);
  }

  /** To be called with what went wrong in a loop of a Drover: the world's faults are expected there, faults of its own are not. */
  failed(message: string): void {
    if (OWN_FAULT.test(message)) this.#broken(9, message.slice(0, 300));
  }

  acted(act: AttributedAct): void {
    const where = `${act.act} of ${act.machine} (${act.phase}) by ${act.replica}`;
    const operation = [...this.#operations.values()].find((one) => one.metadata.uid === act.key);
    if (!operation) {
      this.#broken(10, `${where}: no operation has asked for it`);
      return;
    }
    const status = operation.status ?? {};
    const name = operation.metadata.name;
    if (!status.admittedAt) this.#broken(1, `${where}: ${name} was never admitted`);
    if (!status.intent) this.#broken(2, `${where}: ${name} has no written intent`);
    if (this.#world.fleet.acts.filter((other) => other.key === act.key).length > 1)
      this.#broken(2, `${where}: a second act for ${name}`);
    if (status.endedAt) this.#broken(3, `${where}: ${name} had ended`);

    const holder = [...this.#leases.values()].find((lease) => lease.metadata.name === 'drover')?.spec
      ?.holderIdentity;
    if (holder !== act.replica) this.#broken(4, `${where}: the lease is held by ${holder}`);
    const blind = this.blindSince.get(act.replica);
    if (blind !== undefined && this.#now() - blind > STALE_MS)
      this.#broken(4, `${where}: decided on data ${Math.round((this.#now() - blind) / 1000)} s old`);

    this.#machineLimits(act, operation, where);
    if (!this.#decided.has(`${name}/Admitted`))
      this.#broken(10, `${where}: ${name} began without a recorded decision`);
  }

  /** When all is calm: nothing may be left over. */
  atRest(): void {
    for (const { metadata, spec, status } of this.#incidents.values()) {
      // Those for which a person was called have ended too: people came.
      if (!status?.endedAt) {
        this.#broken(
          7,
          `incident ${metadata.name} of ${spec.machine} has not ended: ${status?.stage}, ${status?.diagnosis?.cause}, ${status?.waiting?.reason}`,
        );
      }
    }
    for (const { metadata, status } of this.#operations.values()) {
      if (!status?.endedAt)
        this.#broken(
          7,
          `operation ${metadata.name} has not ended: ${status?.state} ${status?.waiting?.reason}`,
        );
    }
    for (const node of this.#nodes.values()) {
      const marks = node.metadata.annotations ?? {};
      const by = marks['drover.dev/cordoned-by'] ?? marks['drover.dev/freed-by'];
      const open = [...this.#incidents.values()].some(
        (one) => one.spec.node === node.metadata.name && !one.status?.endedAt,
      );
      if (by && !open) this.#broken(11, `node ${node.metadata.name} is still kept from Pods by ${by}`);
    }
  }

  #machineLimits(act: AttributedAct, operation: NodeOperation, where: string): void {
    const machine = this.#machines.get(act.machine);
    const { locked } = machine?.spec.desired ?? {};
    const admittedAt = Date.parse(operation.status?.admittedAt ?? '');
    if (
      locked &&
      !(locked.until && Date.parse(locked.until) <= admittedAt) &&
      this.#lockedAt(act.machine) < admittedAt
    ) {
      this.#broken(1, `${where}: the machine was locked`);
    }
    if (act.phase === 'Dumping' && act.act !== 'Nmi') {
      const since = this.#dumpSince.get(act.machine) ?? this.#now();
      if (this.#now() - since < toMilliseconds(operation.spec.dumpTimeout))
        this.#broken(
          6,
          `${where}: it had been writing its dump for ${Math.round((this.#now() - since) / 1000)} s`,
        );
    }
    const asked = operation.spec.reason.kind;
    const bootingFor_ms = this.#now() - (this.#bootingSince.get(act.machine) ?? this.#now());
    if (
      act.phase === 'Booting' &&
      asked === 'Incident' &&
      bootingFor_ms < toMilliseconds(operation.spec.bootTimeout)
    )
      this.#broken(5, `${where}: it had been booting for ${Math.round(bootingFor_ms / 1000)} s only`);
    if (act.healthy && asked === 'Incident') this.#broken(5, `${where}: nothing was wrong with it`);
    if (asked === 'Incident' && act.act !== 'PowerOn' && !operation.spec.force) this.#storm(act, where);
  }

  /** Many machines sick together for a while: repairs that reboot must be held. Rack outages count as one trouble. */
  #storm(act: AttributedAct, where: string): void {
    const { fleet } = this.#world;
    const isStorm = (since: number | undefined) => {
      const age_ms = this.#now() - (since ?? this.#now());
      return age_ms > SIGHT_MS && age_ms < STORM_MS;
    };
    const sick = [...this.#sickSince.values()].filter(isStorm).length;
    const zonesOut = [...fleet.machines.values()].filter(({ place }) =>
      isStorm(this.#darkSince.get(place.zone)),
    ).length;
    const allowed = Math.max(5, allowanceOf('5%', fleet.machines.size));
    // One more may have been admitted just before the last fell ill.
    if (sick + zonesOut > allowed + 3 && act.phase !== 'Off')
      this.#broken(
        5,
        `${where}: ${sick} machines were sick and ${zonesOut} in dark zones, ${allowed} are allowed`,
      );
  }

  #operationChanged(operation: NodeOperation): void {
    const uid = operation.metadata.uid ?? '';
    const { status } = operation;
    if (status?.endedAt) {
      this.#proven(operation);
      this.#begun.delete(uid);
      return;
    }
    if (!status?.admittedAt || this.#begun.has(uid)) return;
    const name = operation.metadata.name;
    for (const { operation: other } of this.#begun.values()) {
      if (other.spec.machine === operation.spec.machine)
        this.#broken(
          3,
          `${name} began while ${other.metadata.name} was under way on ${operation.spec.machine}`,
        );
    }
    const machine = this.#world.fleet.machines.get(operation.spec.machine);
    const node = this.#nodes.get(operation.spec.node);
    const served =
      machine !== undefined &&
      this.#world.fleet.kubeletWorks(machine) &&
      machine.services.containerd &&
      !node?.spec?.unschedulable;
    this.#begun.set(uid, { operation, served });
    if (!ON_HOST.has(operation.spec.type) && !operation.spec.force) this.#withinBudgets(operation, served);
  }

  #withinBudgets(operation: NodeOperation, served: boolean): void {
    const { name } = operation.metadata;
    const now = this.#now();
    for (const { metadata, spec } of this.#budgets.values()) {
      if (spec.stop) this.#broken(1, `${name} began although budget ${metadata.name} is stopped`);
      const frozen = spec.freezes.some(
        (freeze) => Date.parse(freeze.from) <= now - SECOND && now < Date.parse(freeze.to),
      );
      if (frozen && !spec.exempt.includes(operation.spec.reason.kind))
        this.#broken(1, `${name} began within a freeze of budget ${metadata.name}`);
      if (!served) continue;
      const serving = [...this.#begun.values()].filter(
        (one) => one.served && !ON_HOST.has(one.operation.spec.type),
      );
      const most = allowanceOf(spec.maxDisrupted, this.#machines.size);
      if (serving.length > most)
        this.#broken(
          1,
          `${name} began as disruption ${serving.length} of serving machines; budget ${metadata.name} allows ${most}`,
        );
    }
  }

  /** A reboot that counts as done must have happened. */
  #proven({ metadata, spec, status }: NodeOperation): void {
    if (status?.state !== 'Succeeded' || ON_HOST.has(spec.type) || spec.type === 'Evict') return;
    const from = Date.parse(status.intent?.at ?? '');
    const boots = this.#world.fleet.boots.filter(
      (boot) => boot.machine === spec.machine && boot.at >= from - SECOND,
    );
    if (boots.length === 0)
      this.#broken(13, `${metadata.name} counts as done, but ${spec.machine} never booted`);
    if (boots.filter((boot) => boot.key === metadata.uid).length > 1)
      this.#broken(2, `${spec.machine} booted twice for ${metadata.name}`);
  }

  #nodeChanged(name: string, node: RawNode): void {
    const freed = node.metadata.annotations?.['drover.dev/freed-by'];
    if (freed && !this.#freed.has(freed)) {
      this.#freed.add(freed);
      const phase = this.#world.fleet.machines.get(name)?.phase;
      if (phase !== 'Off')
        this.#broken(13, `${freed} freed the Pods of ${name} by force while it was ${phase}`);
    }
    if (this.humanCordons.has(name) && !node.spec?.unschedulable) {
      this.#broken(11, `a person's cordon of ${name} was undone`);
      this.humanCordons.delete(name);
    }
  }

  #machineChanged(machine: SimulatedMachine): void {
    if (machine.phase === 'Dumping') {
      if (!this.#dumpSince.has(machine.name)) this.#dumpSince.set(machine.name, this.#now());
    } else this.#dumpSince.delete(machine.name);
    // An act is told after it struck, so the boot that it began is in the past of none.
    if (machine.phase !== 'Booting') this.#bootingSince.delete(machine.name);
    else if (!this.#bootingSince.has(machine.name)) this.#bootingSince.set(machine.name, this.#now());
    const { zone } = machine.place;
    if (!this.#world.fleet.zonesDown.has(zone)) this.#darkSince.delete(zone);
    else if (!this.#darkSince.has(zone)) this.#darkSince.set(zone, this.#now());
    const sick = machine.phase !== 'Running' || !machine.linkUp;
    if (!sick) this.#sickSince.delete(machine.name);
    else if (!this.#sickSince.has(machine.name)) this.#sickSince.set(machine.name, this.#now());
  }

  readonly #locks = new Map<string, number>();

  /** To be called when a person locks or unlocks a machine. */
  locked(machine: string, isLocked: boolean): void {
    if (isLocked) this.#locks.set(machine, this.#now());
    else this.#locks.delete(machine);
  }

  #lockedAt(machine: string): number {
    return this.#locks.get(machine) ?? Number.POSITIVE_INFINITY;
  }

  #broken(invariant: number, message: string): void {
    if (this.violations.length < VIOLATIONS_MAX)
      this.violations.push({ invariant, at: this.#now(), message });
  }

  #now(): number {
    return this.#world.clock.now();
  }
}
