// What becomes of the requests that Cluster API's MachineHealthCheck and medik8s' NodeHealthCheck make.

import assert from 'node:assert/strict';
import { typeMetaOf } from '../../src/api/crd.ts';
import { disruptionBudgetKind } from '../../src/api/disruption-budget.ts';
import { type Remediation, remediationKind } from '../../src/api/remediation.ts';
import { MINUTE, SECOND } from '../../src/platform/clock/clock.ts';
import { isConflict } from '../../src/platform/kube/errors.ts';
import {
  type Condition,
  CRDS,
  type KubeObject,
  type ObjectMeta,
  type Resource,
} from '../../src/platform/kube/objects.ts';
import type { Scenario, Scene } from './scene.ts';

const NAMESPACE = 'default';
const MANAGER = 'health-check';

const MACHINES: Resource = {
  group: 'cluster.x-k8s.io',
  version: 'v1beta2',
  kind: 'Machine',
  plural: 'machines',
  namespaced: true,
};
const LOOSE = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
/** Cluster API's Machine, as far as this is about it. */
const MACHINES_CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'machines.cluster.x-k8s.io' },
  spec: {
    group: MACHINES.group,
    scope: 'Namespaced',
    names: { kind: MACHINES.kind, plural: MACHINES.plural, singular: 'machine', listKind: 'MachineList' },
    versions: [
      {
        name: MACHINES.version,
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: LOOSE, status: LOOSE } } },
      },
    ],
  },
};

type CapiMachine = KubeObject & { spec: unknown; status?: { conditions?: Condition[] } };

/** As a health check makes it, under the name of the node unless `metadata` has another. */
function request(scene: Scene, spec: unknown, metadata: Partial<ObjectMeta> = {}): Promise<KubeObject> {
  const named = { name: scene.machine, namespace: NAMESPACE, ...metadata };
  const object = { ...typeMetaOf(remediationKind), metadata: named, spec };
  return scene.client.create<KubeObject>(remediationKind.resource, object, MANAGER);
}

const requestOf = (scene: Scene, name: string) =>
  scene.client.get<KubeObject & Remediation>(remediationKind.resource, name, NAMESPACE);

function said(scene: Scene, type: string, reason: string, name = scene.machine): Promise<Condition> {
  return scene.eventually(`${type} says ${reason}`, 6 * MINUTE, async () => {
    const conditions = (await requestOf(scene, name))?.status?.conditions as Condition[] | undefined;
    return conditions?.find((one) => one.type === type && one.reason === reason);
  });
}

/** Makes Cluster API's Machine of this scene's node, which says itself that it is that. */
async function capiMachine(scene: Scene, name: string): Promise<KubeObject> {
  const { client } = scene;
  await client.apply<KubeObject>(CRDS, MACHINES_CRD as KubeObject, { fieldManager: MANAGER, force: true });
  const annotations = {
    [`${MACHINES.group}/machine`]: name,
    [`${MACHINES.group}/cluster-namespace`]: NAMESPACE,
  };
  await scene.patchNode({ metadata: { annotations } });
  const object = {
    apiVersion: `${MACHINES.group}/${MACHINES.version}`,
    kind: MACHINES.kind,
    metadata: { name, namespace: NAMESPACE },
    spec: { clusterName: 'prod' },
  };
  const made = await scene.eventually('Machines are served', MINUTE, () =>
    client.create<CapiMachine>(MACHINES, object, MANAGER).catch(() => undefined),
  );
  const conditions = [
    { type: 'HealthCheckSucceeded', status: 'False', reason: 'UnhealthyNode' },
    { type: 'ExternallyRemediated', status: 'False', reason: 'WaitingForRemediation' },
  ].map((one) => ({ ...one, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }));
  const status = { nodeRef: { name: scene.machine }, conditions };
  const options = { fieldManager: MANAGER, namespace: NAMESPACE, subresource: 'status' };
  await client.mergePatch(MACHINES, name, { status }, options);
  return made;
}

async function conditionsOf(scene: Scene, name: string): Promise<string[]> {
  const object = await scene.client.get<CapiMachine>(MACHINES, name, NAMESPACE);
  return (object?.status?.conditions ?? []).map(({ type, status, reason }) => `${type} ${status} ${reason}`);
}

export const REQUESTS: readonly Scenario[] = [
  {
    name: 'a health check that sees what no witness of ours sees is told so, and the machine is left alone',
    async play(scene) {
      await request(scene, {});
      await said(scene, 'Processing', 'Looking');
      const { status, message } = await said(scene, 'Succeeded', 'NothingFound');
      assert.equal(status, 'False');
      assert.match(message, /nothing is done/);
      assert.deepEqual(await scene.operations(), []);
      assert.deepEqual(await scene.acts(), []);
    },
  },
  {
    name: 'a MachineHealthCheck and Drover see the same trouble: Drover heals it its own way, once, and both are told',
    async play(scene) {
      const name = `${scene.machine}-capi`;
      const { metadata } = await capiMachine(scene, name);
      const owner = { apiVersion: `${MACHINES.group}/${MACHINES.version}`, kind: 'Machine', name };
      await scene.ground.strike('kubelet', scene.machine);
      await request(
        scene,
        { strategy: 'Reboot' },
        { name, ownerReferences: [{ ...owner, uid: metadata.uid ?? '' }] },
      );
      const { message } = await said(scene, 'Succeeded', 'Healed', name);
      assert.match(message, /healed by Drover/);
      assert.deepEqual(await scene.acts(), []);
      assert.deepEqual(
        (await scene.operations()).map(({ spec }) => spec.type),
        ['RestartService'],
      );
      await scene.eventually('the Machine says so too', MINUTE, async () => {
        const conditions = await conditionsOf(scene, name);
        return conditions.includes('ExternallyRemediated True Healed') || undefined;
      });
      // The health check takes its request back, and with it goes what was said of it; the rest is others'.
      await scene.client.delete(remediationKind.resource, name, { namespace: NAMESPACE });
      await scene.eventually('the Machine is as before', MINUTE, async () => {
        const conditions = await conditionsOf(scene, name);
        return conditions.join() === 'HealthCheckSucceeded False UnhealthyNode' || undefined;
      });
    },
  },
  {
    name: 'a template that says Reboot gets one, drained first, and no second one',
    async play(scene) {
      await request(
        scene,
        { strategy: 'Reboot' },
        {
          name: `${scene.machine}-x7k2p`,
          annotations: { 'remediation.medik8s.io/node-name': scene.machine },
        },
      );
      const { status } = await said(scene, 'Succeeded', 'Rebooted', `${scene.machine}-x7k2p`);
      assert.equal(status, 'True');
      const [operation, ...more] = await scene.operations();
      assert.deepEqual(more, []);
      assert.deepEqual(operation?.spec.reason.kind, 'Remediation');
      const steps = operation?.status?.steps?.map(({ name, outcome }) => `${name} ${outcome}`);
      assert.deepEqual(steps?.slice(0, 3), ['cordon Done', 'drain Done', 'act Done']);
      await scene.ground.pass(90 * SECOND);
      assert.equal((await scene.operations()).length, 1);
      assert.equal((await scene.acts()).length, 1);
    },
  },
  {
    name: 'a request that is taken back while its reboot waits takes the reboot with it',
    async play(scene) {
      const selector = await scene.mark();
      const stop = { by: 'mei', why: 'the event' };
      await scene.create(disruptionBudgetKind, 'requests-stopped', { selector, maxDisrupted: '1', stop });
      await request(scene, { strategy: 'Reboot' });
      await said(scene, 'Processing', 'Stopped');
      await scene.client.delete(remediationKind.resource, scene.machine, { namespace: NAMESPACE });
      await scene.eventually('it is called off', MINUTE, async () => {
        const [operation] = await scene.operations();
        return operation?.status?.state === 'Cancelled' || undefined;
      });
      assert.deepEqual(await scene.acts(), []);
    },
  },
  {
    name: 'a request for a node that nobody knows is answered, and stops no other',
    async play(scene) {
      const stranger = `stranger-of-${scene.machine}`;
      await request(scene, { strategy: 'Reboot' }, { name: stranger });
      const { message } = await said(scene, 'Succeeded', 'NodeNotFound', stranger);
      assert.match(message, new RegExp(`no Machine of Drover’s is the node ${stranger}`));
      await assert.rejects(request(scene, { strategy: 'Reinstall' }), (error: unknown) => !isConflict(error));
    },
  },
];
