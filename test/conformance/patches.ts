import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Client,
  configMap,
  JSON_PATCH,
  type Json,
  MERGE,
  ok,
  pod,
  refused,
  STRATEGIC,
} from './fixture.ts';

export function patches(use: () => Client): void {
  describe('patches', () => {
    it('merges, null takes away', async () => {
      const client = use();
      ok(await client.post(client.configMaps(), configMap('merge', { a: '1', b: '2' })), 201);
      const merged = ok(await client.patch(client.configMaps('merge'), MERGE, { data: { a: null, c: '3' } }));
      assert.deepEqual(merged.data, { b: '2', c: '3' });
      const stale = { metadata: { resourceVersion: '1' }, data: { d: '4' } };
      refused(await client.patch(client.configMaps('merge'), MERGE, stale), 409, 'Conflict');
      refused(await client.patch(client.configMaps('none'), MERGE, {}), 404, 'NotFound');
    });

    it('does JSON patches, all or nothing', async () => {
      const client = use();
      ok(await client.post(client.configMaps(), configMap('ops', { a: '1' }, { 'x/y': 'z' })), 201);
      const path = client.configMaps('ops');
      const patched = ok(
        await client.patch(path, JSON_PATCH, [
          { op: 'test', path: '/data/a', value: '1' },
          { op: 'test', path: '/metadata/labels/x~1y', value: 'z' },
          { op: 'add', path: '/data/b', value: '2' },
          { op: 'copy', from: '/data/b', path: '/data/c' },
          { op: 'move', from: '/data/a', path: '/data/d' },
          { op: 'replace', path: '/data/b', value: '5' },
          { op: 'remove', path: '/metadata/labels/x~1y' },
        ]),
      );
      assert.deepEqual(patched.data, { b: '5', c: '2', d: '1' });
      assert.deepEqual(patched.metadata.labels ?? {}, {});
      const failing = [
        { op: 'add', path: '/data/e', value: '6' },
        { op: 'test', path: '/data/b', value: 'other' },
      ];
      refused(await client.patch(path, JSON_PATCH, failing), 422, 'Invalid');
      assert.equal(ok(await client.get(path)).data.e, undefined);
      refused(await client.patch(path, JSON_PATCH, [{ op: 'remove', path: '/data/none' }]), 422, 'Invalid');
    });

    it('merges the lists of built-in kinds by key', async () => {
      const client = use();
      ok(await client.post(client.pods(), pod('strategic')), 201);
      const status = `${client.pods('strategic')}/status`;
      const condition = (type: string, value: string) => ({ type, status: value });
      ok(
        await client.patch(status, STRATEGIC, {
          status: { conditions: [condition('A', 'True'), condition('B', 'True')] },
        }),
      );
      const patched = ok(
        await client.patch(status, STRATEGIC, {
          status: {
            conditions: [condition('B', 'False'), { type: 'A', $patch: 'delete' }],
          },
        }),
      );
      const conditions = patched.status.conditions.filter((each: Json) => ['A', 'B'].includes(each.type));
      assert.deepEqual(
        conditions.map((each: Json) => [each.type, each.status]),
        [['B', 'False']],
      );
      ok(await client.delete(client.pods('strategic'), { gracePeriodSeconds: 0 }));
    });

    it('replaces taints, which are one value, and marks a node unschedulable', async () => {
      const client = use();
      const name = `node-${client.namespace}`;
      ok(await client.post('/api/v1/nodes', { metadata: { name } }), 201);
      const taint = (key: string) => ({ key, effect: 'NoSchedule' });
      const path = `/api/v1/nodes/${name}`;
      ok(await client.patch(path, STRATEGIC, { spec: { taints: [taint('a'), taint('b')] } }));
      const patched = ok(
        await client.patch(path, STRATEGIC, { spec: { unschedulable: true, taints: [taint('c')] } }),
      );
      assert.deepEqual(patched.spec.taints, [taint('c')]);
      const cordoned = ok(
        await client.get('/api/v1/nodes', { fieldSelector: `spec.unschedulable=true,metadata.name=${name}` }),
      );
      assert.equal(cordoned.items.length, 1);
      const bad = { spec: { taints: [{ key: 'a', effect: 'Sometimes' }] } };
      refused(await client.patch(path, STRATEGIC, bad), 422, 'Invalid');
      ok(await client.delete(path));
    });

    it('refuses other kinds of patch', async () => {
      const client = use();
      ok(await client.post(client.configMaps(), configMap('odd')), 201);
      refused(
        await client.patch(client.configMaps('odd'), 'application/x-odd', {}),
        415,
        'UnsupportedMediaType',
      );
    });
  });
}
