// What is played alone: it changes the API or the fleet for all.

import assert from 'node:assert/strict';
import { crdOf, typeMetaOf } from '../../src/api/crd.ts';
import { healingPolicyKind } from '../../src/api/healing-policy.ts';
import { type Incident, incidentKind } from '../../src/api/incident.ts';
import { type Machine, machineKind } from '../../src/api/machine.ts';
import { MINUTE, SECOND } from '../../src/platform/clock/clock.ts';
import { CRDS, type KubeObject } from '../../src/platform/kube/objects.ts';
import type { Scenario, Scene } from './scene.ts';

export const ALONE: readonly Scenario[] = [
  {
    name: 'a malformed Machine that slipped in says so in its condition, and stops nothing else',
    async play(scene) {
      const crd = crdOf(machineKind);
      const loose = structuredClone(crd) as KubeObject & typeof crd;
      const { properties } = loose.spec.versions[0]?.schema.openAPIV3Schema ?? assert.fail();
      Object.assign(properties, { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } });
      const manager = { fieldManager: 'drover-install', force: true };
      await scene.client.apply(CRDS, loose, manager);
      const malformed = {
        ...typeMetaOf(machineKind),
        metadata: { name: 'malformed' },
        spec: { provider: { name: 'simulated' } },
      };
      await scene.eventually('the old schema lets it in', MINUTE, async () =>
        scene.client.create<KubeObject>(machineKind.resource, malformed, 'scenario').catch(() => undefined),
      );
      await scene.client.apply(CRDS, crd as unknown as KubeObject, manager);
      const condition = await scene.eventually('it says what is wrong with it', MINUTE, async () => {
        const machine = await scene.client.get<KubeObject & Machine>(machineKind.resource, 'malformed');
        return machine?.status?.conditions?.find(({ type }) => type === 'Accepted');
      });
      assert.deepEqual([condition.status, condition.reason], ['False', 'Invalid']);
      assert.match(condition.message, /spec\.provider\.id/);
      await scene.ground.strike('kubelet', scene.machine);
      assert.equal((await scene.ended()).status?.stage, 'Healed');
      await scene.client.delete(machineKind.resource, 'malformed');
    },
  },
  {
    name: 'a storm of crashes is not met by a storm of reboots, until a person lifts the brake',
    play: stormOfCrashes,
  },
  {
    name: 'when most of the fleet is gone at once, nothing is touched',
    play: mostAreGone,
  },
];

async function stormOfCrashes(scene: Scene): Promise<void> {
  const selector = await scene.mark();
  const first = Number(scene.machine.slice(1));
  const names = Array.from({ length: 8 }, (_, nth) => `m${String(first + 3 * nth).padStart(5, '0')}`);
  for (const name of names)
    await scene.patch(machineKind, name, { metadata: { labels: selector.matchLabels } });
  await scene.create(healingPolicyKind, 'storm', {
    selector,
    priority: 20,
    brake: { limit: '5%', atLeast: 5 },
  });
  for (const name of names) await scene.ground.strike('crash', name);
  await scene.waits('Braked');
  await scene.ground.pass(MINUTE);
  const acts = async () => (await scene.ground.acts()).filter(({ machine }) => names.includes(machine));
  assert.deepEqual(await acts(), []);
  await scene.patch(healingPolicyKind, 'storm', { spec: { brake: { atLeast: 40 } } });
  await scene.eventually('all are rebooted and well', 10 * MINUTE, async () => {
    const { items } = await scene.client.list<KubeObject & Incident>(incidentKind.resource);
    const own = items.filter(({ spec }) => names.includes(spec.machine));
    return own.every(({ status }) => status?.endedAt) || undefined;
  });
  assert.deepEqual(
    (await acts()).map(({ act }) => act),
    names.map(() => 'ForceReboot'),
  );
}

async function mostAreGone(scene: Scene): Promise<void> {
  const { items: machines } = await scene.client.list<KubeObject & Machine>(machineKind.resource);
  const zones = ['z1', 'z2'];
  const gone = machines.filter(({ spec }) => zones.includes(spec.location.zone ?? ''));
  const before = (await scene.ground.acts()).length;
  for (const zone of zones) {
    const one = gone.find(({ spec }) => spec.location.zone === zone)?.metadata.name ?? assert.fail();
    await scene.ground.strike('zone', one, { lasts_ms: 90 * SECOND });
  }
  const since = scene.ground.now();
  const open = async () => {
    const { items } = await scene.client.list<KubeObject & Incident>(incidentKind.resource);
    return items.filter(({ status }) => Date.parse(status?.detectedAt ?? '') >= since);
  };
  await scene.eventually(
    'all have an incident',
    MINUTE,
    async () => (await open()).length === gone.length || undefined,
  );
  const ended = await scene.eventually('all have ended', 6 * MINUTE, async () => {
    const found = await open();
    return found.every(({ status }) => status?.endedAt) ? found : undefined;
  });
  const causes = new Set(ended.map(({ status }) => status?.diagnosis?.cause));
  assert.deepEqual([...causes], ['DomainOutage']);
  assert.ok(ended.every(({ status }) => status?.stage === 'Recovered' && !status.attempts?.length));
  assert.equal((await scene.ground.acts()).length, before, 'a machine was touched');
}
