import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { KINDS } from '../api/index.ts';
import { install } from '../fleet/install.ts';
import { VirtualClock } from '../platform/clock/virtual.ts';
import { KubeClient } from '../platform/kube/client.ts';
import { type KubeObject, pathOf } from '../platform/kube/objects.ts';
import { EmbeddedApi } from '../simulation/api/index.ts';

const folder = new URL('../../deploy/examples/', import.meta.url);

describe('the API takes the example', async () => {
  const clock = new VirtualClock();
  const client = new KubeClient(new EmbeddedApi({ clock }).transport({ user: 'admin' }), clock);
  await install(client, { defaults: true });

  for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
    it(file, async () => {
      const object = parse(readFileSync(new URL(file, folder), 'utf8')) as KubeObject;
      const kind = KINDS.find(({ resource }) => resource.kind === object.kind);
      assert.ok(kind, `there is no kind ${object.kind}`);
      await client.request({
        method: 'POST',
        path: pathOf(kind.resource, object.metadata.namespace),
        query: { fieldValidation: 'Strict' },
        body: object,
      });
    });
  }
});
