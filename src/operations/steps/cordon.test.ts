import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CORDONED_BY, FREED_BY, OUT_OF_SERVICE } from '../../fleet/node-view.ts';
import { VirtualClock } from '../../platform/clock/virtual.ts';
import { KubeClient } from '../../platform/kube/client.ts';
import { NODES, type Node } from '../../platform/kube/objects.ts';
import { EmbeddedApi } from '../../simulation/api/index.ts';
import { operation } from '../../test-builders.ts';
import { cordon, uncordon } from './cordon.ts';
import { setUp } from './test-context.ts';

async function openNode(spec: Node['spec'] = {}, annotations: Record<string, string> = {}) {
  const clock = new VirtualClock();
  const client = new KubeClient(new EmbeddedApi({ clock }).transport({ user: 'admin' }), clock);
  const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'm1', annotations }, spec };
  await client.create<Node>(NODES, object, 'test');
  const context = (name: string) =>
    setUp({ operation: operation({}, {}, { name }), context: { client } }).context;
  async function node() {
    const { metadata, spec } = (await client.get<Node>(NODES, 'm1')) as Node;
    return {
      cordoned: spec?.unschedulable ?? false,
      by: metadata.annotations?.[CORDONED_BY],
      taints: spec?.taints?.map(({ key }) => key) ?? [],
    };
  }
  const by = (name: string) => cordon(context(name));
  const lift = (name: string) => uncordon(context(name));
  const kubectl = (unschedulable: boolean | null) =>
    client.mergePatch(NODES, 'm1', { spec: { unschedulable } }, { fieldManager: 'kubectl' });
  return { client, node, by, lift, kubectl };
}

describe('a cordon', () => {
  it('of ours is remembered in the same write, and lifted after', async () => {
    const { node, by, lift } = await openNode();
    assert.equal((await by('op-1')).is, 'done');
    assert.deepEqual(await node(), {
      cordoned: true,
      by: 'op-1',
      taints: [],
    });
    assert.equal((await by('op-1')).is, 'done', 'a second look changes nothing');
    assert.equal((await lift('op-1')).is, 'done');
    const { cordoned, by: after } = await node();
    assert.deepEqual([cordoned, after], [false, undefined]);
  });

  it('of another is left alone: neither marked as ours nor lifted', async () => {
    const { node, by, lift } = await openNode({ unschedulable: true });
    const found = await by('op-1');
    assert.equal(found.is, 'skipped');
    assert.match(found.is === 'skipped' ? found.message : '', /somebody else has cordoned/);
    assert.equal((await lift('op-1')).is, 'skipped');
    assert.deepEqual([(await node()).cordoned, (await node()).by], [true, undefined]);
  });

  it('that an earlier operation left is taken over', async () => {
    const { node, by } = await openNode({ unschedulable: true }, { [CORDONED_BY]: 'op-0' });
    await by('op-1');
    assert.equal((await node()).by, 'op-1');
  });

  it('that a person lifted meanwhile is set again by the operation that needs it', async () => {
    const { node, by, kubectl } = await openNode();
    await by('op-1');
    await kubectl(null);
    await by('op-1');
    assert.equal((await node()).cordoned, true);
  });

  it('is skipped where there is no Node', async () => {
    const { client, by, lift } = await openNode();
    await client.delete(NODES, 'm1');
    assert.deepEqual([(await by('op-1')).is, (await lift('op-1')).is], ['skipped', 'skipped']);
  });

  it('takes our out-of-service taint with it when it is lifted, and no taint of another', async () => {
    const taint = (key: string) => ({ key, value: 'x', effect: 'NoExecute' as const });
    const taints = [taint('site/keep'), taint(OUT_OF_SERVICE)];
    const ours = await openNode({ taints }, { [FREED_BY]: 'op-1' });
    assert.equal((await ours.lift('op-1')).is, 'done');
    assert.deepEqual((await ours.node()).taints, ['site/keep']);
    const theirs = await openNode({ taints });
    assert.equal((await theirs.lift('op-1')).is, 'skipped');
    assert.deepEqual((await theirs.node()).taints, ['site/keep', OUT_OF_SERVICE]);
  });
});
