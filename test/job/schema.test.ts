// What the API server lets in as a way onto hosts.
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

const secretRef = { namespace: 'drover', name: 'x' };
const job = { namespace: 'drover-hosts', image: 'busybox:1.37' };
const redfish = { secretRef };
const ecs = { regionId: 'cn-beijing', credentials: { secretRef } };

async function creator() {
  const api = new EmbeddedApi({ clock: systemClock });
  const admin = new KubeClient(api.transport({ user: 'admin' }), systemClock);
  await install(admin, { defaults: true });
  return (spec: object) =>
    admin.create<KubeObject & { spec: Record<string, unknown> }>(
      machineProviderKind.resource,
      { ...typeMetaOf(machineProviderKind), metadata: { name: `p-${systemClock.id()}` }, spec } as never,
      'test',
    );
}

describe('a way onto hosts', () => {
  it('is exactly one of SSH, Job and agent', async () => {
    const create = await creator();
    const one = /name one way onto the hosts: ssh, job, agent/;
    await assert.rejects(create({ redfish, hosts: {} }), one);
    await assert.rejects(create({ redfish, hosts: { units: ['my-agent'] } }), one);
    await assert.rejects(create({ redfish, hosts: { ssh: { secretRef }, job } }), one);
    await assert.rejects(create({ ecs, hosts: { job, agent: {} } }), one);
    await create({ redfish, hosts: { ssh: { secretRef }, units: ['my-agent'] } });
  });

  it('is an agent only where the provider has one', async () => {
    const create = await creator();
    await assert.rejects(create({ redfish, hosts: { agent: {} } }), /only machines of ecs have an agent/);
    await create({ ecs, hosts: { agent: {}, units: ['my-agent'] } });
  });

  it('is a Job with a namespace and an image, and usual values for the rest', async () => {
    const create = await creator();
    await assert.rejects(create({ redfish, hosts: { job: { namespace: 'x' } } }), /image/);
    const { spec } = await create({ redfish, hosts: { job } });
    const usual = { priorityClassName: 'system-node-critical', imagePullSecrets: [] };
    assert.deepEqual(spec.hosts, { job: { ...job, ...usual }, units: [] });
  });

  it('is written as docs/providers/job.md shows it', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/providers/job.md'), 'utf8');
    const shown = page.split('\n\n').find((part) => part.includes('kind: MachineProvider')) ?? '';
    const create = await creator();
    await create(parse(shown).spec);
  });
});
