import { type Clock, MINUTE, SECOND, toMicroTime, toTime } from '../../platform/clock/clock.ts';
import { KubeCache } from '../../platform/kube/cache.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import { isNotFound, KubeError } from '../../platform/kube/errors.ts';
import { type KubeObject, LEASES, NODES, type Node, PODS, type Pod } from '../../platform/kube/objects.ts';
import { sideBySide } from '../../platform/side-by-side.ts';
import type { SimulatedFleet } from './fleet.ts';
import type { SimulatedMachine } from './machine.ts';

const MANAGER = 'kubelet';
const LEASE_NAMESPACE = 'kube-node-lease';
/** A kubelet renews its lease and looks at its status this often. */
const PERIOD_MS = 10 * SECOND;
/** The kubelets of a large fleet take turns within a period, so that 1,000 of them are 100 writes a second. */
const TURNS_MAX = 10;
const MACHINES_PER_TURN = 20;
const STATUS_MS = 5 * MINUTE;
/** From the end of a boot until the kubelet's first report. */
const STARTUP_MS = 5 * SECOND;
const POD_END_MS = 2 * SECOND;

interface NodeSeen {
  ready: string;
  diskPressure: string;
  bootID: string;
}

interface PodSeen {
  name: string;
  namespace: string;
  node: string;
  running: boolean;
  ready: boolean;
  ending: boolean;
  finished: boolean;
}

/** The hollow kubelets of all machines: they hold leases, report status, run and end Pods. No containers. */
export class Kubelets {
  readonly #fleet: SimulatedFleet;
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #nodes: KubeCache<NodeSeen>;
  readonly #pods: KubeCache<PodSeen>;
  readonly #reportedAt = new Map<string, number>();
  readonly #hasLease = new Set<string>();
  readonly #busy = new Set<string>();
  errors = 0;

  constructor(fleet: SimulatedFleet, client: KubeClient) {
    this.#fleet = fleet;
    this.#client = client;
    this.#clock = fleet.clock;
    this.#nodes = new KubeCache<NodeSeen>({ client, resource: NODES, project: nodeSeen });
    this.#pods = new KubeCache<PodSeen>({
      client,
      resource: PODS,
      project: podSeen,
      indexes: { node: (pod) => (pod.node ? [pod.node] : []) },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    void this.#nodes.run(signal);
    void this.#pods.run(signal);
    while (!(this.#nodes.synced && this.#pods.synced) && !signal.aborted)
      await this.#clock.sleep(100, signal).catch(() => undefined);
    const stopPods = this.#pods.subscribe(({ after }) => after && this.#tend(after));
    const onChange = (machine: SimulatedMachine) => this.#soon(machine);
    this.#fleet.listeners.add(onChange);
    const machines = [...this.#fleet.machines.values()];
    const turns = Math.min(TURNS_MAX, Math.ceil(machines.length / MACHINES_PER_TURN));
    for (let turn = 0; !signal.aborted; turn = (turn + 1) % turns) {
      for (let at = turn; at < machines.length; at += turns) this.#beat(machines[at] as SimulatedMachine);
      await this.#clock.sleep(PERIOD_MS / turns, signal).catch(() => undefined);
    }
    this.#fleet.listeners.delete(onChange);
    stopPods();
  }

  /** Registers all nodes before anything else runs: a fleet begins in good health. */
  async registerAll(concurrency = 32): Promise<void> {
    await sideBySide(this.#fleet.machines.values(), concurrency, (machine) => this.#register(machine));
  }

  /** A change is reported as soon as the kubelet sees it: a dead runtime takes it some seconds. */
  #soon(machine: SimulatedMachine): void {
    this.#clock.timer(STARTUP_MS, () => this.#beat(machine));
  }

  #beat(machine: SimulatedMachine): void {
    if (!this.#alive(machine) || this.#busy.has(machine.name)) return;
    this.#busy.add(machine.name);
    this.#work(machine)
      .catch(() => {
        // The API server did not answer: the next turn tries again, as a kubelet does.
        this.errors++;
      })
      .finally(() => this.#busy.delete(machine.name));
  }

  #alive(machine: SimulatedMachine): boolean {
    return this.#fleet.kubeletWorks(machine) && this.#clock.now() - machine.upAt >= STARTUP_MS - 1;
  }

  async #work(machine: SimulatedMachine): Promise<void> {
    await this.#renew(machine);
    const seen = this.#nodes.get(machine.name);
    const ready = machine.services.containerd ? 'True' : 'False';
    const pressure = machine.diskFull ? 'True' : 'False';
    const due = this.#clock.now() - (this.#reportedAt.get(machine.name) ?? 0) >= STATUS_MS;
    if (!seen) await this.#register(machine);
    else if (due || seen.ready !== ready || seen.diskPressure !== pressure || seen.bootID !== machine.bootID)
      await this.#report(machine);
    for (const pod of this.#pods.by('node', machine.name)) this.#tend(pod);
  }

  async #register(machine: SimulatedMachine): Promise<void> {
    const node: Node & { status: unknown } = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: machine.name,
        labels: {
          'kubernetes.io/hostname': machine.name,
          'kubernetes.io/os': 'linux',
          'topology.kubernetes.io/zone': machine.place.zone,
          'drover.dev/rack': machine.place.rack,
          'node.kubernetes.io/instance-type': machine.model,
        },
      },
      spec: { providerID: `simulated://${machine.name}` },
      status: this.#status(machine),
    };
    try {
      await this.#client.create<KubeObject>(NODES, node, MANAGER);
    } catch (error) {
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
    }
    await this.#report(machine);
    await this.#renew(machine);
  }

  async #report(machine: SimulatedMachine): Promise<void> {
    this.#reportedAt.set(machine.name, this.#clock.now());
    const options = { fieldManager: MANAGER, subresource: 'status' };
    await this.#client.mergePatch(NODES, machine.name, { status: this.#status(machine) }, options);
  }

  async #renew(machine: SimulatedMachine): Promise<void> {
    const renewTime = toMicroTime(this.#clock.now() - machine.clockBehind_ms);
    const options = { fieldManager: MANAGER, namespace: LEASE_NAMESPACE };
    if (this.#hasLease.has(machine.name)) {
      try {
        await this.#client.mergePatch(LEASES, machine.name, { spec: { renewTime } }, options);
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    const spec = { holderIdentity: machine.name, leaseDurationSeconds: 40, renewTime };
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: machine.name, namespace: LEASE_NAMESPACE },
      spec,
    };
    await this.#client.create<KubeObject>(LEASES, lease, MANAGER).catch((error: unknown) => {
      if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
    });
    this.#hasLease.add(machine.name);
  }

  #status(machine: SimulatedMachine): Node['status'] {
    const at = toTime(this.#clock.now() - machine.clockBehind_ms);
    const condition = (type: string, status: 'True' | 'False', reason: string, message: string) => ({
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: at,
      lastTransitionTime: at,
    });
    const resources = { cpu: '96', memory: '527Gi', pods: '110' };
    return {
      capacity: resources,
      allocatable: resources,
      addresses: [
        { type: 'InternalIP', address: addressOf(machine) },
        { type: 'Hostname', address: machine.name },
      ],
      conditions: [
        condition(
          'MemoryPressure',
          'False',
          'KubeletHasSufficientMemory',
          'kubelet has sufficient memory available',
        ),
        machine.diskFull
          ? condition('DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure')
          : condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
        machine.services.containerd
          ? condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
          : condition(
              'Ready',
              'False',
              'KubeletNotReady',
              '[container runtime is down, PLEG is not healthy: pleg was last seen active 3m0s ago]',
            ),
      ],
      nodeInfo: {
        architecture: 'amd64',
        bootID: machine.bootID,
        containerRuntimeVersion: 'containerd://2.1.4',
        kernelVersion: '5.10.134-19.an8.x86_64',
        kubeProxyVersion: '',
        kubeletVersion: 'v1.37.2',
        machineID: machine.name,
        operatingSystem: 'linux',
        osImage: 'Anolis OS 8.10',
        systemUUID: machine.name,
      },
    };
  }

  /** What the kubelet of a Pod's node does about it. */
  #tend(pod: PodSeen): void {
    const machine = this.#fleet.machines.get(pod.node);
    const key = `${pod.namespace}/${pod.name}`;
    if (!machine || !this.#alive(machine) || !machine.services.containerd || this.#busy.has(key)) return;
    if (!pod.ending && (pod.finished || (pod.running && pod.ready))) return;
    this.#busy.add(key);
    this.#clock.timer(pod.ending ? POD_END_MS : SECOND, () => {
      const done = () => this.#busy.delete(key);
      if (!this.#alive(machine)) return void done();
      const { namespace, name } = pod;
      const act = pod.ending
        ? this.#client.delete(PODS, name, { namespace, gracePeriodSeconds: 0 })
        : this.#client.mergePatch(
            PODS,
            name,
            { status: runningStatus(this.#clock) },
            { fieldManager: MANAGER, namespace, subresource: 'status' },
          );
      Promise.resolve(act)
        .catch(() => this.errors++)
        .finally(done);
    });
  }
}

function runningStatus(clock: Clock): Pod['status'] {
  const at = toTime(clock.now());
  const yes = (type: string) => ({ type, status: 'True' as const, lastTransitionTime: at });
  return {
    phase: 'Running',
    startTime: at,
    conditions: [yes('PodScheduled'), yes('Initialized'), yes('ContainersReady'), yes('Ready')],
  };
}

function nodeSeen(object: KubeObject): NodeSeen {
  const { status } = object as Node;
  const said = (type: string) =>
    status?.conditions?.find((condition) => condition.type === type)?.status ?? '';
  return {
    ready: said('Ready'),
    diskPressure: said('DiskPressure'),
    bootID: status?.nodeInfo?.bootID ?? '',
  };
}

function podSeen(object: KubeObject): PodSeen {
  const { metadata, spec, status } = object as Pod;
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? 'default',
    node: spec?.nodeName ?? '',
    running: status?.phase === 'Running',
    ready: status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    ending: metadata.deletionTimestamp !== undefined,
    finished: status?.phase === 'Succeeded' || status?.phase === 'Failed',
  };
}

/** An address of the documentation range's size, unique in the fleet; nothing listens there. */
function addressOf(machine: SimulatedMachine): string {
  const number = Number(machine.name.slice(1));
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}
