// 50,000 Nodes of 12 KB, first listed and then each changed once, through KubeCache with the view that Drover
// keeps; against a Map that keeps the whole objects, as most informers do.
import { type NodeView, nodeView } from '../src/fleet/node-view.ts';
import { systemClock } from '../src/platform/clock/system.ts';
import { KubeCache } from '../src/platform/kube/cache.ts';
import { KubeClient } from '../src/platform/kube/client.ts';
import { type KubeObject, NODES } from '../src/platform/kube/objects.ts';
import type { Transport } from '../src/platform/kube/transport.ts';
import { heap_bytes, report } from './report.ts';

const NODES_COUNT = 50_000;
const IMAGES = 50;

const digest = (at: number) => at.toString(16).padStart(64, '0');
const name = 'NAME';
const template = JSON.stringify({
  type: 'EVENT',
  object: {
    metadata: { name, uid: name, resourceVersion: 'VERSION', labels: { 'kubernetes.io/hostname': name } },
    spec: { podCIDR: '10.1.2.0/24', providerID: `metal://${name}` },
    status: {
      conditions: ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure', 'KernelDeadlock'].map((type) => {
        const status = type === 'Ready' ? 'True' : 'False';
        const lastHeartbeatTime = '2026-01-02T03:04:05Z';
        return { type, status, reason: `Kubelet${type}`, message: `kubelet says ${type}`, lastHeartbeatTime };
      }),
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      nodeInfo: { bootID: `boot-${name}`, kernelVersion: '6.6.1', kubeletVersion: 'v1.37.2' },
      images: Array.from({ length: IMAGES }, (_, at) => {
        const image = `registry.example.com/platform-of-the-shop/app-${at}`;
        return { names: [`${image}@sha256:${digest(at)}`, `${image}:v1.${at}`], sizeBytes: 123_456_789 + at };
      }),
    },
    apiVersion: 'v1',
    kind: 'Node',
  },
});

/** As it comes off the wire: each object is parsed from text of its own. */
function event(type: string, at: number, version: number): { type: string; object: KubeObject } {
  const name = `node-${String(at).padStart(5, '0')}`;
  return JSON.parse(
    template.replace('EVENT', type).replaceAll('NAME', name).replace('VERSION', String(version)),
  );
}

const listEnd = { metadata: { resourceVersion: '0', annotations: { 'k8s.io/initial-events-end': 'true' } } };

async function* stream(onEnd: () => void) {
  for (let at = 0; at < NODES_COUNT; at++) yield event('ADDED', at, 1 + at);
  listEnd.metadata.resourceVersion = String(NODES_COUNT);
  yield { type: 'BOOKMARK', object: listEnd as unknown as KubeObject };
  for (let at = 0; at < NODES_COUNT; at++) yield event('MODIFIED', at, 1 + NODES_COUNT + at);
  onEnd();
  await new Promise(() => {});
}

async function measured(run: () => Promise<unknown>): Promise<{ perSecond: number; bytes: number }> {
  const before = heap_bytes();
  const startedAt = performance.now();
  const kept = await run();
  const seconds = (performance.now() - startedAt) / 1000;
  const bytes = (heap_bytes() - before) / NODES_COUNT;
  if (!kept) throw new Error('nothing was kept');
  return { perSecond: (2 * NODES_COUNT) / seconds, bytes };
}

const parsing = await measured(async () => {
  for await (const _ of stream(() => {}))
    if (_.object.metadata.resourceVersion === String(2 * NODES_COUNT)) break;
  return true;
});
const projected = await measured(async () => {
  let cache: KubeCache<NodeView> | undefined;
  await new Promise<void>((resolve) => {
    const transport = { stream: async () => ({ status: 200, events: stream(resolve) }), close() {} };
    const client = new KubeClient(transport as unknown as Transport, systemClock);
    cache = new KubeCache<NodeView>({ client, resource: NODES, project: nodeView });
    void cache.run(new AbortController().signal);
  });
  if (cache?.size !== NODES_COUNT) throw new Error(`${cache?.size} nodes in the cache`);
  return cache;
});
const whole = await measured(async () => {
  const objects = new Map<string, KubeObject>();
  for await (const { type, object } of stream(() => {})) {
    if (type !== 'BOOKMARK') objects.set(object.metadata.name, object);
    if (object.metadata.resourceVersion === String(2 * NODES_COUNT)) break;
  }
  return objects;
});
const size = template.length;
const beside_us = 1e6 / projected.perSecond - 1e6 / parsing.perSecond;
const of = 'whole objects';
report(
  'cache',
  `${NODES_COUNT} nodes of ${(size / 1024).toFixed()} KB on the wire, listed and changed once`,
  [
    { what: 'parsing alone', value: parsing.perSecond, unit: 'events/s' },
    { what: 'whole objects in a Map', value: whole.perSecond, unit: 'events/s' },
    {
      what: 'KubeCache',
      value: projected.perSecond,
      unit: 'events/s',
      times: projected.perSecond / whole.perSecond,
      of,
    },
    { what: 'KubeCache, beside parsing', value: beside_us, unit: 'µs/event' },
    { what: 'whole objects in a Map', value: whole.bytes, unit: 'bytes/node' },
    {
      what: 'KubeCache',
      value: projected.bytes,
      unit: 'bytes/node',
      times: projected.bytes / whole.bytes,
      of,
    },
  ],
);
process.exit();
