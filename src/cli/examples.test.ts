import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { it } from 'node:test';
import { parse } from 'yaml';
import { KINDS } from '../api/index.ts';
import { install } from '../fleet/install.ts';
import { VirtualClock } from '../platform/clock/virtual.ts';
import { KubeClient } from '../platform/kube/client.ts';
import type { KubeObject } from '../platform/kube/objects.ts';
import { EmbeddedApi } from '../simulation/api/index.ts';

const folder = new URL('../../deploy/examples/', import.meta.url);

it('the API takes every example as it is', async () => {
  const clock = new VirtualClock();
  const client = new KubeClient(new EmbeddedApi({ clock }).transport({ user: 'admin' }), clock);
  await install(client, { defaults: true });
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  assert.ok(files.length > 0);
  for (const file of files) {
    const object = parse(readFileSync(new URL(file, folder), 'utf8')) as KubeObject;
    const kind = KINDS.find(({ resource }) => resource.kind === object.kind);
    assert.ok(kind, file);
    const made = await client.request<{ spec: unknown }>({
      method: 'POST',
      path: `/apis/drover.dev/v1alpha1/${kind.resource.plural}`,
      query: { fieldValidation: 'Strict' },
      body: object,
    });
    assert.ok(made.spec, file);
  }
});
