import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Client,
  type Json,
  MERGE,
  ok,
  refused,
  STRATEGIC,
  TABLE,
  WIDGET_CRD,
  widget,
} from './fixture.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export function customResources(use: () => Client): void {
  describe('custom resources', () => {
    it('establishes the definition', async () => {
      const client = use();
      const crd = ok(await client.get(`${CRDS}/${WIDGET_CRD.metadata.name}`));
      const conditions = crd.status.conditions.map((each: Json) => [each.type, each.status]);
      for (const type of ['NamesAccepted', 'Established']) {
        assert.ok(
          conditions.some(([name, status]: string[]) => name === type && status === 'True'),
          type,
        );
      }
      assert.equal(crd.status.acceptedNames.kind, 'Widget');
      const { resources } = ok(await client.get('/apis/conformance.drover.dev/v1'));
      assert.deepEqual(
        resources.map((each: Json) => each.name),
        ['widgets', 'widgets/status'],
      );
      assert.deepEqual(resources[0].shortNames, ['wdg']);
    });

    it('fills in defaults and cuts off unknown fields', async () => {
      const client = use();
      const body = widget('defaults', { nested: {}, free: { any: { thing: [1] } }, strange: true });
      const made = ok(await client.post(client.widgets(), body, { fieldValidation: 'Ignore' }), 201);
      assert.deepEqual(made.spec, {
        type: 'Small',
        replicas: 1,
        nested: { depth: 7 },
        free: { any: { thing: [1] } },
      });
      assert.equal(made.metadata.generation, 1);
      const warned = await client.post(client.widgets(), widget('warned', { strange: true }), {
        fieldValidation: 'Warn',
      });
      ok(warned, 201);
      assert.match(String(warned.headers.warning ?? ''), /unknown field \\?"spec.strange\\?"/);
      const strict = await client.post(client.widgets(), widget('strict', { strange: true }), {
        fieldValidation: 'Strict',
      });
      assert.match(
        refused(strict, 400, 'BadRequest').message,
        /strict decoding error: unknown field "spec.strange"/,
      );
    });

    it('says what is wrong, and where', async () => {
      const client = use();
      const faults: [Json, string, string][] = [
        [
          { type: 'Huge' },
          'spec.type',
          'Widget.conformance.drover.dev "wrong" is invalid: [spec.type: Unsupported value: "Huge": supported values: "Small", "Large", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]',
        ],
        [{ type: undefined }, 'spec.type', 'Required value'],
        [
          { replicas: 11 },
          'spec.replicas',
          'Invalid value: 11: spec.replicas in body should be less than or equal to 10',
        ],
        [
          { replicas: -1 },
          'spec.replicas',
          'Invalid value: -1: spec.replicas in body should be greater than or equal to 0',
        ],
        [{ replicas: 'x' }, 'spec.replicas', 'must be of type integer: "string"'],
        [{ title: 'UP' }, 'spec.title', `Invalid value: "UP": spec.title in body should match '^[a-z]*$'`],
        [{ title: 'abcdefghijk' }, 'spec.title', 'Too long: may not be more than 10 bytes'],
        [
          { since: 'yesterday' },
          'spec.since',
          'Invalid value: "yesterday": spec.since in body must be of type date-time: "yesterday"',
        ],
        [
          { ports: ['a', 'b', 'c', 'd'].map((name) => ({ name })) },
          'spec.ports',
          'Too many: 4: must have at most 3 items',
        ],
        [{ ports: [{ name: 'a' }, { name: 'a' }] }, 'spec.ports[1]', 'Duplicate value: {"name":"a"}'],
        [{ tags: ['x', 'x'] }, 'spec.tags[1]', 'Duplicate value: "x"'],
      ];
      for (const [spec, field, message] of faults) {
        const refusal = refused(await client.post(client.widgets(), widget('wrong', spec)), 422, 'Invalid');
        assert.ok(refusal.message.includes(message), `${refusal.message} should say ${message}`);
        assert.equal(refusal.details.causes[0].field, field);
      }
    });

    it('asks CEL rules, of what is and of what changes', async () => {
      const client = use();
      const low = refused(
        await client.post(client.widgets(), widget('cel', { low: 3, high: 2 })),
        422,
        'Invalid',
      );
      assert.equal(
        low.message,
        'Widget.conformance.drover.dev "cel" is invalid: spec.low: Invalid value: low is above high of Small',
      );
      ok(await client.post(client.widgets(), widget('cel', { serial: 'a', low: 1, high: 2 })), 201);
      const path = client.widgets('cel');
      const changed = refused(await client.patch(path, MERGE, { spec: { serial: 'b' } }), 422, 'Invalid');
      assert.equal(changed.details.causes[0].field, 'spec.serial');
      assert.match(changed.message, /spec.serial: Invalid value: "b": serial cannot change$/);
      ok(await client.patch(path, MERGE, { spec: { high: 5 } }));
    });

    it('keeps spec and status apart, and counts generations of the spec', async () => {
      const client = use();
      const path = client.widgets('apart');
      const made = ok(await client.post(client.widgets(), { ...widget('apart'), status: { seen: 1 } }), 201);
      assert.equal(made.status, undefined);
      const seen = ok(
        await client.patch(`${path}/status`, MERGE, { status: { seen: 2 }, spec: { replicas: 9 } }),
      );
      assert.equal(seen.status.seen, 2);
      assert.equal(seen.spec.replicas, 1);
      assert.equal(seen.metadata.generation, 1);
      const spec = ok(await client.patch(path, MERGE, { spec: { replicas: 4 }, status: { seen: 3 } }));
      assert.equal(spec.status.seen, 2);
      assert.equal(spec.metadata.generation, 2);
      const labelled = ok(await client.patch(path, MERGE, { metadata: { labels: { a: 'b' } } }));
      assert.equal(labelled.metadata.generation, 2);
    });

    it('wants a version for an update, and knows no strategic merge', async () => {
      const client = use();
      ok(await client.post(client.widgets(), widget('versioned')), 201);
      const refusal = refused(
        await client.put(client.widgets('versioned'), widget('versioned')),
        422,
        'Invalid',
      );
      assert.equal(refusal.details.causes[0].field, 'metadata.resourceVersion');
      refused(await client.patch(client.widgets('versioned'), STRATEGIC, {}), 415, 'UnsupportedMediaType');
    });

    it('selects by declared fields and prints declared columns', async () => {
      const client = use();
      ok(await client.post(client.widgets(), widget('large', { type: 'Large' })), 201);
      ok(
        await client.patch(`${client.widgets('large')}/status`, MERGE, {
          status: { conditions: [{ type: 'Ready', status: 'True' }] },
        }),
      );
      const query = { fieldSelector: 'spec.type=Large' };
      assert.equal(ok(await client.get(client.widgets(), query)).items.length, 1);
      const table = ok(await client.get(client.widgets(), query, TABLE));
      assert.deepEqual(
        table.columnDefinitions.map((column: Json) => [column.name, column.priority]),
        [
          ['Name', 0],
          ['Type', 0],
          ['Replicas', 1],
          ['Ready', 0],
          ['Age', 0],
        ],
      );
      const [row] = table.rows;
      assert.deepEqual(row.cells.slice(0, 4), ['large', 'Large', 1, 'True']);
      assert.match(row.cells[4], /^\d+s$/);
    });

    it('refuses a definition whose rule does not compile', async () => {
      const client = use();
      const [version] = WIDGET_CRD.spec.versions;
      const schema = {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: { a: { type: 'integer' } },
            'x-kubernetes-validations': [{ rule: 'self.a +', message: 'never' }],
          },
        },
      };
      const body = {
        ...WIDGET_CRD,
        metadata: { name: 'broken.conformance.drover.dev' },
        spec: {
          ...WIDGET_CRD.spec,
          names: { plural: 'broken', kind: 'Broken', singular: 'broken', listKind: 'BrokenList' },
          versions: [
            { name: version?.name, served: true, storage: true, schema: { openAPIV3Schema: schema } },
          ],
        },
      };
      assert.match(refused(await client.post(CRDS, body), 422, 'Invalid').message, /compilation failed/);
    });
  });
}
