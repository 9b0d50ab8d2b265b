import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '../../platform/clock/virtual.ts';
import { KubeClient } from '../../platform/kube/client.ts';
import { KubeError } from '../../platform/kube/errors.ts';
import { PDBS, PODS, type Pod } from '../../platform/kube/objects.ts';
import { EmbeddedApi } from '../../simulation/api/index.ts';
import { at, beliefOf, type Looks, NOW, operation, SILENT, WELL } from '../../test-builders.ts';
import { drain } from './drain.ts';
import { setUp } from './test-context.ts';

const RUNNING = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } as const;

/** A node `m1` with Pods, behind the embedded API with its real evictions. */
function openNode() {
  const clock = new VirtualClock();
  const client = new KubeClient(new EmbeddedApi({ clock }).transport({ user: 'admin' }), clock);
  async function pod(
    name: string,
    metadata: Partial<Pod['metadata']> = {},
    phase = 'Running',
    nodeName = 'm1',
  ) {
    const object = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', ...metadata },
      spec: { nodeName, containers: [{ name: 'c', image: 'i' }] },
    };
    await client.create(PODS, object, 'test');
    const options = { namespace: 'default', subresource: 'status', fieldManager: 'test' };
    await client.mergePatch(PODS, name, { status: { ...RUNNING, phase } }, options);
  }
  const protect = (app: string) =>
    client.create(
      PDBS,
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: app, namespace: 'default' },
        spec: { minAvailable: '100%', selector: { matchLabels: { app } } },
      } as Pod,
      'test',
    );
  async function leaving() {
    const { items } = await client.list<Pod>(PODS);
    return items.filter(({ metadata }) => metadata.deletionTimestamp).map(({ metadata }) => metadata.name);
  }
  const gone = (name: string) => client.delete(PODS, name, { namespace: 'default', gracePeriodSeconds: 0 });
  /** One look, so many seconds after the drain began. */
  const look = (seconds = 0, spec: Record<string, unknown> = {}, looks: Looks = WELL) => {
    const now = NOW + seconds * 1000;
    const context = { client, belief: beliefOf(looks, 30, now) };
    return drain(setUp({ operation: operation(spec), startedAt: NOW, now, context }).context);
  };
  return { clock, client, pod, protect, leaving, gone, look };
}

const owned = (kind: string) => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'owner', uid: 'u', controller: true }],
});

describe('a drain', () => {
  it('asks every Pod of the node to leave, and is done when they have', async () => {
    const { pod, leaving, gone, look } = openNode();
    await pod('a');
    await pod('b', owned('ReplicaSet'));
    await pod('elsewhere', {}, 'Running', 'm2');
    const found = await look();
    assert.equal(found.is === 'waiting' && found.why.reason, 'PodsLeaving');
    assert.deepEqual(await leaving(), ['a', 'b']);
    await gone('a');
    const half = await look(2);
    assert.match(half.is === 'waiting' ? half.why.message : '', /^1 Pods are still leaving/);
    await gone('b');
    assert.equal((await look(4)).is, 'done');
  });

  it('leaves what kubectl drain leaves: Pods of DaemonSets, mirror Pods and Pods that have ended', async () => {
    const { pod, leaving, look } = openNode();
    await pod('daemon', owned('DaemonSet'));
    await pod('static', { annotations: { 'kubernetes.io/config.mirror': 'x' } });
    await pod('succeeded', {}, 'Succeeded');
    await pod('failed', {}, 'Failed');
    assert.equal((await look()).is, 'done');
    assert.deepEqual(await leaving(), []);
  });

  it('waits for a PodDisruptionBudget and names the Pod, while the others leave', async () => {
    const { clock, pod, protect, leaving, look } = openNode();
    await pod('db', { labels: { app: 'db' } });
    await pod('web');
    await protect('db');
    await clock.advance(1000);
    const found = await look();
    assert.equal(found.is, 'waiting');
    if (found.is !== 'waiting') return;
    assert.deepEqual([found.why.reason, found.why.until], ['PodDisruptionBudget', at(300)]);
    assert.match(found.why.message, /does not let default\/db go$/);
    assert.deepEqual(found.why.evidence, { left: '2', refused: '1', first: 'default/db, default/web' });
    assert.deepEqual(await leaving(), ['web']);
  });

  it('takes a Pod that is gone already for gone, and tells of an eviction that the server cannot do', async () => {
    const { client, pod, look } = openNode();
    await pod('a');
    const evict = client.evict.bind(client);
    client.evict = async () => {
      throw new KubeError('POST', 404, {});
    };
    const found = await look();
    assert.equal(found.is === 'waiting' && found.why.reason, 'PodsLeaving');
    client.evict = async () => {
      throw new KubeError('POST', 500, { message: 'more than one PodDisruptionBudget' });
    };
    const refused = await look(2);
    assert.ok(refused.is === 'waiting');
    assert.equal(refused.why.reason, 'EvictionRefused');
    assert.match(refused.why.message, /more than one PodDisruptionBudget/);
    client.evict = evict;
    assert.equal((await look(4)).is, 'waiting');
  });

  it('fails when its time is up, or goes on if it was told to', async () => {
    const { pod, look } = openNode();
    await pod('stuck');
    assert.equal((await look(299)).is, 'waiting');
    const found = await look(300);
    assert.deepEqual(found.is === 'failed' && found.why.reason, 'DrainTimedOut');
    assert.match(
      found.is === 'failed' ? found.why.message : '',
      /1 Pods have not left m1 within 5m.*default\/stuck/,
    );
    assert.equal((await look(300, { drain: { timeout: '5m', onTimeout: 'Proceed' } })).is, 'done');
    assert.equal((await look(60, { drain: { timeout: '1m' } })).is, 'failed');
  });

  it('is skipped where no kubelet could end a Pod, and nothing is evicted', async () => {
    const { pod, leaving, look } = openNode();
    await pod('a');
    assert.equal((await look(0, {}, { ...SILENT, ready: 'Unknown' })).is, 'skipped');
    const dead: Looks = { ...SILENT, ready: 'True' };
    assert.equal((await look(0, {}, dead)).is, 'skipped', 'the API has not noticed yet, our witnesses have');
    assert.deepEqual(await leaving(), []);
    const unheard: Looks = { ...dead, lease: 'Moving' };
    assert.equal((await look(0, {}, unheard)).is, 'waiting', 'silent to us alone, and its Pods serve');
  });
});
