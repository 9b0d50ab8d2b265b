import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crdOf } from '../api/crd.ts';
import { disruptionBudgetKind } from '../api/disruption-budget.ts';
import type { Kind } from '../api/kind.ts';
import { type Machine, machineKind } from '../api/machine.ts';
import { VirtualClock } from '../platform/clock/virtual.ts';
import type { KubeCache } from '../platform/kube/cache.ts';
import { KubeClient } from '../platform/kube/client.ts';
import { KubeError } from '../platform/kube/errors.ts';
import { type Condition, CRDS, type KubeObject } from '../platform/kube/objects.ts';
import { EmbeddedApi } from '../simulation/api/index.ts';
import { reportRejected } from './acceptance.ts';
import { openCaches } from './caches.ts';
import { install } from './install.ts';

const GOOD = { provider: { name: 'ecs', id: 'i-1' }, location: { zone: 'z1' } };
const BAD = { provider: { name: 'ecs', id: 'i-1' }, location: { zone: 'z 1!' }, cluster: 'home' };

/** A server whose CRDs of these kinds check nothing, as an older release's may have. */
async function openServer(...loose: Kind[]) {
  const clock = new VirtualClock();
  const client = new KubeClient(new EmbeddedApi({ clock }).transport({ user: 'admin' }), clock);
  await install(client, { defaults: false });
  for (const kind of loose) {
    const crd = structuredClone(crdOf(kind)) as unknown as KubeObject & {
      spec: { versions: { schema: { openAPIV3Schema: unknown } }[] };
    };
    for (const version of crd.spec.versions)
      version.schema.openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    await client.apply(CRDS, crd, { fieldManager: 'old-release', force: true });
  }
  const create = (kind: Kind, name: string, spec: unknown) => {
    const { group, version, kind: kindName } = kind.resource;
    const object = { apiVersion: `${group}/${version}`, kind: kindName, metadata: { name }, spec };
    return client.create(kind.resource, object as KubeObject, 'test');
  };
  const conditions = async (kind: Kind, name: string) =>
    (await client.get<KubeObject & { status?: { conditions?: Condition[] } }>(kind.resource, name))?.status
      ?.conditions;
  const caches = openCaches(client);
  const stop = new AbortController();
  const all = Object.values(caches) as KubeCache<never>[];
  const settle = () => clock.advance(1000);
  const open = async () => {
    for (const cache of all) void cache.run(stop.signal);
    await settle();
  };
  const report = (through = client) => reportRejected(through, all, clock.now());
  return { clock, client, caches, stop, create, conditions, open, settle, report };
}

describe('an object that slipped in wrong', () => {
  it('is told so in its condition, which names the field, and takes part in nothing', async () => {
    const { caches, stop, create, conditions, open, report } = await openServer(machineKind);
    await create(machineKind, 'bad', BAD);
    await create(machineKind, 'good', GOOD);
    await open();
    await report();
    const [found] = (await conditions(machineKind, 'bad')) ?? [];
    assert.deepEqual([found?.type, found?.status, found?.reason], ['Accepted', 'False', 'Invalid']);
    assert.match(found?.message ?? '', /^spec\.location\.zone: /);
    assert.equal(caches.machines.get('bad'), undefined);
    stop.abort();
  });

  it('does not touch the others: they are read, and nothing is written on them', async () => {
    const { caches, stop, create, conditions, open, report } = await openServer(machineKind);
    await create(machineKind, 'bad', BAD);
    await create(machineKind, 'good', GOOD);
    await open();
    await report();
    assert.equal(caches.machines.get('good')?.spec.location.zone, 'z1');
    assert.equal(await conditions(machineKind, 'good'), undefined);
    stop.abort();
  });

  it('is told once, and again when another field is wrong', async () => {
    const { clock, client, stop, create, conditions, open, settle, report } = await openServer(machineKind);
    await create(machineKind, 'bad', BAD);
    await open();
    await report();
    await settle();
    const told = await client.get(machineKind.resource, 'bad');
    await clock.advance(60_000);
    await report();
    assert.deepEqual(await client.get(machineKind.resource, 'bad'), told);
    const since = (await conditions(machineKind, 'bad'))?.[0]?.lastTransitionTime;
    const patch = { spec: { ...GOOD, model: 'g 7' } };
    await client.mergePatch(machineKind.resource, 'bad', patch, { fieldManager: 'test' });
    await settle();
    await report();
    const [now] = (await conditions(machineKind, 'bad')) ?? [];
    assert.match(now?.message ?? '', /^spec\.model: /);
    assert.equal(now?.lastTransitionTime, since, 'it has been wrong all the while');
    stop.abort();
  });

  it('is read as soon as it is mended', async () => {
    const { client, caches, stop, create, open, settle } = await openServer(machineKind);
    await create(machineKind, 'bad', BAD);
    await open();
    assert.equal(caches.machines.rejected.size, 1);
    const patch = { spec: { location: { zone: 'z1' } } };
    await client.mergePatch<KubeObject & Machine>(machineKind.resource, 'bad', patch, {
      fieldManager: 'test',
    });
    await settle();
    assert.equal(caches.machines.rejected.size, 0);
    assert.equal(caches.machines.get('bad')?.spec.location.zone, 'z1');
    stop.abort();
  });

  it('and whose status the server does not take keeps nobody else from being told', async () => {
    const { client, stop, create, conditions, open, report } = await openServer(
      machineKind,
      disruptionBudgetKind,
    );
    for (const name of ['a', 'b']) await create(machineKind, name, BAD);
    await create(disruptionBudgetKind, 'c', { maxDisrupted: 'many' });
    await open();
    const stubborn = Object.create(client) as KubeClient;
    stubborn.mergePatch = (async (resource, name, patch, options) => {
      if (name === 'a') throw new KubeError('PATCH a', 422, { message: 'spec.location.zone: Invalid value' });
      return client.mergePatch(resource, name, patch, options);
    }) as KubeClient['mergePatch'];
    await assert.rejects(report(stubborn), /PATCH a: spec.location.zone/, 'and the log has it');
    for (const [kind, name] of [
      [machineKind, 'b'],
      [disruptionBudgetKind, 'c'],
    ] as const)
      assert.equal((await conditions(kind, name))?.[0]?.reason, 'Invalid', name);
    stop.abort();
  });
});
