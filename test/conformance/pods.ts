import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Client, configMap, MERGE, ok, pod, refused } from './fixture.ts';

const POLL_MS = 50;
const POLLS_MAX = 200;

async function eventually(check: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < POLLS_MAX; i++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  assert.fail('it did not come to pass in time');
}

const READY = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
const eviction = (name: string) => ({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } });

export function pods(use: () => Client, controllers: boolean): void {
  describe('pods', () => {
    it('deletes a Pod without a node at once, one with a node when its kubelet says so', async () => {
      const client = use();
      ok(await client.post(client.pods(), pod('free')), 201);
      ok(await client.delete(client.pods('free')));
      refused(await client.get(client.pods('free')), 404, 'NotFound');

      ok(await client.post(client.pods(), pod('bound', {}, { nodeName: 'nowhere' })), 201);
      ok(await client.delete(client.pods('bound')));
      const going = ok(await client.get(client.pods('bound')));
      assert.ok(going.metadata.deletionTimestamp);
      assert.equal(going.metadata.deletionGracePeriodSeconds, 30);
      ok(await client.delete(client.pods('bound'), { gracePeriodSeconds: 0 }));
      refused(await client.get(client.pods('bound')), 404, 'NotFound');
    });

    it('selects Pods by node and phase', async () => {
      const client = use();
      ok(await client.post(client.pods(), pod('placed', {}, { nodeName: 'somewhere' })), 201);
      const query = { fieldSelector: 'spec.nodeName=somewhere,status.phase=Pending' };
      assert.equal(ok(await client.get(client.pods(), query)).items.length, 1);
      ok(await client.patch(`${client.pods('placed')}/status`, MERGE, { status: READY }));
      assert.equal(ok(await client.get(client.pods(), query)).items.length, 0);
      ok(await client.delete(client.pods('placed'), { gracePeriodSeconds: 0 }));
    });

    it('binds once', async () => {
      const client = use();
      ok(await client.post(client.pods(), pod('waiting')), 201);
      const binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'waiting' },
        target: { kind: 'Node', name: 'here' },
      };
      ok(await client.post(`${client.pods('waiting')}/binding`, binding), 201);
      assert.equal(ok(await client.get(client.pods('waiting'))).spec.nodeName, 'here');
      refused(await client.post(`${client.pods('waiting')}/binding`, binding), 409, 'Conflict');
      ok(await client.delete(client.pods('waiting'), { gracePeriodSeconds: 0 }));
    });

    it('evicts a Pod that no budget protects', async () => {
      const client = use();
      ok(await client.post(client.pods(), pod('evicted', {}, { nodeName: 'nowhere' })), 201);
      ok(await client.patch(`${client.pods('evicted')}/status`, MERGE, { status: READY }));
      assert.equal(
        ok(await client.post(`${client.pods('evicted')}/eviction`, eviction('evicted')), 201).status,
        'Success',
      );
      const going = ok(await client.get(client.pods('evicted')));
      assert.ok(going.metadata.deletionTimestamp);
      const conditions = going.status.conditions.map((each: { type: string }) => each.type);
      assert.ok(conditions.includes('DisruptionTarget'));
      ok(await client.delete(client.pods('evicted'), { gracePeriodSeconds: 0 }));
      refused(await client.post(`${client.pods('none')}/eviction`, eviction('none')), 404, 'NotFound');
    });

    it('evicts no more than a budget allows', {
      skip: !controllers && 'needs a controller manager',
    }, async () => {
      const client = use();
      for (const name of ['guarded-a', 'guarded-b']) {
        ok(await client.post(client.pods(), pod(name, { app: 'guarded' }, { nodeName: 'nowhere' })), 201);
        ok(await client.patch(`${client.pods(name)}/status`, MERGE, { status: READY }));
      }
      const budgets = client.in('poddisruptionbudgets', undefined, 'apis/policy/v1');
      const spec = { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } };
      ok(await client.post(budgets, { metadata: { name: 'guard' }, spec }), 201);
      const allowed = async () => ok(await client.get(`${budgets}/guard`)).status.disruptionsAllowed;
      await eventually(async () => (await allowed()) === 1);
      ok(await client.post(`${client.pods('guarded-a')}/eviction`, eviction('guarded-a')), 201);
      await eventually(async () => (await allowed()) === 0);
      const refusal = refused(
        await client.post(`${client.pods('guarded-b')}/eviction`, eviction('guarded-b')),
        429,
        'TooManyRequests',
      );
      assert.equal(refusal.message, "Cannot evict pod as it would violate the pod's disruption budget.");
      assert.equal(refusal.details.causes[0].reason, 'DisruptionBudget');
      ok(await client.delete(`${budgets}/guard`));
      ok(await client.delete(client.pods(), { gracePeriodSeconds: 0 }, { labelSelector: 'app=guarded' }));
    });

    it('collects what its owners leave behind', {
      skip: !controllers && 'needs a controller manager',
    }, async () => {
      const client = use();
      const owner = ok(await client.post(client.configMaps(), configMap('owner')), 201);
      const { uid } = owner.metadata;
      const body = configMap('owned');
      const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }];
      ok(
        await client.post(client.configMaps(), { ...body, metadata: { ...body.metadata, ownerReferences } }),
        201,
      );
      ok(await client.delete(client.configMaps('owner'), { propagationPolicy: 'Background' }));
      await eventually(async () => (await client.get(client.configMaps('owned'))).status === 404);
    });
  });
}
