import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Client, configMap, type Json, MERGE, ok, refused, widget } from './fixture.ts';

const managed = (object: Json, manager: string): Json =>
  object.metadata.managedFields?.find((entry: Json) => entry.manager === manager);

export function applies(use: () => Client): void {
  describe('server-side apply', () => {
    it('creates, changes, and takes away what the applier no longer lists', async () => {
      const client = use();
      const path = client.configMaps('applied');
      const made = ok(await client.apply(path, configMap('applied', { a: '1', b: '2' }), 'one'), 201);
      assert.deepEqual(managed(made, 'one').fieldsV1['f:data'], { 'f:a': {}, 'f:b': {} });
      assert.equal(managed(made, 'one').operation, 'Apply');
      const same = ok(await client.apply(path, configMap('applied', { a: '1', b: '2' }), 'one'));
      assert.equal(same.metadata.resourceVersion, made.metadata.resourceVersion);
      ok(await client.patch(path, MERGE, { data: { other: 'x' } }, { fieldManager: 'two' }));
      const changed = ok(await client.apply(path, configMap('applied', { b: '3' }), 'one'));
      assert.deepEqual(changed.data, { b: '3', other: 'x' });
    });

    it('names who owns a field in conflict, and lets force take it', async () => {
      const client = use();
      const path = client.configMaps('fought');
      ok(await client.apply(path, configMap('fought', { a: '1' }), 'one'), 201);
      const refusal = refused(
        await client.apply(path, configMap('fought', { a: '2' }), 'two'),
        409,
        'Conflict',
      );
      assert.equal(refusal.message, 'Apply failed with 1 conflict: conflict with "one": .data.a');
      assert.deepEqual(refusal.details.causes, [
        { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
      ]);
      const forced = ok(await client.apply(path, configMap('fought', { a: '2' }), 'two', { force: 'true' }));
      assert.equal(forced.data.a, '2');
      assert.ok(managed(forced, 'two').fieldsV1['f:data']['f:a']);
      assert.ok(!managed(forced, 'one')?.fieldsV1['f:data']);
      const shared = ok(await client.apply(path, configMap('fought', { a: '2' }), 'one'));
      assert.ok(managed(shared, 'one').fieldsV1['f:data']['f:a'], 'the same value is shared');
      const left = ok(await client.apply(path, configMap('fought'), 'one'));
      assert.deepEqual(left.data, { a: '2' }, 'the other still owns it');
    });

    it('conflicts with plain writes too', async () => {
      const client = use();
      const path = client.configMaps('written');
      ok(
        await client.post(client.configMaps(), configMap('written', { a: '1' }), { fieldManager: 'hand' }),
        201,
      );
      const refusal = refused(
        await client.apply(path, configMap('written', { a: '2' }), 'one'),
        409,
        'Conflict',
      );
      assert.match(
        refusal.message,
        /^Apply failed with 1 conflict: conflict with "hand" using v1( at .*)?: \.data\.a$/,
      );
      ok(await client.apply(path, configMap('written', { a: '1', b: '1' }), 'one'));
      ok(await client.patch(path, MERGE, { data: { b: '2' } }, { fieldManager: 'hand' }));
      const later = refused(
        await client.apply(path, configMap('written', { a: '1', b: '3' }), 'one'),
        409,
        'Conflict',
      );
      assert.equal(later.details.causes[0].field, '.data.b');
    });

    it('owns items of a list-map one by one, members of a set, and other lists whole', async () => {
      const client = use();
      const path = client.widgets('lists');
      const port = (name: string, number: number) => ({ name, port: number });
      const one = widget('lists', { ports: [port('a', 1)], tags: ['x'], order: ['p'] });
      ok(await client.apply(path, one, 'one'), 201);
      const two = { ...widget('lists'), spec: { ports: [port('b', 2)], tags: ['y'] } };
      const both = ok(await client.apply(path, two, 'two'));
      assert.deepEqual(both.spec.ports, [port('a', 1), port('b', 2)]);
      assert.deepEqual([...both.spec.tags].sort(), ['x', 'y']);
      const over = { ...widget('lists'), spec: { ports: [port('a', 9)], order: ['q'] } };
      const refusal = refused(await client.apply(path, over, 'two'), 409, 'Conflict');
      const fields = refusal.details.causes.map((cause: Json) => cause.field).sort();
      assert.deepEqual(fields, ['.spec.order', '.spec.ports[name="a"].port']);
      const less = ok(await client.apply(path, { ...widget('lists'), spec: { type: 'Small' } }, 'one'));
      assert.deepEqual(less.spec.ports, [port('b', 2)]);
      assert.deepEqual(less.spec.tags, ['y']);
      assert.equal(less.spec.order, undefined);
    });

    it('needs a field manager, and keeps status to /status', async () => {
      const client = use();
      const path = client.widgets('manager');
      refused(await client.patch(path, 'application/apply-patch+yaml', widget('manager')), 422, 'Invalid');
      const made = ok(await client.apply(path, { ...widget('manager'), status: { seen: 1 } }, 'one'), 201);
      assert.equal(made.status, undefined);
      const status = {
        apiVersion: made.apiVersion,
        kind: made.kind,
        metadata: { name: 'manager' },
        status: { seen: 2 },
      };
      const seen = ok(await client.apply(`${path}/status`, status, 'one'));
      assert.equal(seen.status.seen, 2);
      assert.equal(seen.spec.type, 'Small');
      const entry = seen.metadata.managedFields.find((each: Json) => each.subresource === 'status');
      assert.deepEqual(entry.fieldsV1, { 'f:status': { 'f:seen': {} } });
    });
  });
}
