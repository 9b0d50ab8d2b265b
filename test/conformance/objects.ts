import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Client, configMap, ok, refused, TABLE } from './fixture.ts';

export function objects(use: () => Client): void {
  describe('objects', () => {
    it('tells its version, its health and its kinds', async () => {
      const client = use();
      assert.equal(ok(await client.get('/version')).major, '1');
      assert.equal(ok(await client.get('/readyz')), 'ok');
      assert.deepEqual(ok(await client.get('/api')).versions, ['v1']);
      const groups = ok(await client.get('/apis')).groups.map((group: { name: string }) => group.name);
      for (const group of [
        'apps',
        'policy',
        'coordination.k8s.io',
        'events.k8s.io',
        'conformance.drover.dev',
      ]) {
        assert.ok(groups.includes(group), group);
      }
      const core = ok(await client.get('/api/v1')).resources;
      const node = core.find((resource: { name: string }) => resource.name === 'nodes');
      assert.equal(node.kind, 'Node');
      assert.equal(node.namespaced, false);
      assert.deepEqual(node.shortNames, ['no']);
      assert.ok(core.some((resource: { name: string }) => resource.name === 'pods/eviction'));
      // In plain text, not as a Status.
      assert.equal((await client.get('/apis/none.drover.dev/v1/things')).status, 404);
    });

    it('creates with what the server adds, once', async () => {
      const client = use();
      const created = ok(await client.post(client.configMaps(), configMap('made', { a: '1' })), 201);
      assert.ok(created.metadata.uid);
      assert.ok(created.metadata.resourceVersion);
      assert.match(created.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.equal(created.metadata.namespace, client.namespace);
      const again = refused(await client.post(client.configMaps(), configMap('made')), 409, 'AlreadyExists');
      assert.equal(again.message, 'configmaps "made" already exists');
      const missing = refused(await client.get(client.configMaps('none')), 404, 'NotFound');
      assert.equal(missing.message, 'configmaps "none" not found');
      assert.deepEqual(missing.details, { name: 'none', kind: 'configmaps' });
    });

    it('makes names up from generateName', async () => {
      const client = use();
      const body = { metadata: { generateName: 'pre-' } };
      assert.match(ok(await client.post(client.configMaps(), body), 201).metadata.name, /^pre-.{5}$/);
    });

    it('refuses names and labels that are none', async () => {
      const client = use();
      const named = refused(await client.post(client.configMaps(), configMap('No_Good')), 422, 'Invalid');
      assert.equal(named.details.causes[0].field, 'metadata.name');
      assert.match(
        named.message,
        /^ConfigMap "No_Good" is invalid: metadata.name: Invalid value: "No_Good": a lowercase RFC 1123/,
      );
      const labelled = configMap('labelled', {}, { a: 'no spaces' });
      const refusal = refused(await client.post(client.configMaps(), labelled), 422, 'Invalid');
      assert.equal(refusal.details.causes[0].field, 'metadata.labels');
    });

    it('refuses objects in a namespace that is not there', async () => {
      const client = use();
      const path = '/api/v1/namespaces/not-there/configmaps';
      assert.match(
        refused(await client.post(path, configMap('a')), 404, 'NotFound').message,
        /namespaces "not-there" not found/,
      );
    });

    it('updates, and refuses an update of an old version', async () => {
      const client = use();
      const first = ok(await client.post(client.configMaps(), configMap('twice', { a: '1' })), 201);
      const second = ok(await client.put(client.configMaps('twice'), { ...first, data: { a: '2' } }));
      assert.notEqual(second.metadata.resourceVersion, first.metadata.resourceVersion);
      const old = refused(
        await client.put(client.configMaps('twice'), { ...first, data: { a: '3' } }),
        409,
        'Conflict',
      );
      assert.equal(
        old.message,
        'Operation cannot be fulfilled on configmaps "twice": the object has been modified; please apply your changes to the latest version and try again',
      );
      const same = ok(await client.put(client.configMaps('twice'), second));
      assert.equal(
        same.metadata.resourceVersion,
        second.metadata.resourceVersion,
        'a write of nothing is none',
      );
    });

    it('stores nothing in a dry run', async () => {
      const client = use();
      ok(await client.post(client.configMaps(), configMap('dry'), { dryRun: 'All' }), 201);
      refused(await client.get(client.configMaps('dry')), 404, 'NotFound');
    });

    it('deletes under preconditions', async () => {
      const client = use();
      const made = ok(await client.post(client.configMaps(), configMap('gone')), 201);
      const other = { preconditions: { uid: 'another' } };
      refused(await client.delete(client.configMaps('gone'), other), 409, 'Conflict');
      const stale = { preconditions: { resourceVersion: '1' } };
      refused(await client.delete(client.configMaps('gone'), stale), 409, 'Conflict');
      const done = ok(
        await client.delete(client.configMaps('gone'), { preconditions: { uid: made.metadata.uid } }),
      );
      assert.equal(done.status, 'Success');
      refused(await client.get(client.configMaps('gone')), 404, 'NotFound');
    });

    it('keeps what has a finalizer until the last is gone', async () => {
      const client = use();
      const body = { ...configMap('held'), metadata: { name: 'held', finalizers: ['drover.dev/hold'] } };
      ok(await client.post(client.configMaps(), body), 201);
      ok(await client.delete(client.configMaps('held')));
      const held = ok(await client.get(client.configMaps('held')));
      assert.ok(held.metadata.deletionTimestamp);
      ok(
        await client.put(client.configMaps('held'), {
          ...held,
          metadata: { ...held.metadata, finalizers: [] },
        }),
      );
      refused(await client.get(client.configMaps('held')), 404, 'NotFound');
    });

    it('deletes a collection by label', async () => {
      const client = use();
      for (const name of ['many-a', 'many-b']) {
        ok(await client.post(client.configMaps(), configMap(name, {}, { many: 'yes' })), 201);
      }
      ok(await client.post(client.configMaps(), configMap('many-c')), 201);
      ok(await client.delete(client.configMaps(), undefined, { labelSelector: 'many=yes' }));
      refused(await client.get(client.configMaps('many-a')), 404, 'NotFound');
      ok(await client.get(client.configMaps('many-c')));
    });

    it('creates a Lease by update, and wants its version from then on', async () => {
      const client = use();
      const path = client.in('leases', 'beat', 'apis/coordination.k8s.io/v1');
      const body = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'beat' },
        spec: { holderIdentity: 'a' },
      };
      const lease = ok(await client.put(path, body), 201);
      refused(await client.put(path, { ...body, spec: { holderIdentity: 'b' } }), 422, 'Invalid');
      assert.equal(
        ok(await client.put(path, { ...lease, spec: { holderIdentity: 'b' } })).spec.holderIdentity,
        'b',
      );
    });

    it('prints tables', async () => {
      const client = use();
      ok(await client.post(client.configMaps(), configMap('tabled', { a: '1', b: '2' })), 201);
      const table = ok(await client.get(client.configMaps('tabled'), {}, TABLE));
      assert.equal(table.kind, 'Table');
      assert.deepEqual(
        table.columnDefinitions.map((column: { name: string }) => column.name),
        ['Name', 'Data', 'Age'],
      );
      assert.deepEqual(table.rows[0].cells.slice(0, 2), ['tabled', 2]);
      assert.equal(table.rows[0].object.kind, 'PartialObjectMetadata');
    });
  });
}
