// A whole fleet as a site has it: a real control plane, simulated machines in a process of their own, and as
// many `drover run` processes as are started. What happened is read from the machines and from the API, never
// from Drover.

import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Incident, incidentKind } from '../../src/api/incident.ts';
import { type NodeOperation, nodeOperationKind } from '../../src/api/node-operation.ts';
import { SECOND } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { KubeClient } from '../../src/platform/kube/client.ts';
import { type KubeObject, LEASES, type Lease, NODES, type Node } from '../../src/platform/kube/objects.ts';
import type { Transport } from '../../src/platform/kube/transport.ts';
import type { Fault, FaultKind } from '../../src/simulation/fleet/faults.ts';
import type { Struck } from '../../src/simulation/fleet/fleet.ts';
import type { Boot, Phase } from '../../src/simulation/fleet/machine.ts';
import { Processes } from '../control-plane/processes.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../control-plane/start.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const FLEET = 'fleet';
/** Registering 1,000 machines takes some 20 s. */
const START_MS_MAX = 180 * SECOND;
const POLL_MS = 200;

/** What the machines themselves say. */
export interface Truth {
  now: number;
  acts: Struck[];
  boots: Boot[];
  machines: { name: string; phase: Phase; bootID: string; connected: boolean }[];
}

export interface StageOptions {
  machines: number;
  /** As `drover fleet` takes it: `150s-200s` by default, what bare metal takes. */
  boot?: string;
  dump?: string;
  applications?: number;
  seed?: number;
  controlPlane?: ControlPlaneOptions;
}

export class Stage implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly client: KubeClient;
  readonly endpoint: string;
  readonly #transport: Transport;
  readonly #processes: Processes;

  private constructor(plane: ControlPlane, transport: Transport, processes: Processes, endpoint: string) {
    this.plane = plane;
    this.#transport = transport;
    this.client = new KubeClient(transport, systemClock);
    this.#processes = processes;
    this.endpoint = endpoint;
  }

  /** Resolves when the resources are installed and all machines have joined. No Drover runs yet. */
  static async open(options: StageOptions): Promise<Stage> {
    const plane = await startControlPlane({
      nodeMonitorGracePeriod_s: 50,
      nodeMonitorPeriod_s: 5,
      ...options.controlPlane,
    });
    const processes = new Processes(mkdtempSync(join(tmpdir(), 'drover-fleet-')));
    try {
      const drover = (name: string, ...args: string[]) =>
        processes.start(name, process.execPath, [MAIN, ...args, '--kubeconfig', plane.kubeconfigPath]);
      drover('install', 'install');
      await until(
        'drover install has ended',
        START_MS_MAX,
        async () => !processes.isRunning('install') || undefined,
      );
      const { machines, boot = '150s-200s', dump = '45s-150s', applications = 0, seed = 1 } = options;
      const sizes = [
        '--machines',
        String(machines),
        '--applications',
        String(applications),
        '--seed',
        String(seed),
      ];
      drover(FLEET, 'fleet', ...sizes, '--boot', boot, '--dump', dump);
      const endpoint = await until('all machines have joined', START_MS_MAX, async () => {
        if (!processes.isRunning(FLEET)) throw new Error(`drover fleet ended:\n${processes.logTail(FLEET)}`);
        return /answer at (http:\S+)/.exec(processes.logTail(FLEET))?.[1];
      });
      return new Stage(plane, plane.transport(), processes, endpoint);
    } catch (error) {
      await processes.end();
      await plane.stop();
      throw error;
    }
  }

  /** Starts `drover run`; it need not lead. */
  startReplica(identity: string, ...args: string[]): void {
    const flags = ['--kubeconfig', this.plane.kubeconfigPath, '--identity', identity, '--metrics-port', '0'];
    this.#processes.start(identity, process.execPath, [MAIN, 'run', ...flags, ...args]);
  }

  kill(identity: string): Promise<void> {
    return this.#processes.stop(identity, 'SIGKILL');
  }

  freeze(identity: string): Promise<void> {
    return this.#processes.pause(identity);
  }

  thaw(identity: string): void {
    this.#processes.signal(identity, 'SIGCONT');
  }

  pid(identity: string): number | undefined {
    return this.#processes.pid(identity);
  }

  /** What a replica printed, all of it. */
  log(identity: string): string {
    return readFileSync(join(this.#processes.logs, `${identity}.log`), 'utf8');
  }

  /** Who holds the lease; '' while nobody does. */
  async leader(): Promise<string> {
    const lease = await this.client.get<Lease>(LEASES, 'drover', 'drover-system');
    return lease?.spec?.holderIdentity ?? '';
  }

  async strike(
    kind: FaultKind,
    machine: string,
    more: { lasts_ms?: number; stubborn?: boolean } = {},
  ): Promise<Fault> {
    const response = await fetch(`${this.endpoint}/v1/fault`, {
      method: 'POST',
      body: JSON.stringify({ machine, kind, ...more }),
    });
    if (!response.ok) throw new Error(`${kind} of ${machine}: ${await response.text()}`);
    return (await response.json()) as Fault;
  }

  async truth(): Promise<Truth> {
    return (await (await fetch(`${this.endpoint}/v1/state`)).json()) as Truth;
  }

  async incidents(): Promise<(KubeObject & Incident)[]> {
    return (await this.client.list<KubeObject & Incident>(incidentKind.resource)).items;
  }

  async operations(): Promise<(KubeObject & NodeOperation)[]> {
    return (await this.client.list<KubeObject & NodeOperation>(nodeOperationKind.resource)).items;
  }

  async nodes(): Promise<Node[]> {
    return (await this.client.list<Node>(NODES)).items;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#transport.close();
    await this.#processes.end();
    await this.plane.stop();
  }
}

/** Resolves with the first answer that is not undefined; throws when there is none in time. */
export async function until<T>(
  what: string,
  limit_ms: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (const end = systemClock.now() + limit_ms; ; ) {
    const found = await look();
    if (found !== undefined) return found;
    if (systemClock.now() > end) throw new Error(`not within ${limit_ms / SECOND} s: ${what}`);
    await systemClock.sleep(POLL_MS);
  }
}
