// Plays the kubelet of one Node of a real control plane, for Jobs that act on a host: containers are processes of this
// machine, without the chroot. It serves their logs, which the API server fetches as from any kubelet.
import { type ChildProcess, spawn } from 'node:child_process';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { MINUTE, SECOND, toMicroTime, toTime } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { KubeClient } from '../../src/platform/kube/client.ts';
import { makeCertificates } from '../../src/platform/kube/kubeconfig/test-server.ts';
import { LEASES, NODES, type Node, PODS, type Pod } from '../../src/platform/kube/objects.ts';
import type { Transport } from '../../src/platform/kube/transport.ts';

const FIELD_MANAGER = 'kubelet';
const LOOK_MS = 50;
const NAMESPACE = 'kube-node-lease';

interface Container {
  process: ChildProcess;
  log: Buffer[];
}

export interface KubeletOptions {
  node: string;
  /** Its own: closed with it. */
  transport: Transport;
  /** What a Pod's container waits with, instead of running. */
  waits?(pod: Pod): { reason: string; message: string } | undefined;
  /** Takes no Pods at all. */
  isDeaf?: boolean;
  /** Ends a container as a runtime does it: SIGTERM to its first process, and SIGKILL to all when that is gone. */
  gracefully?: boolean;
  /** Gives the log of no container that still runs. */
  logsAtEnd?: boolean;
  /** How many Pods fit; 110 without. */
  pods?: string;
}

export interface Kubelet extends AsyncDisposable {
  /** All Pods that it ran. */
  pods: Pod[];
  /** What the Node says of Ready. */
  setReady(status: 'True' | 'False'): Promise<void>;
}

export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { node, transport, waits, isDeaf, logsAtEnd, gracefully, pods: room = '110' } = options;
  const client = new KubeClient(transport, systemClock);
  const certificates = makeCertificates();
  const containers = new Map<string, Container>();
  const pods: Pod[] = [];
  const server = https.createServer(certificates.server, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://kubelet');
    const [, what, namespace, name] = url.pathname.split('/');
    const container = containers.get(`${namespace}/${name}`);
    const isEarly = logsAtEnd && container?.process.exitCode === null;
    if (what !== 'containerLogs' || !container || isEarly) return void response.writeHead(404).end();
    const log = Buffer.concat(container.log);
    const most = Number(url.searchParams.get('limitBytes') ?? log.length);
    response.writeHead(200, { 'content-type': 'text/plain' }).end(log.subarray(0, most));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const setReady = async (status: 'True' | 'False') => {
    const now = toTime(systemClock.now());
    const message = status === 'True' ? 'kubelet is posting ready status' : 'container runtime is down';
    const ready = { type: 'Ready', status, reason: 'Kubelet', message };
    const resources = { cpu: '4', memory: '8Gi', pods: room };
    const patch = {
      status: {
        conditions: [{ ...ready, lastHeartbeatTime: now, lastTransitionTime: now }],
        capacity: resources,
        allocatable: resources,
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
      },
    };
    await client.mergePatch(NODES, node, patch, { subresource: 'status', fieldManager: FIELD_MANAGER });
  };
  const object: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: node } };
  await client.create<Node>(NODES, object, FIELD_MANAGER);
  await setReady('True');
  const beat = async () => {
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: node, namespace: NAMESPACE },
      spec: {
        holderIdentity: node,
        leaseDurationSeconds: 40,
        renewTime: toMicroTime(systemClock.now()),
      },
    };
    await client.apply(LEASES, lease, { namespace: NAMESPACE, fieldManager: FIELD_MANAGER, force: true });
  };
  const stop = new AbortController();

  const setStatus = (pod: Pod, phase: string, state: object) => {
    const { name, namespace = '' } = pod.metadata;
    const container = { name: 'host', image: 'x', imageID: 'x', ready: false, restartCount: 0, state };
    const patch = { status: { phase, containerStatuses: [container] } };
    const place = { namespace, subresource: 'status', fieldManager: FIELD_MANAGER };
    return client.mergePatch(PODS, name, patch, place).catch(() => undefined);
  };

  async function run(pod: Pod): Promise<void> {
    pods.push(pod);
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    const words = expanded((pod.spec?.containers as { command: string[] }[] | undefined)?.[0]?.command ?? []);
    if (words[0] !== 'chroot' || words[1] !== '/host')
      throw new Error(`not in a chroot: ${words.slice(0, 2)}`);
    const [program, ...args] = words.slice(2) as [string, ...string[]];
    const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: {} });
    const log: Buffer[] = [];
    containers.set(key, { process: child, log });
    child.stdout.on('data', (chunk: Buffer) => log.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => log.push(chunk));
    const startedAt = toTime(systemClock.now());
    const ended = new Promise<number>((resolve) =>
      child.once('exit', (code) => {
        // What it left behind ends with it, as all of a container does.
        killAll(child);
        resolve(code ?? 137);
      }),
    );
    await setStatus(pod, 'Running', { running: { startedAt } });
    const exitCode = await ended;
    const finishedAt = toTime(systemClock.now());
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    await setStatus(pod, exitCode === 0 ? 'Succeeded' : 'Failed', {
      terminated: { exitCode, reason, startedAt, finishedAt },
    });
  }

  async function look(): Promise<void> {
    const { items } = await client.list<Pod>(PODS, { fieldSelector: `spec.nodeName=${node}` });
    for (const pod of items) {
      const { name, namespace = '', deletionTimestamp } = pod.metadata;
      const container = containers.get(`${namespace}/${name}`);
      if (deletionTimestamp) {
        if (gracefully && container?.process.exitCode === null) {
          container.process.kill('SIGTERM');
          continue;
        }
        kill(container);
        await client.delete(PODS, name, { namespace, gracePeriodSeconds: 0 }).catch(() => undefined);
      } else if (!container && !isDeaf && pod.status?.phase === 'Pending') {
        const wait = waits?.(pod);
        if (wait) await setStatus(pod, 'Pending', { waiting: wait });
        else void run(pod);
      }
    }
  }
  const loop = async () => {
    let beaten = 0;
    while (!stop.signal.aborted) {
      const now = systemClock.now();
      if (now - beaten > SECOND) {
        beaten = now;
        await beat().catch(() => undefined);
      }
      await look().catch(() => undefined);
      await systemClock.sleep(LOOK_MS, stop.signal).catch(() => undefined);
    }
  };
  const looping = loop();
  return {
    pods,
    setReady,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await looping;
      for (const container of containers.values()) kill(container);
      await client.delete(NODES, node).catch(() => undefined);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      certificates.remove();
      transport.close();
    },
  };
}

/** For the first start of a control plane, which may have to be built. */
export const START_TIMEOUT_MS = 30 * MINUTE;

function kill(container: Container | undefined): void {
  if (container?.process.exitCode === null) killAll(container.process);
}

function killAll({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // They have just ended.
  }
}

/** As the kubelet does it: `$$` is `$`, and `$(NAME)` stays where there is no such variable. */
function expanded(words: readonly string[]): string[] {
  const variables: Readonly<Record<string, string>> = { HOSTNAME: 'smuggled', id: 'smuggled' };
  return words.map((word) =>
    word.replace(/\$\$|\$\(([^)]*)\)/g, (all, name: string | undefined) =>
      name === undefined ? '$' : (variables[name] ?? all),
    ),
  );
}
