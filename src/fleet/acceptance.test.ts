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
import { TransportError } from '../platform/kube/transport.ts';
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
  /** What is told where the object itself takes no word. */
  const said: string[] = [];
  const report = (through = client) =>
    reportRejected(through, all, clock.now(), ({ metadata }, { message }) =>
      said.push(`${metadata.name}: ${message}`),
    );
  /** A client whose writes on the object of this name fail; with the names of all that were written on. */
  const failing = (broken: string, error: Error) => {
    const told: string[] = [];
    const mergePatch = (async (resource, name, patch, options) => {
      told.push(name);
      if (name === broken) throw error;
      return client.mergePatch(resource, name, patch, options);
    }) as KubeClient['mergePatch'];
    return Object.assign(Object.create(client) as KubeClient, { mergePatch, told });
  };
  return { clock, client, caches, stop, create, conditions, open, settle, report, failing, said };
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
    const { stop, create, conditions, open, report, failing, said } = await openServer(
      machineKind,
      disruptionBudgetKind,
    );
    for (const name of ['a', 'b']) await create(machineKind, name, BAD);
    await create(disruptionBudgetKind, 'c', { maxDisrupted: 'many' });
    await open();
    const stubborn = failing(
      'a',
      new KubeError('PATCH a', 422, { message: 'spec.location.zone: Invalid value' }),
    );
    await report(stubborn);
    assert.match(said.join(), /^a: spec\.location\.zone: /, 'and the journal has it');
    for (const [kind, name] of [
      [machineKind, 'b'],
      [disruptionBudgetKind, 'c'],
    ] as const)
      assert.equal((await conditions(kind, name))?.[0]?.reason, 'Invalid', name);
    stop.abort();
  });

  it('and has changed or gone meanwhile is left to the next pass, without a word', async () => {
    const { stop, create, conditions, open, report, failing } = await openServer(machineKind);
    for (const name of ['a', 'b']) await create(machineKind, name, BAD);
    await open();
    for (const code of [409, 404]) await report(failing('a', new KubeError('PATCH a', code, {})));
    assert.equal(await conditions(machineKind, 'a'), undefined);
    assert.equal((await conditions(machineKind, 'b'))?.[0]?.reason, 'Invalid');
    stop.abort();
  });

  it('is one of at most 50 that are told in one pass, and the others are told in the next', async () => {
    const { stop, create, open, settle, report, failing } = await openServer(machineKind);
    for (let n = 0; n < 51; n++) await create(machineKind, `m${n}`, BAD);
    await open();
    const passes = [];
    for (const _ of [1, 2, 3]) {
      const client = failing('none', new Error());
      await report(client);
      await settle();
      passes.push(client.told.length);
    }
    assert.deepEqual(passes, [50, 1, 0]);
    stop.abort();
  });

  it('waits with all others while the server does not answer at all', async () => {
    const { stop, create, open, report, failing } = await openServer(machineKind);
    for (const name of ['a', 'b']) await create(machineKind, name, BAD);
    await open();
    const silent = failing('a', new TransportError('no answer', { sent: true }));
    await assert.rejects(report(silent), TransportError);
    assert.deepEqual(silent.told, ['a']);
    stop.abort();
  });
});
