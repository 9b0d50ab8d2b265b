import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Client, configMap, type Json, ok, TABLE } from './fixture.ts';

const seen = (event: Json) => [event.type, event.object?.metadata?.name];

export function watches(use: () => Client): void {
  describe('watches', () => {
    it('tells what comes, changes and goes, from a version on', async () => {
      const client = use();
      const { resourceVersion } = ok(await client.get(client.configMaps())).metadata;
      ok(await client.post(client.configMaps(), configMap('seen', { a: '1' })), 201);
      const watch = await client.watch(client.configMaps(), { resourceVersion });
      assert.deepEqual(seen(await watch.next()), ['ADDED', 'seen']);
      const changed = ok(await client.put(client.configMaps('seen'), configMap('seen', { a: '2' })));
      const modified = await watch.next();
      assert.deepEqual(seen(modified), ['MODIFIED', 'seen']);
      assert.equal(modified.object.metadata.resourceVersion, changed.metadata.resourceVersion);
      ok(await client.delete(client.configMaps('seen')));
      const deleted = await watch.next();
      assert.deepEqual(seen(deleted), ['DELETED', 'seen']);
      assert.ok(Number(deleted.object.metadata.resourceVersion) > Number(changed.metadata.resourceVersion));
      watch.close();
    });

    it('begins with what is there when no version is named', async () => {
      const client = use();
      ok(await client.post(client.configMaps(), configMap('there', {}, { watch: 'there' })), 201);
      const watch = await client.watch(client.configMaps(), { labelSelector: 'watch=there' });
      assert.deepEqual(seen(await watch.next()), ['ADDED', 'there']);
      watch.close();
    });

    it('tells ADDED and DELETED when an object begins and ceases to match', async () => {
      const client = use();
      const { resourceVersion } = ok(await client.get(client.configMaps())).metadata;
      const watch = await client.watch(client.configMaps(), { resourceVersion, labelSelector: 'in=yes' });
      ok(await client.post(client.configMaps(), configMap('moving', {}, { in: 'no' })), 201);
      ok(await client.put(client.configMaps('moving'), configMap('moving', {}, { in: 'yes' })));
      assert.deepEqual(seen(await watch.next()), ['ADDED', 'moving']);
      const out = ok(await client.put(client.configMaps('moving'), configMap('moving', {}, { in: 'out' })));
      const left = await watch.next();
      assert.deepEqual(seen(left), ['DELETED', 'moving']);
      assert.equal(left.object.metadata.labels.in, 'yes', 'the state that matched last');
      assert.equal(left.object.metadata.resourceVersion, out.metadata.resourceVersion);
      watch.close();
    });

    it('streams a list and marks its end', async () => {
      const client = use();
      for (const name of ['stream-a', 'stream-b']) {
        ok(await client.post(client.configMaps(), configMap(name, {}, { suite: 'stream' })), 201);
      }
      const watch = await client.watch(client.configMaps(), {
        labelSelector: 'suite=stream',
        sendInitialEvents: 'true',
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: 'true',
      });
      assert.deepEqual(seen(await watch.next()), ['ADDED', 'stream-a']);
      assert.deepEqual(seen(await watch.next()), ['ADDED', 'stream-b']);
      const end = await watch.next();
      assert.equal(end.type, 'BOOKMARK');
      assert.equal(end.object.metadata.annotations['k8s.io/initial-events-end'], 'true');
      assert.equal(end.object.kind, 'ConfigMap');
      ok(await client.delete(client.configMaps('stream-a')));
      assert.deepEqual(seen(await watch.next()), ['DELETED', 'stream-a']);
      watch.close();
    });

    it('refuses to stream a list without resourceVersionMatch', async () => {
      const client = use();
      const watch = await client.watch(client.configMaps(), { sendInitialEvents: 'true' });
      assert.equal(watch.stream.status, 422);
      assert.equal((watch.stream.refusal as Json).reason, 'Invalid');
    });

    it('ends cleanly after timeoutSeconds', async () => {
      const client = use();
      const { resourceVersion } = ok(await client.get(client.configMaps())).metadata;
      const watch = await client.watch(client.configMaps(), { resourceVersion, timeoutSeconds: '1' });
      assert.equal(await watch.next(), 'end');
    });

    it('watches one object by name', async () => {
      const client = use();
      ok(await client.post(client.configMaps(), configMap('only')), 201);
      const watch = await client.watch(client.configMaps(), { fieldSelector: 'metadata.name=only' });
      assert.deepEqual(seen(await watch.next()), ['ADDED', 'only']);
      watch.close();
    });

    it('watches as tables, the columns once', async () => {
      const client = use();
      for (const name of ['row-a', 'row-b']) {
        ok(await client.post(client.configMaps(), configMap(name, {}, { suite: 'rows' })), 201);
      }
      const watch = await client.watch(client.configMaps(), { labelSelector: 'suite=rows' }, TABLE);
      const first = await watch.next();
      assert.equal(first.object.kind, 'Table');
      assert.equal(first.object.columnDefinitions[0].name, 'Name');
      const second = await watch.next();
      assert.ok(!second.object.columnDefinitions);
      assert.equal(second.object.rows[0].cells[0], 'row-b');
      watch.close();
    });
  });
}
