import { type CrashKeeping, Drover } from '../drover.ts';
import { install, NAMESPACE } from '../fleet/install.ts';
import type { Clock } from '../platform/clock/clock.ts';
import { type Decision, type History, noHistory } from '../platform/history/history.ts';
import { KubeClient } from '../platform/kube/client.ts';
import type { KubeRequest, Transport } from '../platform/kube/transport.ts';
import type { Outside } from '../platform/outside.ts';
import { openOutside } from '../platform/providers/registry.ts';
import { type Log, noLog } from '../platform/telemetry/log.ts';
import { EmbeddedApi, Faults } from './api/index.ts';
import { NodeLifecycle } from './control-plane/node-lifecycle.ts';
import { Workloads } from './control-plane/workloads.ts';
import type { FleetCloud } from './ecs/fleet-cloud.ts';
import { type FleetOptions, SimulatedFleet, type Struck } from './fleet/fleet.ts';
import { Kubelets } from './fleet/kubelets.ts';
import { deployApplications, describeFleet, simulatedOwner } from './fleet/objects.ts';

export interface WorldOptions extends FleetOptions {
  /** Applications, each with about a Pod for every third machine. */
  applications?: number;
}

/** One running Drover in a world, with the fault switch of its connection. */
export interface Replica {
  drover: Drover;
  faults: Faults;
  /** Ends it as a kill would: nothing is released or finished. */
  kill(): void;
  /** Ends it in order. */
  stop(): Promise<void>;
}

/** Sees from outside what a replica asks of the API, decides, and does to machines. */
export interface Watcher {
  requested(request: KubeRequest): void;
  decided(decision: Decision): void;
  acted(act: Struck & { replica: string }): void;
}

function watched(transport: Transport, watcher: Watcher): Transport {
  return {
    send: (request) => {
      watcher.requested(request);
      return transport.send(request);
    },
    stream: (request) => transport.stream(request),
    close: () => transport.close(),
  };
}

/** A whole fleet in one process: API server, control plane, kubelets, machines; and as many Drovers as are started. */
export class World {
  readonly clock: Clock;
  readonly api: EmbeddedApi;
  readonly fleet: SimulatedFleet;
  readonly kubelets: Kubelets;
  /** Sees and may do everything: for tests and the outside watcher. */
  readonly admin: KubeClient;
  readonly #options: WorldOptions;
  readonly #stop = new AbortController();
  #cloud: FleetCloud | undefined;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.api = new EmbeddedApi({ clock: options.clock });
    this.fleet = new SimulatedFleet(options);
    this.admin = new KubeClient(this.api.transport({ user: 'admin' }), this.clock);
    this.kubelets = new Kubelets(
      this.fleet,
      new KubeClient(this.api.transport({ user: 'kubelets' }), this.clock),
    );
  }

  /**
   * Fills the world and sets it going.
   * @param endpoint where the fleet is served for other processes; nowhere by default.
   * @param cloud whose instances its machines are; their own without
   */
  async open(endpoint = 'http://127.0.0.1:1', cloud?: FleetCloud): Promise<void> {
    const { signal } = this.#stop;
    await install(this.admin, { defaults: true });
    this.#cloud = cloud;
    await describeFleet(this.admin, this.fleet, cloud?.owner ?? simulatedOwner(endpoint));
    await this.kubelets.registerAll();
    const applications = this.#options.applications ?? 5;
    await deployApplications(this.admin, applications, Math.ceil(this.fleet.machines.size / 3));
    void this.kubelets.run(signal);
    for (const part of [NodeLifecycle, Workloads]) {
      const client = new KubeClient(this.api.transport({ user: 'kube-controller-manager' }), this.clock);
      void new part(client).run(signal);
    }
  }

  start(
    options: {
      identity?: string;
      history?: History;
      log?: Log;
      watcher?: Watcher;
      crashes?: CrashKeeping;
    } = {},
  ): Replica {
    const faults = new Faults();
    const stop = new AbortController();
    const { watcher } = options;
    const identity = options.identity ?? `drover-${this.clock.id(5)}`;
    const transport = this.api.transport({ user: 'drover', faults });
    const drover = new Drover({
      clock: this.clock,
      transport: watcher ? watched(transport, watcher) : transport,
      identity,
      namespace: NAMESPACE,
      history: watcher
        ? { ...noHistory, decision: (decision) => watcher.decided(decision) }
        : (options.history ?? noHistory),
      log: options.log ?? noLog,
      ...(options.crashes && { crashes: options.crashes }),
      connect: () => {
        throw new Error('this world has one cluster');
      },
      open: (provider, context) => {
        const opened = provider.spec.simulated ? undefined : openOutside(provider, context);
        if (opened) return provider.spec.ecs && this.#cloud ? { ...opened, ...this.#cloud.around() } : opened;
        return watcher ? this.#attributed(identity, watcher) : this.fleet;
      },
    });
    const done = drover.run(stop.signal);
    return {
      drover,
      faults,
      kill: () => {
        faults.unreachable = true;
        stop.abort(new Error('killed'));
      },
      stop: async () => {
        stop.abort(new Error('stopped'));
        await done;
      },
    };
  }

  /** The fleet as one replica reaches it: a dead replica reaches nothing, and each act is told with its sender. */
  #attributed(replica: string, watcher: Watcher): Outside {
    const { provider, hosts, prober } = this.fleet;
    const attribute = async (act: Promise<void>, key: string) => {
      const before = this.fleet.acts.length;
      try {
        await act;
      } finally {
        for (const done of this.fleet.acts.slice(before))
          if (done.key === key) watcher.acted({ ...done, replica });
      }
    };
    return {
      hosts,
      prober,
      provider: {
        ...provider,
        act: (id, act, key) => attribute(provider.act(id, act, key), key),
      },
    };
  }

  close(): void {
    this.#stop.abort(new Error('closed'));
    this.api.close();
  }
}
