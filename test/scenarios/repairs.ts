// What each fault leads to, and to nothing else.

import assert from 'node:assert/strict';
import { healingPolicyKind } from '../../src/api/healing-policy.ts';
import { nodeOperationKind } from '../../src/api/node-operation.ts';
import { MINUTE, SECOND } from '../../src/platform/clock/clock.ts';
import { type KubeObject, PODS, type Pod } from '../../src/platform/kube/objects.ts';
import type { Scenario, Scene } from './scene.ts';

const condition = (
  object: { status?: { conditions?: { type: string; status: string }[] | undefined } },
  type: string,
) => object.status?.conditions?.find((one) => one.type === type)?.status;

export const REPAIRS: readonly Scenario[] = [
  {
    name: 'a dead kubelet on a healthy host is restarted, not rebooted',
    async play(scene) {
      await scene.ground.strike('kubelet', scene.machine);
      const { status } = await scene.ended();
      assert.equal(status?.diagnosis?.cause, 'KubeletDown');
      assert.equal(status?.stage, 'Healed');
      assert.deepEqual(
        status?.attempts?.map(({ remedy, service }) => [remedy, service]),
        [['RestartService', 'kubelet']],
      );
      assert.deepEqual(await scene.acts(), []);
    },
  },
  {
    name: 'a dead container runtime is restarted, not rebooted',
    async play(scene) {
      await scene.ground.strike('runtime', scene.machine);
      const { status } = await scene.ended();
      assert.equal(status?.diagnosis?.cause, 'RuntimeDown');
      assert.deepEqual(
        status?.attempts?.map(({ service }) => service),
        ['containerd'],
      );
      assert.deepEqual(await scene.acts(), []);
    },
  },
  {
    name: 'a full disk is cleaned by rule, and nobody is called',
    async play(scene) {
      await scene.ground.strike('disk-full', scene.machine);
      const { status } = await scene.ended();
      assert.equal(status?.diagnosis?.cause, 'DiskFull');
      assert.equal(status?.stage, 'Healed');
      assert.deepEqual(
        status?.attempts?.map(({ remedy }) => remedy),
        ['CleanDisk'],
      );
      const [operation] = await scene.operations();
      const acted = operation?.status?.steps?.find(({ name }) => name === 'act');
      assert.match(acted?.message ?? '', /40\.0 GiB freed: RotatedLogs 400 files/);
      assert.deepEqual(await scene.acts(), []);
    },
  },
  {
    name: 'announced maintenance is met by one reboot through the provider, drained first, and that closes it',
    async play(scene) {
      await scene.ground.strike('maintenance', scene.machine);
      const { status } = await scene.ended();
      assert.deepEqual([status?.diagnosis?.cause, status?.stage], ['MaintenanceDue', 'Healed']);
      assert.match(status?.diagnosis?.message ?? '', /SystemMaintenance\.Reboot \(Scheduled, e-/);
      const [operation] = await scene.operations();
      const steps = operation?.status?.steps?.map(({ name, outcome }) => `${name} ${outcome}`);
      assert.deepEqual(steps?.slice(0, 3), ['cordon Done', 'drain Done', 'act Done']);
      assert.deepEqual(await scene.acts(), ['Reboot']);
    },
  },
  {
    name: 'a memory that fails by its BMC’s log is told to a person, and the machine that serves is left alone',
    async play(scene) {
      // The first reading of its log, which only says where it ends.
      await scene.ground.pass(MINUTE);
      await scene.ground.strike('memory-error', scene.machine);
      // By polling within a minute, and 8 s until it is believed.
      const { status } = await scene.waits('MayHealItself', 90 * SECOND);
      assert.equal(status?.diagnosis?.cause, 'HardwareFailing');
      assert.match(status?.diagnosis?.message ?? '', /Memory: Uncorrectable ECC, DIMM A3/);
      const called = await scene.waits('LadderEnded', 4 * MINUTE);
      assert.equal(called.status?.stage, 'Escalated');
      assert.deepEqual([await scene.acts(), await scene.operations()], [[], []]);
      assert.equal((await scene.node()).spec?.unschedulable ?? false, false);
      // It dies of it while the person is on the way: that is healed as any crash.
      await scene.ground.strike('crash', scene.machine);
      const { status: ended } = await scene.ended(15 * MINUTE);
      assert.deepEqual([ended?.diagnosis?.cause, ended?.stage], ['Crashed', 'Healed']);
      assert.deepEqual(await scene.acts(), ['ForceReboot']);
    },
  },
  {
    name: 'a machine is moved to other hardware only where a policy allows what that destroys',
    async play(scene) {
      await scene.ground.strike('bad-hardware', scene.machine);
      const { status } = await scene.waits('LadderEnded');
      assert.equal(status?.stage, 'Escalated');
      assert.match(status?.waiting?.message ?? '', /RedeployDue: no HealingPolicy allows Redeploy/);
      assert.deepEqual(await scene.acts(), []);
      // A person agrees, and asks for it.
      const { spec } = (await scene.incident()) ?? assert.fail();
      const { cluster, machine, node } = spec;
      const wish = { cluster, machine, node, type: 'Redeploy', reason: { kind: 'Person', name: 'mei' } };
      await assert.rejects(scene.create(nodeOperationKind, `${machine}-move`, wish), /needs consent/);
      const consent = { by: 'mei', why: 'its disks hold nothing' };
      await scene.create(nodeOperationKind, `${machine}-move`, { ...wish, consent });
      // Not by an operation of the incident's own.
      assert.equal((await scene.ended()).status?.stage, 'Recovered');
      assert.deepEqual(await scene.acts(), ['Redeploy']);
    },
  },
  {
    name: 'a crashed machine is rebooted once, proven by its boot id, and takes Pods again',
    async play(scene) {
      const before = (await scene.node()).status?.nodeInfo?.bootID;
      const { at } = await scene.ground.strike('crash', scene.machine);
      const incident = await scene.ended();
      const { status } = incident;
      assert.equal(status?.diagnosis?.cause, 'Crashed');
      assert.equal(status?.stage, 'Healed');
      assert.deepEqual(await scene.acts(), ['ForceReboot']);
      const [operation] = await scene.operations();
      assert.equal(operation?.status?.evidence?.bootIDBefore, before);
      const node = await scene.node();
      assert.equal(operation?.status?.evidence?.bootIDAfter, node.status?.nodeInfo?.bootID);
      assert.notEqual(node.status?.nodeInfo?.bootID, before);
      assert.ok(!node.spec?.unschedulable, 'it is still cordoned');
      assert.deepEqual(
        ['Located', 'Healed', 'Escalated'].map((type) => condition(incident, type)),
        ['True', 'True', 'False'],
      );
      const after = (time: string | undefined) => Date.parse(time ?? '') - at;
      assert.ok(after(status?.detectedAt) < MINUTE, `found after ${after(status?.detectedAt)} ms`);
      assert.ok(after(status?.locatedAt) < 5 * MINUTE, `located after ${after(status?.locatedAt)} ms`);
      assert.ok(after(status?.healedAt) < 10 * MINUTE, `healed after ${after(status?.healedAt)} ms`);
    },
  },
  {
    name: 'a machine that writes its dump is left to finish',
    async play(scene) {
      await scene.ground.strike('crash-dump', scene.machine);
      assert.equal((await scene.waits('DumpInProgress')).status?.diagnosis?.cause, 'Dumping');
      const { status } = await scene.ended();
      assert.equal(status?.stage, 'Recovered');
      assert.equal(status?.diagnosis?.cause, 'Crashed', 'what took it down is not its network');
      assert.deepEqual(await scene.acts(), []);
    },
  },
  {
    name: 'a hung machine gets an NMI, so that its dump is not lost',
    async play(scene) {
      await scene.ground.strike('hang', scene.machine);
      const { status } = await scene.ended();
      assert.equal(status?.diagnosis?.cause, 'Hung');
      assert.equal(status?.stage, 'Healed');
      assert.deepEqual(await scene.acts(), ['Nmi']);
    },
  },
  {
    name: 'a cut cable is waited for: no reboot mends it',
    async play(scene) {
      await scene.ground.strike('cable', scene.machine, { lasts_ms: 90 * SECOND });
      const { status } = await scene.ended();
      assert.equal(status?.diagnosis?.cause, 'NetworkLost');
      assert.equal(status?.stage, 'Recovered');
      assert.deepEqual(await scene.acts(), []);
    },
  },
  {
    name: 'a clock that falls an hour behind is no trouble',
    async play(scene) {
      await scene.ground.strike('slow-clock', scene.machine);
      await scene.ground.pass(90 * SECOND);
      assert.equal(await scene.incident(), undefined);
    },
  },
  {
    name: 'a machine that stays off has its Pods freed, and a person is called',
    play: deadSupply,
  },
];

async function deadSupply(scene: Scene): Promise<void> {
  const selector = await scene.mark();
  await scene.create(healingPolicyKind, 'short-boots', {
    selector,
    priority: 10,
    bootTimeout: '40s',
    brake: { atLeast: 40 },
  });
  const pod = await podOn(scene, 'stateful');
  await scene.ground.strike('power-loss', scene.machine, { lasts_ms: 4 * MINUTE, stubborn: true });
  await scene.eventually('a person is called', 5 * MINUTE, async () =>
    (await scene.incident())?.status?.escalatedAt ? true : undefined,
  );
  const { attempts } = (await scene.incident())?.status ?? {};
  assert.deepEqual(
    attempts?.map(({ remedy, outcome }) => [remedy, outcome]),
    [
      ['PowerOn', 'Failed'],
      ['Evict', 'Worked'],
    ],
  );
  assert.equal(await scene.client.get<Pod>(PODS, pod, 'default'), undefined, 'its Pod is still bound to it');
  const isOutOfService = async () =>
    (await scene.node()).spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/out-of-service') ??
    false;
  assert.ok(await isOutOfService());
  const { status } = await scene.ended();
  assert.equal(status?.stage, 'Recovered');
  assert.ok(!(await isOutOfService()), 'the machine is well, and still out of service');
  assert.ok(!(await scene.node()).spec?.unschedulable, 'it is still cordoned');
  assert.deepEqual(await scene.acts(), ['PowerOn']);
}

/** A Pod bound to the scene's machine, running. Its name. */
export async function podOn(scene: Scene, app: string): Promise<string> {
  const name = `${app}-${scene.machine}`;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: {
      nodeName: scene.machine,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'app:1' }],
    },
  };
  await scene.client.create<KubeObject>(PODS, pod, 'scenario');
  await scene.eventually('the Pod runs', MINUTE, async () =>
    (await scene.client.get<Pod>(PODS, name, 'default'))?.status?.phase === 'Running' ? true : undefined,
  );
  return name;
}

/** An operation that a person asks for. */
export function askReboot(scene: Scene, name: string): Promise<KubeObject> {
  const reason = { kind: 'Person', name: 'mei', message: 'a new kernel' };
  const spec = { machine: scene.machine, node: scene.machine, type: 'Reboot', reason };
  return scene.create(nodeOperationKind, name, spec);
}
