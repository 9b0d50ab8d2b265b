// What the API server lets in as a MachineProvider of ECS.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { typeMetaOf } from '../../src/api/crd.ts';
import { machineProviderKind } from '../../src/api/machine-provider.ts';
import { install } from '../../src/fleet/install.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { KubeClient } from '../../src/platform/kube/client.ts';
import type { KubeObject } from '../../src/platform/kube/objects.ts';
import { EmbeddedApi } from '../../src/simulation/api/index.ts';

async function creator() {
  const api = new EmbeddedApi({ clock: systemClock });
  const admin = new KubeClient(api.transport({ user: 'admin' }), systemClock);
  await install(admin, { defaults: true });
  return (ecs: object) =>
    admin.create<KubeObject>(
      machineProviderKind.resource,
      { ...typeMetaOf(machineProviderKind), metadata: { name: 'ecs' }, spec: { ecs } } as KubeObject,
      'test',
    );
}

const page = readFileSync(join(import.meta.dirname, '../../docs/providers/ecs.md'), 'utf8');
/** What stands indented. */
const blocks = page.split('\n\n').filter((part) => part.split('\n').every((line) => /^( {4}|$)/.test(line)));

describe('a MachineProvider of ECS', () => {
  const secretRef = { namespace: 'drover', name: 'ecs' };
  const regionId = 'cn-beijing';

  it('names exactly one source of credentials', async () => {
    const create = await creator();
    const one = /name one source of credentials: secretRef, ramRole, oidc/;
    await assert.rejects(create({ regionId, credentials: {} }), one);
    await assert.rejects(create({ regionId, credentials: { secretRef, ramRole: {} } }), one);
  });

  it('speaks HTTP with loopback only', async () => {
    const create = await creator();
    const credentials = { ramRole: {} };
    for (const endpoint of ['http://ecs.cn-beijing.aliyuncs.com', 'http://127.0.0.1.example:80', 'ecs/path'])
      await assert.rejects(create({ regionId, credentials, endpoint }), /endpoint/, endpoint);
    await create({ regionId, credentials, endpoint: 'http://127.0.0.1:8080' });
  });

  it('is written as docs/providers/ecs.md shows it', async () => {
    const shown = (from: string) => parse(blocks.find((block) => block.trimStart().startsWith(from)) ?? '');
    const create = await creator();
    const { launch } = shown('launch:');
    const { credentials } = shown('credentials:');
    await create({ ...shown('apiVersion: drover').spec.ecs, launch, credentials });
  });

  it('has rights in its documentation that are JSON, and hold every call that is made', () => {
    const rights = blocks
      .filter((block) => block.includes('"Version"'))
      .flatMap((block) => JSON.parse(block).Statement.flatMap(({ Action }: { Action: string }) => Action));
    const folder = join(import.meta.dirname, '../../src/platform/providers/ecs');
    const called = [
      'power',
      'maintenance',
      'market',
      'provisioning-group',
      'ecs',
      'list',
      'look-up',
      'agent',
    ].flatMap((file) =>
      [...readFileSync(join(folder, `${file}.ts`), 'utf8').matchAll(/'([A-Z]\w+)',\s+'(?:Read|Act)'/g)].map(
        ([, name]) => `ecs:${name}`,
      ),
    );
    assert.ok(called.length >= 14, `${called}`);
    assert.deepEqual(
      called.filter((call) => !rights.includes(call)),
      [],
    );
  });
});
