import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FREED_BY, OUT_OF_SERVICE } from '../../fleet/node-view.ts';
import { VirtualClock } from '../../platform/clock/virtual.ts';
import { KubeClient } from '../../platform/kube/client.ts';
import { NODES, type Node, PODS, type Pod } from '../../platform/kube/objects.ts';
import type { Power } from '../../platform/providers/provider.ts';
import { EmbeddedApi } from '../../simulation/api/index.ts';
import { beliefOf, type Looks, NOW, operation, reading, SILENT, WELL } from '../../test-builders.ts';
import { free } from './free.ts';
import { setUp } from './test-context.ts';

/** A node `m1` with one Pod, and a provider that says this of its power. */
async function openNode(power: Power) {
  const clock = new VirtualClock();
  const client = new KubeClient(new EmbeddedApi({ clock }).transport({ user: 'admin' }), clock);
  await client.create<Node>(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'm1' } }, 'test');
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db', namespace: 'default' },
    spec: { nodeName: 'm1', containers: [{ name: 'c', image: 'i' }] },
  };
  await client.create<Pod>(PODS, pod, 'test');
  let now_power = power;
  const look = (seconds = 0, looks: Looks = { ...SILENT, power: 'Off' }) => {
    const now = NOW + seconds * 1000;
    const context = { client, belief: beliefOf(looks, 30, now) };
    const setting = setUp({ operation: operation({ type: 'Evict' }), startedAt: NOW, now, context });
    setting.provider.reading = reading({ power: now_power });
    return free(setting.context);
  };
  async function node() {
    const { metadata, spec } = (await client.get<Node>(NODES, 'm1')) as Node;
    return [spec?.taints?.map(({ key }) => key) ?? [], metadata.annotations?.[FREED_BY]];
  }
  const gone = () => client.delete(PODS, 'db', { namespace: 'default', gracePeriodSeconds: 0 });
  const power_is = (next: Power) => {
    now_power = next;
  };
  return { look, node, gone, power_is };
}

describe('Pods of a machine', () => {
  it('are freed by force when its power is seen off now, and that is done when they are gone', async () => {
    const { look, node, gone } = await openNode('Off');
    assert.equal((await look()).is, 'waiting');
    assert.deepEqual(await node(), [[OUT_OF_SERVICE], 'm1-x-1']);
    assert.equal((await look(2)).is, 'waiting', 'a second look taints nothing twice');
    assert.deepEqual(await node(), [[OUT_OF_SERVICE], 'm1-x-1']);
    await gone();
    assert.equal((await look(4)).is, 'done');
  });

  it('are never freed while it may still run them: power on, not known, or a host that answers', async () => {
    for (const power of ['On', 'Unknown'] as const) {
      const { look, node } = await openNode(power);
      const found = await look();
      assert.equal(
        found.is === 'failed' && found.why.reason,
        'NotProvenDown',
        'an old reading of Off is no proof',
      );
      assert.deepEqual(await node(), [[], undefined]);
    }
    const answering = await openNode('Off');
    assert.equal((await answering.look(0, { ...WELL, power: 'Off' })).is, 'failed');
    assert.deepEqual(await answering.node(), [[], undefined]);
  });

  it('are left alone again when somebody switches it on meanwhile', async () => {
    const { look, node, power_is } = await openNode('Off');
    await look();
    power_is('On');
    assert.equal((await look(2)).is, 'failed');
    assert.deepEqual(await node(), [[], undefined]);
  });

  it('that do not go in time are a failure that says so', async () => {
    const { look } = await openNode('Off');
    assert.equal((await look(299)).is, 'waiting');
    const found = await look(300);
    assert.equal(found.is === 'failed' && found.why.reason, 'NotFreed');
  });
});
