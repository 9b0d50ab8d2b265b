import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { MINUTE, SECOND, toMicroTime, toTime } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { loadKubeconfig } from '../../src/platform/kube/kubeconfig.ts';
import { LEASES, NODES, type Node, PODS, type Pod, pathOf } from '../../src/platform/kube/objects.ts';
import { type KubeRequest, type Transport, TransportError } from '../../src/platform/kube/transport.ts';
import { type ControlPlane, startControlPlane } from './start.ts';

const GRACE_S = 4;

let plane: ControlPlane;
let api: Transport;
/** Keeps one node alive: when all nodes of a cluster are silent, Kubernetes doubts itself and taints none. */
let pulse: NodeJS.Timeout;

before(
  async () => {
    plane = await startControlPlane({ nodeMonitorGracePeriod_s: GRACE_S, users: [{ name: 'guest' }] });
    api = loadKubeconfig({ path: plane.kubeconfigPath, clock: systemClock, env: {} }).transport;
    await nodeJoins('worker');
    pulse = setInterval(() => heartbeat('worker').catch(() => {}), SECOND);
  },
  { timeout: 30 * MINUTE }, // the first time it is built
);
after(async () => {
  clearInterval(pulse);
  api?.close();
  await plane?.stop();
});

async function ok(request: KubeRequest): Promise<unknown> {
  const { status, body } = await api.send(request);
  assert.ok(status < 300, `${request.method} ${request.path}: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** Writes what a kubelet writes when it starts: the Node, its status and its lease. */
async function nodeJoins(name: string): Promise<void> {
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
  await ok({ method: 'POST', path: pathOf(NODES), body: node });
  await heartbeat(name);
  const resources = { cpu: '4', memory: '8Gi', pods: '110' };
  const now = toTime(systemClock.now());
  const conditions = [
    {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    },
  ];
  await ok({
    method: 'PATCH',
    path: pathOf(NODES, undefined, name, 'status'),
    contentType: 'application/merge-patch+json',
    body: { status: { conditions, capacity: resources, allocatable: resources } },
  });
}

async function heartbeat(name: string): Promise<void> {
  const metadata = { name, namespace: 'kube-node-lease' };
  const renewTime = toMicroTime(systemClock.now());
  const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime };
  await ok({
    method: 'PATCH',
    path: pathOf(LEASES, 'kube-node-lease', name),
    query: { fieldManager: 'test', force: 'true' },
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec },
  });
}

async function until<T>(what: string, limit_ms: number, find: () => Promise<T | undefined>): Promise<T> {
  const deadline = systemClock.now() + limit_ms;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    assert.ok(systemClock.now() < deadline, `not within ${limit_ms} ms: ${what}`);
    await systemClock.sleep(200);
  }
}

async function getNode(name: string): Promise<Node> {
  return (await ok({ method: 'GET', path: pathOf(NODES, undefined, name) })) as Node;
}

function readyOf(node: Node): string | undefined {
  return node.status?.conditions?.find((condition) => condition.type === 'Ready')?.status;
}

test('it is ready, and kubectl can read its version', async () => {
  assert.equal(await plane.kubectl('get', '--raw', '/readyz'), 'ok');
  const version = JSON.parse(await plane.kubectl('version', '-o', 'json'));
  assert.match(version.serverVersion.gitVersion, /^v1\.\d+\.\d+$/);
  await assert.rejects(
    plane.kubectl('get', 'nonsense'),
    /the server doesn't have a resource type "nonsense"/,
  );
});

test('only the admin may do everything', async () => {
  const guest = plane.transport('guest');
  const { status } = await guest.send({ method: 'GET', path: pathOf(NODES) });
  assert.equal(status, 403);
  guest.close();
});

test('the scheduler binds a Pod to a ready node', { timeout: MINUTE }, async () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: { containers: [{ name: 'main', image: 'none' }] },
  };
  await ok({ method: 'POST', path: pathOf(PODS, 'default'), body: pod });
  const bound = await until('the Pod is bound', 40 * SECOND, async () => {
    const found = (await ok({ method: 'GET', path: pathOf(PODS, 'default', 'web') })) as Pod;
    return found.spec?.nodeName;
  });
  assert.equal(bound, 'worker');
});

test('a node whose lease stops becomes Unknown and unreachable', { timeout: MINUTE }, async () => {
  await nodeJoins('silent');
  const node = await until('the node is unreachable', 40 * SECOND, async () => {
    const found = await getNode('silent');
    const tainted = found.spec?.taints?.some(
      ({ key, effect }) => key === 'node.kubernetes.io/unreachable' && effect === 'NoExecute',
    );
    return tainted ? found : undefined;
  });
  assert.equal(readyOf(node), 'Unknown');
});

interface WatchEvent {
  type: string;
  object: Node;
}

const STREAMED_LIST = {
  watch: '1',
  sendInitialEvents: 'true',
  allowWatchBookmarks: 'true',
  resourceVersionMatch: 'NotOlderThan',
};

test('a watch streams the list, marks its end and goes on', { timeout: MINUTE }, async () => {
  await nodeJoins('first');
  const control = new AbortController();
  const path = pathOf(NODES);
  const { status, events } = await api.stream({
    method: 'GET',
    path,
    query: STREAMED_LIST,
    signal: control.signal,
  });
  assert.equal(status, 200);
  const listed: string[] = [];
  let complete = false;
  for await (const event of events as AsyncIterable<WatchEvent>) {
    const { name, annotations } = event.object.metadata;
    if (annotations?.['k8s.io/initial-events-end'] === 'true') {
      assert.equal(event.type, 'BOOKMARK');
      complete = true;
      await nodeJoins('later');
    } else if (!complete) listed.push(name);
    else if (name === 'later') control.abort();
  }
  assert.ok(complete);
  assert.ok(listed.includes('first'), listed.join());
  const gone = await api.stream({ method: 'GET', path, query: { watch: '1', labelSelector: '!!' } });
  assert.equal(gone.status, 400);
  assert.equal((gone.refusal as { kind: string }).kind, 'Status');
});

test('a paused API server answers nothing, a stopped one is gone, and its state survives', {
  timeout: 3 * MINUTE,
}, async () => {
  const read = { method: 'GET', path: pathOf(NODES, undefined, 'worker') } as const;
  const failure = (request: KubeRequest) =>
    api.send(request).then(
      () => undefined,
      (error: unknown) => error,
    );
  const { events } = await api.stream({ method: 'GET', path: pathOf(NODES), query: STREAMED_LIST });
  const watch = events[Symbol.asyncIterator]();
  await watch.next();

  await plane.pauseApiServer();
  const late = await failure({ ...read, timeout_ms: 500 });
  assert.ok(late instanceof TransportError && late.sent, String(late));
  plane.resumeApiServer();
  await ok(read);

  await plane.stopApiServer();
  const refused = await failure(read);
  assert.ok(refused instanceof TransportError && !refused.sent, String(refused));
  await assert.rejects(async () => {
    while (!(await watch.next()).done);
  }, TransportError);

  await plane.startApiServer();
  assert.equal((await getNode('worker')).metadata.name, 'worker');
  await plane.stopApiServer({ graceful: true });
  await plane.startApiServer();
  await ok(read);
});

test('a test process that is killed leaves nothing behind', { timeout: 2 * MINUTE }, async () => {
  const script = `
    const { startControlPlane } = await import(${JSON.stringify(join(import.meta.dirname, 'start.ts'))});
    const plane = await startControlPlane({ controllers: false, scheduler: false });
    console.log(JSON.stringify({ url: plane.url, folder: plane.kubeconfigPath }));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const started = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data) => resolve(String(data))),
  );
  const { url, folder } = JSON.parse(started) as { url: string; folder: string };
  await fetch(url).catch((error: Error) => assert.match(String(error.cause), /certificate/)); // it is there
  child.kill('SIGKILL');
  await until('its folder is gone', 10 * SECOND, async () =>
    existsSync(dirname(folder)) ? undefined : true,
  );
  await until('its port is free', 10 * SECOND, async () => {
    const error = await fetch(url).catch((thrown: Error) => thrown);
    return /ECONNREFUSED/.test(String((error as Error).cause)) ? true : undefined;
  });
});
