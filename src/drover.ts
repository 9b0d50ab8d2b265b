// The whole of Drover in one flat list: what is opened, and which loops run while this replica leads.
import { isDeepStrictEqual } from 'node:util';
import { HOME_CLUSTER } from './api/cluster.ts';
import type { Machine } from './api/machine.ts';
import { limitsOf } from './api/machine-provider.ts';
import { TYPES } from './api/operation-types.ts';
import { showLedger } from './budget/controller.ts';
import { Gate } from './budget/gate.ts';
import {
  COLLECT_MS,
  CRASHES_KEPT_MS,
  CrashController,
  type CrashRecords,
  FORGET_MS,
  WATCH_MS,
} from './crash/controller.ts';
import { surgeText } from './crash/surges.ts';
import { reportRejected } from './fleet/acceptance.ts';
import { type Caches, openCaches } from './fleet/caches.ts';
import { Clusters } from './fleet/clusters.ts';
import { FleetController } from './fleet/controller.ts';
import { nodeNameOf } from './fleet/labels.ts';
import { deleteOld } from './fleet/retention.ts';
import { showClusters } from './fleet/show-clusters.ts';
import { ASK_MS, ProviderRounds } from './fleet/show-providers.ts';
import { closedBy, OPEN, Ways } from './fleet/ways.ts';
import { HealingController } from './healing/controller.ts';
import { RequestsController } from './healing/requests/controller.ts';
import { showPolicies } from './healing/show-policies.ts';
import { OperationsController } from './operations/controller.ts';
import { giveBack } from './operations/steps/cordon.ts';
import type { Blobs } from './platform/blobs/blobs.ts';
import { type Clock, MINUTE, SECOND } from './platform/clock/clock.ts';
import type { CrashRecord } from './platform/history/crash-record.ts';
import type { History } from './platform/history/history.ts';
import { Journal } from './platform/history/journal.ts';
import type { KubeCache } from './platform/kube/cache.ts';
import { KubeClient } from './platform/kube/client.ts';
import { Election } from './platform/kube/election.ts';
import { messageOf } from './platform/kube/errors.ts';
import { Recorder } from './platform/kube/recorder.ts';
import { secretReader } from './platform/kube/secrets.ts';
import type { Transport } from './platform/kube/transport.ts';
import type { Outside } from './platform/outside.ts';
import type { Open } from './platform/providers/open.ts';
import { Outsides } from './platform/providers/registry.ts';
import type { Log } from './platform/telemetry/log.ts';
import { Beliefs } from './signals/beliefs.ts';
import { evidenceLines } from './signals/evidence.ts';
import { PASS_MS as HARDWARE_MS, HardwareEvents } from './signals/hardware-events.ts';
import { signOf } from './signals/hardware-signs.ts';
import { patrol } from './signals/patrol.ts';
import { POLL_MS as EVENTS_MS, ProviderEvents } from './signals/provider-events.ts';
import { READ_MS, Suspects } from './signals/suspects.ts';
import { hostOf, targetsOf } from './signals/targets.ts';

/** Cluster objects and their kubeconfigs are looked at this often. */
const FOLLOW_MS = 10 * SECOND;

export interface DroverOptions {
  clock: Clock;
  transport: Transport;
  /** Host name and a random part: shown as holder of the lease. */
  identity: string;
  /** Where the lease lives. */
  namespace: string;
  history: History;
  log: Log;
  /** Makes a transport from a member cluster's kubeconfig. */
  connect(kubeconfig: string): Transport;
  /** Where crashes are kept; without it none are recorded. */
  crashes?: CrashKeeping;
  /** Opens a provider; the platform's own unless a simulation hands out another. */
  open?: Open;
}

export interface CrashKeeping {
  records(): Promise<CrashRecords>;
  blobs?: Blobs;
  /** 400 days by default. */
  keep_ms?: number;
  /** What a machine at this address sent over netconsole, all of it or since then. */
  netconsole?(address: string, since?: number): readonly string[];
}

/** What runs while this replica leads, and is thrown away when it does not. */
export interface Term {
  beliefs: Beliefs;
  gate: Gate;
  healing: HealingController;
  operations: OperationsController;
  fleet: FleetController;
  crashes: CrashController | undefined;
  hardware: HardwareEvents;
}

export class Drover {
  readonly options: DroverOptions;
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly clusters: Clusters;
  readonly election: Election;
  readonly journal: Journal;
  readonly outsides: Outsides;
  term: Term | undefined;
  /** Passes of any loop that threw, by loop: trouble that repeats is seen here first. */
  readonly errors = new Map<string, number>();
  /** Crashes recorded since the start, by class and cause. */
  readonly crashCounts = new Map<string, Map<string, number>>();
  readonly #stop = new AbortController();
  #addresses: { at: number; known: ReadonlySet<string> } = { at: Number.NEGATIVE_INFINITY, known: new Set() };

  constructor(options: DroverOptions) {
    const { clock, transport, identity, namespace, history, log } = options;
    this.options = options;
    this.client = new KubeClient(transport, clock);
    this.caches = openCaches(this.client);
    this.clusters = new Clusters(this.client, options.connect, this.#stop.signal);
    this.election = new Election({ client: this.client, namespace, name: 'drover', identity });
    this.journal = new Journal({ clock, history, recorder: new Recorder(this.client, identity), log });
    this.outsides = new Outsides({
      clock,
      secrets: secretReader(this.client, clock),
      client: (cluster) => this.clusters.get(cluster)?.client,
      ...(options.open && { open: options.open }),
      onRecord: ({ action, outcome, ...record }) =>
        log.info(`${action} on a host: ${outcome}`, { loop: 'hosts', ...record }),
    });
  }

  /** Follows the API always, and leads when elected, until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#stop.abort(signal.reason), { once: true });
    for (const cache of this.allCaches()) void cache.run(signal);
    void this.#followClusters(signal);
    await this.election.run(signal, (term) => this.#lead(term));
    await this.outsides.close();
    this.#stop.abort(new Error('stopped'));
    this.options.transport.close();
  }

  allCaches(): KubeCache<never>[] {
    return Object.values(this.caches) as unknown as KubeCache<never>[];
  }

  /** All first lists have arrived. */
  isSynced(): boolean {
    return this.allCaches().every((cache) => cache.synced) && this.clusters.home.nodes.synced;
  }

  /** Whether this is the address of one of our nodes. Asked for each datagram: looked up anew every 10 s at most. */
  isMachine(address: string): boolean {
    const now = this.options.clock.now();
    if (now - this.#addresses.at > FOLLOW_MS) {
      const known = [...this.clusters.all()].flatMap(({ nodes }) => [...nodes.values()]);
      this.#addresses = { at: now, known: new Set(known.map((node) => node.address)) };
    }
    return this.#addresses.known.has(address);
  }

  outsideOf(machine: Machine): Outside | undefined {
    return this.#outsideNamed(machine.spec.provider.name);
  }

  #outsideNamed(name: string): Outside | undefined {
    const provider = this.caches.providers.get(name);
    return provider && this.outsides.get(provider);
  }

  /** Every replica follows the members, so that one which takes over sees at once. */
  async #followClusters(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    const { clusters } = this.caches;
    while (!signal.aborted) {
      const all = new Map([...clusters.values()].map((cluster) => [cluster.metadata.name, cluster]));
      if (clusters.synced) await this.clusters.follow(all);
      await clock.sleep(FOLLOW_MS, signal).catch(() => undefined);
    }
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const { clock, history, log } = this.options;
    log.info('leading', { identity: this.election.identity });
    while (!this.isSynced() && !signal.aborted) await clock.sleep(100, signal).catch(() => undefined);
    if (signal.aborted) return;

    const { caches, clusters, client, journal } = this;
    const refusal = () => this.election.refusal();
    const outside = (machine: Machine) => this.outsideOf(machine);
    const onError = (loop: string) => (key: string, error: unknown) => this.#failed(loop, key, error);
    const isPlanned = (machine: string) =>
      caches.operations
        .by('machine', machine)
        .some(({ spec, status }) => status?.intent && !status.endedAt && TYPES[spec.type].boots);
    const beliefs = new Beliefs(clock, isPlanned);
    const healing = new HealingController({
      clock,
      client,
      caches,
      clusters,
      beliefs,
      journal,
      history,
      refusal,
      onError: onError('healing'),
    });
    const requests = new RequestsController({
      clock,
      client,
      caches,
      clusters,
      beliefs,
      journal,
      refusal,
      onError: onError('requests'),
    });
    const keeping = this.options.crashes;
    const crashes =
      keeping &&
      new CrashController({
        clock,
        caches,
        clusters,
        records: () => keeping.records(),
        ...(keeping.blobs && { blobs: keeping.blobs }),
        keep_ms: keeping.keep_ms ?? CRASHES_KEPT_MS,
        netconsole: (node) => (node && keeping.netconsole?.(node.address)) ?? [],
        outside,
        onSurge: (surge) => log.warn(surgeText(surge), { loop: 'surges', p: surge.p.toPrecision(2) }),
        onRecord: (record) => this.#crashed(record),
        onError: onError('crashes'),
      });
    const gate = new Gate({
      clock,
      caches,
      clusters,
      lost: (cluster) => healing.lost(cluster),
      isDown: (machine) => healing.isDown(machine),
      surge: (machine) => crashes?.hold(machine),
      notLeader: refusal,
    });
    const operations = new OperationsController({
      clock,
      client,
      caches,
      clusters,
      beliefs,
      gate,
      journal,
      history,
      outside,
      refusal,
      onError: onError('operations'),
    });
    const ways = new Ways();
    const host = (machine: Machine) =>
      hostOf(machine, clusters.get(machine.spec.cluster)?.nodes.get(nodeNameOf(machine)));
    const events = new ProviderEvents({
      beliefs,
      machines: () => caches.machines.values(),
      outside: (provider) => this.#outsideNamed(provider),
      onStrangers: (provider, ids) =>
        log.warn(`${ids.length} events are for machines that no Machine names`, {
          loop: 'events',
          provider,
          ids: ids.slice(0, 10).join(),
        }),
      onError: onError('events'),
    });
    const hardware = new HardwareEvents({
      clock,
      machines: () => caches.machines.values(),
      outside,
      limits: (name) => {
        const provider = caches.providers.get(name);
        return provider && limitsOf(provider);
      },
      onNews: (machine, news) => {
        beliefs.setLogEntries(machine, news);
        ways.addWarnings(machine, news.filter((entry) => signOf(entry) === 'Warned').length);
      },
      onError: onError('hardware-events'),
    });
    const providers = new ProviderRounds({
      clock,
      client,
      caches,
      outsides: this.outsides,
      ways,
      host,
      strangers: (provider) => events.strangers(provider),
    });
    const fleet = new FleetController({
      clock,
      client,
      caches,
      clusters,
      ways,
      giveBack,
      refusal,
      onSeen: (listener) => beliefs.subscribe(listener),
      evidence: (machine) => evidenceLines(beliefs.get(machine)),
      isWell: (machine) => beliefs.get(machine)?.wellSince !== undefined,
      decisions: (machine) =>
        journal.recent(machine).map(({ at, cluster: _, machine: __, ...decision }) => ({
          ...decision,
          at: new Date(at).toISOString(),
        })),
      say: (machine, reason) =>
        journal.say(
          {
            actor: 'fleet',
            kind: 'Act',
            cluster: machine.spec.cluster,
            machine: machine.metadata.name,
            about: machine,
          },
          reason,
        ),
      onError: onError('fleet'),
    });
    this.term = { beliefs, gate, healing, operations, fleet, crashes, hardware };

    const suspects = new Suspects({
      clock,
      beliefs,
      clusters,
      machine: (name) => caches.machines.get(name),
      outside,
      netconsole: (address, since) => keeping?.netconsole?.(address, since) ?? [],
      onAnswer: (machine, error) => ways.set(machine, error === undefined ? OPEN : closedBy(error)),
      onError: onError('suspects'),
    });
    const stops = this.#feed(beliefs);
    const beat = { groups: () => targetsOf(caches.machines.values(), clusters, outside) };
    const loop = (name: string, every_ms: number, work: () => Promise<unknown>) =>
      this.#loop(name, every_ms, work, signal);
    await Promise.all([
      patrol({ clock, beliefs, beat, onError: (error) => this.#failed('patrol', '', error) }, signal),
      loop('suspects', READ_MS, () => suspects.read()),
      healing.run(signal),
      requests.run(signal),
      operations.run(signal),
      fleet.run(signal),
      loop('ledger', 10 * SECOND, () => showLedger(client, caches, gate, clock.now())),
      loop('policies', 10 * SECOND, () =>
        showPolicies(
          client,
          caches.policies.values(),
          {
            wrongRules: (policy) => beliefs.wrongRules(policy),
            brakeOf: (policy) => gate.brakeOf(policy),
          },
          clock.now(),
        ),
      ),
      loop('acceptance', 5 * SECOND, () =>
        reportRejected(client, this.allCaches(), clock.now(), (about, why) =>
          journal.say(
            { actor: 'fleet', kind: 'Refusal', cluster: HOME_CLUSTER, machine: about.metadata.name, about },
            why,
          ),
        ),
      ),
      loop('providers', ASK_MS, () => providers.ask()),
      loop('events', EVENTS_MS, async () => void events.poll()),
      loop('hardware-events', HARDWARE_MS, async () => hardware.pass(signal)),
      loop('clusters', 10 * SECOND, () => showClusters(client, caches, clusters, clock.now())),
      loop('crashes', COLLECT_MS, () => crashes?.collect() ?? Promise.resolve()),
      loop('surges', WATCH_MS, () => crashes?.watch() ?? Promise.resolve()),
      loop('census', 10 * MINUTE, () => crashes?.count() ?? Promise.resolve()),
      loop('forgetting', FORGET_MS, () => crashes?.forget() ?? Promise.resolve()),
      loop('retention', 5 * MINUTE, () => deleteOld(client, caches, clock.now())),
    ]);
    for (const stop of stops) stop();
    this.term = undefined;
    log.warn('no longer leading', { identity: this.election.identity });
  }

  /** Keeps beliefs up to date with machines and nodes; returns how to stop. */
  #feed(beliefs: Beliefs): (() => void)[] {
    const { caches, clusters } = this;
    const nodeOf = (machine: Machine) => clusters.get(machine.spec.cluster)?.nodes.get(nodeNameOf(machine));
    const takePolicies = () => beliefs.setPolicies([...caches.policies.values()]);
    takePolicies();
    for (const machine of caches.machines.values())
      beliefs.setMachine(machine.metadata.name, machine, nodeOf(machine));
    return [
      caches.policies.subscribe(({ before, after }) => {
        if (before?.metadata.generation !== after?.metadata.generation) takePolicies();
      }),
      caches.machines.subscribe(({ key, before, after }) => {
        // Our own status writes come by here too, and change nothing that a belief rests on.
        if (before && after && isSameMachine(before, after)) return;
        beliefs.setMachine(key, after, after && nodeOf(after));
      }),
      clusters.subscribe((cluster, { key, after }) => {
        const machine = beliefs.machineOf(cluster, key);
        if (machine) beliefs.setNode(machine, after);
      }),
    ];
  }

  async #loop(
    name: string,
    every_ms: number,
    work: () => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.options;
    while (!signal.aborted) {
      if (!this.election.refusal()) await work().catch((error: unknown) => this.#failed(name, '', error));
      await clock.sleep(every_ms, signal).catch(() => undefined);
    }
  }

  #crashed({ id, machine, title, cause, class: kind, signature }: CrashRecord): void {
    const counted = this.crashCounts.get(kind) ?? new Map<string, number>();
    this.crashCounts.set(kind, counted.set(cause, (counted.get(cause) ?? 0) + 1));
    this.options.log.info(title, { loop: 'crashes', machine, crash: id, cause, signature });
  }

  #failed(loop: string, key: string, error: unknown): void {
    this.errors.set(loop, (this.errors.get(loop) ?? 0) + 1);
    this.options.log.warn(messageOf(error), { loop, key });
  }
}

/** Labels have no generation, and selectors rest on them. */
function isSameMachine(a: Machine, b: Machine): boolean {
  return (
    a.metadata.generation === b.metadata.generation && isDeepStrictEqual(a.metadata.labels, b.metadata.labels)
  );
}
