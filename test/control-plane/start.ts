// A real control plane for tests: etcd, kube-apiserver, controllers and scheduler, on free ports of the
// loopback, in a folder that goes away with them. Nodes are what a test writes: there is no kubelet.

import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SECOND } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { httpsTransport } from '../../src/platform/kube/https.ts';
import type { Transport } from '../../src/platform/kube/transport.ts';
import { freePorts } from '../free-ports.ts';
import { type Binaries, controlPlaneBinaries } from './build.ts';
import { Processes } from './processes.ts';
import { schedulerConfig } from './scheduler.ts';

/** Ready in 3 s on an idle machine. */
const READY_TIMEOUT_MS = 120 * SECOND;
const READY_POLL_MS = 100;
const READY_REQUEST_MS = 5 * SECOND;
/** What 500 kubelets, their controllers and our tests send at once. */
const REQUESTS_IN_FLIGHT_MAX = 3000;
const MUTATING_IN_FLIGHT_MAX = 1500;
/** For the controllers' and the scheduler's own clients; the default of 20 holds back 500 nodes. */
const CLIENT_QPS = 1000;
const CLIENT_BURST = 2000;
/** For requests that delete whole collections; by default one object goes after the other. */
const DELETE_WORKERS = 16;
const WATCH_DRAIN_S = 2;
const KUBECTL_OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

const API_SERVER = 'kube-apiserver';

export interface ControlPlaneUser {
  name: string;
  groups?: string[];
}

export interface ControlPlaneOptions {
  /** kube-controller-manager; default true. */
  controllers?: boolean;
  /** kube-scheduler; default true. */
  scheduler?: boolean;
  /** A node whose lease is older than this becomes Unknown; default 20 (production: 50). */
  nodeMonitorGracePeriod_s?: number;
  /** How often leases are looked at; default 1 (production: 5). */
  nodeMonitorPeriod_s?: number;
  /** Demands service accounts of Pods, as production does; needs the controllers. Default false. */
  serviceAccounts?: boolean;
  /** More users, who may do what RBAC objects say; `admin` (system:masters) exists always. */
  users?: readonly ControlPlaneUser[];
  /** Added last, so they win: `['--event-ttl=1m']`. */
  apiServerFlags?: readonly string[];
  controllerFlags?: readonly string[];
  schedulerFlags?: readonly string[];
}

export interface ControlPlane extends AsyncDisposable {
  url: string;
  /** PEM. */
  ca: string;
  /** The admin's. */
  token: string;
  kubeconfigPath: string;
  kubeconfigText: string;
  /** Logs of all processes, until the end. */
  logs: string;
  /** A transport of its own, as `user` (admin by default). The caller closes it. */
  transport(user?: string): Transport;
  /** A kubeconfig for one of `users`. */
  kubeconfigFor(user: string): string;
  /** Standard output; throws with standard error when kubectl fails. */
  kubectl(...args: string[]): Promise<string>;
  /** By SIGKILL at once, or by SIGTERM, which lets requests end. Resolves when it is gone. */
  stopApiServer(how?: { graceful: boolean }): Promise<void>;
  /** Resolves when it is ready. */
  startApiServer(): Promise<void>;
  /** It keeps its connections but answers nothing: SIGSTOP. Resolves when it stands still. */
  pauseApiServer(): Promise<void>;
  resumeApiServer(): void;
  stop(): Promise<void>;
}

/** Resolves when the API server is ready and the others are started. Builds the binaries if need be. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await controlPlaneBinaries();
  const processes = new Processes(mkdtempSync(join(tmpdir(), 'drover-control-plane-')));
  try {
    return await start(options, binaries, processes);
  } catch (error) {
    await processes.end();
    throw error;
  }
}

async function start(
  options: ControlPlaneOptions,
  binaries: Binaries,
  processes: Processes,
): Promise<ControlPlane> {
  const { folder } = processes;
  const [etcdPort, peerPort, apiPort] = await freePorts(3);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const url = `https://127.0.0.1:${apiPort}`;
  const users = [{ name: 'admin', groups: ['system:masters'] }, ...(options.users ?? [])];
  const tokens = new Map(users.map(({ name }) => [name, systemClock.id(32)]));
  const tokenOf = (name: string) => {
    const token = tokens.get(name);
    if (token === undefined)
      throw new Error(`no user ${name} in this control plane; there are ${[...tokens.keys()]}`);
    return token;
  };
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const lines = users.map(
    ({ name, groups }) => `${tokenOf(name)},${name},${name},"${(groups ?? []).join(',')}"`,
  );
  const tokensPath = file('tokens.csv', `${lines.join('\n')}\n`);
  const keyPath = file('sa.key', newSigningKey());

  processes.start('etcd', binaries.etcd, [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]);

  const apiServerFlags = [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${apiPort}`,
    `--cert-dir=${join(folder, 'certificates')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${keyPath}`,
    `--service-account-signing-key-file=${keyPath}`,
    `--token-auth-file=${tokensPath}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--delete-collection-workers=${DELETE_WORKERS}`,
    '--allow-privileged=true',
    `--max-requests-inflight=${REQUESTS_IN_FLIGHT_MAX}`,
    `--max-mutating-requests-inflight=${MUTATING_IN_FLIGHT_MAX}`,
    // without it a graceful stop waits a minute for open watches
    `--shutdown-watch-termination-grace-period=${WATCH_DRAIN_S}s`,
    ...(options.serviceAccounts ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ...(options.apiServerFlags ?? []),
  ];
  // Made by the API server at its first start: its certificate, followed by the authority that signed it.
  const certificate = () => readFileSync(join(folder, 'certificates', 'apiserver.crt'), 'utf8');
  const transport = (user = 'admin') => {
    const authorization = `Bearer ${tokenOf(user)}`;
    return httpsTransport({
      server: url,
      clock: systemClock,
      ca: certificate(),
      userAgent: 'drover-test',
      credentials: async () => ({ authorization }),
    });
  };
  const startApiServer = async () => {
    processes.start(API_SERVER, binaries.apiServer, apiServerFlags);
    await waitUntil(processes, () => isReady(transport));
  };
  await startApiServer();

  const ca = certificate();
  const kubeconfigFor = (user: string) => kubeconfigTextOf(url, ca, user, tokenOf(user));
  const kubeconfigText = kubeconfigFor('admin');
  const kubeconfigPath = file('kubeconfig', kubeconfigText);
  const clientFlags = [
    `--kubeconfig=${kubeconfigPath}`,
    '--leader-elect=false',
    '--secure-port=0',
    `--kube-api-qps=${CLIENT_QPS}`,
    `--kube-api-burst=${CLIENT_BURST}`,
  ];
  if (options.controllers !== false) {
    processes.start('kube-controller-manager', binaries.controllerManager, [
      ...clientFlags,
      `--service-account-private-key-file=${keyPath}`,
      `--root-ca-file=${join(folder, 'certificates', 'apiserver.crt')}`,
      `--node-monitor-grace-period=${options.nodeMonitorGracePeriod_s ?? 20}s`,
      `--node-monitor-period=${options.nodeMonitorPeriod_s ?? 1}s`,
      ...(options.controllerFlags ?? []),
    ]);
  }
  if (options.scheduler !== false) {
    const client = { kubeconfig: kubeconfigPath, qps: CLIENT_QPS, burst: CLIENT_BURST };
    processes.start('kube-scheduler', binaries.scheduler, [
      `--config=${file('scheduler.json', schedulerConfig(client))}`,
      '--secure-port=0',
      ...(options.schedulerFlags ?? []),
    ]);
  }

  const stop = () => processes.end();
  return {
    url,
    ca,
    token: tokenOf('admin'),
    kubeconfigPath,
    kubeconfigText,
    logs: processes.logs,
    transport,
    kubeconfigFor,
    kubectl: (...args) => kubectl(binaries.kubectl, folder, kubeconfigPath, args),
    stopApiServer: (how) => {
      // a paused process hears SIGTERM only when it runs again
      if (how?.graceful) processes.signal(API_SERVER, 'SIGCONT');
      return processes.stop(API_SERVER, how?.graceful ? 'SIGTERM' : 'SIGKILL');
    },
    startApiServer,
    pauseApiServer: () => processes.pause(API_SERVER),
    resumeApiServer: () => processes.signal(API_SERVER, 'SIGCONT'),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function isReady(open: () => Transport): Promise<boolean> {
  let transport: Transport | undefined;
  try {
    transport = open();
    const { status } = await transport.send({ method: 'GET', path: '/readyz', timeout_ms: READY_REQUEST_MS });
    return status === 200;
  } catch {
    return false; // no certificate yet, or nobody listens
  } finally {
    transport?.close();
  }
}

async function waitUntil(processes: Processes, ready: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.now() + READY_TIMEOUT_MS;
  while (!(await ready())) {
    for (const name of ['etcd', API_SERVER]) {
      if (!processes.isRunning(name)) throw new Error(`${name} ended at start:\n${processes.logTail(name)}`);
    }
    if (systemClock.now() > deadline) {
      throw new Error(
        `${API_SERVER} not ready within ${READY_TIMEOUT_MS} ms:\n${processes.logTail(API_SERVER)}`,
      );
    }
    await systemClock.sleep(READY_POLL_MS);
  }
}

function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

function kubeconfigTextOf(server: string, ca: string, user: string, token: string): string {
  const name = 'drover-test';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      { name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: user, user: { token } }],
    contexts: [{ name, context: { cluster: name, user } }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`; // JSON is YAML
}

async function kubectl(command: string, home: string, kubeconfig: string, args: string[]): Promise<string> {
  const env = { ...process.env, HOME: home, KUBECONFIG: kubeconfig };
  const { stdout } = await promisify(execFile)(command, args, { env, maxBuffer: KUBECTL_OUTPUT_BYTES_MAX });
  return stdout;
}
