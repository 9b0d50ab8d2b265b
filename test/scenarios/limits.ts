// What holds Drover back, what it says of that, and that it goes on when the limit is lifted.

import assert from 'node:assert/strict';
import { type DisruptionBudget, disruptionBudgetKind } from '../../src/api/disruption-budget.ts';
import { healingPolicyKind } from '../../src/api/healing-policy.ts';
import { machineKind } from '../../src/api/machine.ts';
import { type NodeOperation, nodeOperationKind } from '../../src/api/node-operation.ts';
import { MINUTE, SECOND } from '../../src/platform/clock/clock.ts';
import { type KubeObject, PDBS } from '../../src/platform/kube/objects.ts';
import { askReboot, podOn } from './repairs.ts';
import type { Scenario, Scene } from './scene.ts';

/** Scenarios are played at the same time: together they would be a storm. */
export const CALM = { atLeast: 40 };

const operationOf = (scene: Scene, name: string) =>
  scene.client.get<KubeObject & NodeOperation>(nodeOperationKind.resource, name);

async function operationWaits(scene: Scene, name: string, reason: string): Promise<NodeOperation> {
  return scene.eventually(`${name} waits for ${reason}`, MINUTE, async () => {
    const operation = await operationOf(scene, name);
    return operation?.status?.waiting?.reason === reason ? operation : undefined;
  });
}

async function operationEnds(scene: Scene, name: string): Promise<NodeOperation> {
  return scene.eventually(`${name} has ended`, 6 * MINUTE, async () => {
    const operation = await operationOf(scene, name);
    return operation?.status?.endedAt ? operation : undefined;
  });
}

export const LIMITS: readonly Scenario[] = [
  {
    name: 'a policy that only observes finds, locates and says what it would do',
    async play(scene) {
      const selector = await scene.mark();
      await scene.create(healingPolicyKind, 'observe', {
        selector,
        priority: 10,
        mode: 'Observe',
        brake: CALM,
      });
      await scene.ground.strike('crash', scene.machine);
      const { status } = await scene.waits('ObserveOnly');
      assert.match(status?.waiting?.message ?? '', /next remedy would be Reboot/);
      await scene.ground.pass(20 * SECOND);
      assert.deepEqual(await scene.acts(), []);
      await scene.patch(healingPolicyKind, 'observe', { spec: { mode: 'Heal' } });
      assert.equal((await scene.ended()).status?.stage, 'Healed');
      assert.deepEqual(await scene.acts(), ['ForceReboot']);
    },
  },
  {
    name: 'the stop switch holds every act, names its owner, and lets go',
    async play(scene) {
      const selector = await scene.mark();
      const stop = { by: 'mei', why: 'the event' };
      await scene.create(disruptionBudgetKind, 'stopped', { selector, maxDisrupted: '1', stop });
      await scene.ground.strike('kubelet', scene.machine);
      const { status } = await scene.waits('Stopped');
      assert.match(status?.waiting?.message ?? '', /stopped by mei in DisruptionBudget stopped: the event/);
      await scene.patch(disruptionBudgetKind, 'stopped', { spec: { stop: null } });
      assert.equal((await scene.ended()).status?.stage, 'Healed');
    },
  },
  {
    name: 'a freeze holds a reboot that a person asks for, and says until when',
    async play(scene) {
      const selector = await scene.mark();
      const at = (offset_ms: number) => new Date(scene.ground.now() + offset_ms).toISOString();
      const freezes = [{ from: at(-MINUTE), to: at(75 * SECOND), why: 'Double 11' }];
      await scene.create(disruptionBudgetKind, 'frozen', { selector, maxDisrupted: '1', freezes });
      // What was written a moment ago may not have reached Drover: its ledger shows when it has.
      await scene.eventually('the freeze is known', MINUTE, async () => {
        const budget = await scene.client.get<KubeObject & DisruptionBudget>(
          disruptionBudgetKind.resource,
          'frozen',
        );
        return budget?.status?.selected === 1 || undefined;
      });
      await askReboot(scene, 'in-a-freeze');
      const { status } = await operationWaits(scene, 'in-a-freeze', 'Frozen');
      assert.equal(status?.waiting?.until, freezes[0]?.to);
      assert.deepEqual(await scene.acts(), []);
      assert.equal((await operationEnds(scene, 'in-a-freeze')).status?.state, 'Succeeded');
      assert.deepEqual(await scene.acts(), ['Reboot']);
    },
  },
  {
    name: 'a locked machine is left alone until it is unlocked',
    async play(scene) {
      const locked = { by: 'mei', why: 'looking at its DIMMs' };
      await scene.patch(machineKind, scene.machine, { spec: { desired: { locked } } });
      await scene.eventually('the lock is known', MINUTE, async () =>
        (await scene.object()).status?.state === 'Locked' ? true : undefined,
      );
      await askReboot(scene, 'of-a-locked-one');
      await operationWaits(scene, 'of-a-locked-one', 'Locked');
      assert.deepEqual(await scene.acts(), []);
      await scene.patch(machineKind, scene.machine, { spec: { desired: { locked: null } } });
      assert.equal((await operationEnds(scene, 'of-a-locked-one')).status?.state, 'Succeeded');
    },
  },
  {
    name: 'a PodDisruptionBudget holds the drain, and nothing is touched before it lets go',
    async play(scene) {
      const app = await podOn(scene, 'guarded');
      const pdb = {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: app, namespace: 'default' },
      };
      const spec = { maxUnavailable: 0, selector: { matchLabels: { app } } };
      await scene.client.create<KubeObject>(PDBS, { ...pdb, spec } as KubeObject, 'scenario');
      await askReboot(scene, 'of-a-guarded-one');
      const { status } = await operationWaits(scene, 'of-a-guarded-one', 'PodDisruptionBudget');
      assert.match(status?.waiting?.message ?? '', new RegExp(`default/${app}`));
      assert.deepEqual(await scene.acts(), []);
      await scene.client.delete(PDBS, app, { namespace: 'default' });
      assert.equal((await operationEnds(scene, 'of-a-guarded-one')).status?.state, 'Succeeded');
      assert.deepEqual(await scene.acts(), ['Reboot']);
    },
  },
  {
    name: 'a person’s cordon stays through a reboot',
    async play(scene) {
      await scene.patchNode({ spec: { unschedulable: true } });
      await scene.ground.strike('crash', scene.machine);
      assert.equal((await scene.ended()).status?.stage, 'Healed');
      assert.equal((await scene.node()).spec?.unschedulable, true);
    },
  },
  {
    name: 'a wish to have booted after a time is one reboot, however often it is said',
    async play(scene) {
      const rebootedAfter = new Date(scene.ground.now()).toISOString();
      for (let times = 0; times < 3; times++)
        await scene.patch(machineKind, scene.machine, { spec: { desired: { rebootedAfter } } });
      await scene.eventually(
        'it has rebooted',
        6 * MINUTE,
        async () =>
          (await scene.operations()).some(({ status }) => status?.state === 'Succeeded') || undefined,
      );
      await scene.ground.pass(30 * SECOND);
      assert.deepEqual(await scene.acts(), ['Reboot']);
      assert.equal((await scene.operations()).length, 1);
    },
  },
  {
    name: 'a site’s own rule finds what Drover’s witnesses do not see, and leads to its ladder',
    async play(scene) {
      const selector = await scene.mark();
      const when =
        '"ReadonlyFilesystem" in node.conditions && node.conditions["ReadonlyFilesystem"] == "True"';
      const rules = [{ name: 'read-only', when, for: '5s', diagnosis: 'Unknown' }];
      const ladders = { Unknown: [{ remedy: 'Reboot' }, { remedy: 'Escalate' }] };
      await scene.create(healingPolicyKind, 'read-only', {
        selector,
        priority: 10,
        rules,
        ladders,
        brake: CALM,
      });
      const { conditions = [] } = (await scene.node()).status ?? {};
      const sick = {
        type: 'ReadonlyFilesystem',
        status: 'True',
        reason: 'FilesystemIsReadOnly',
        message: 'sda1',
      };
      await scene.patchNode({ status: { conditions: [...conditions, sick] } }, 'status');
      const { status } = await scene.ended();
      assert.equal(status?.stage, 'Healed');
      assert.ok(status?.symptoms?.some(({ name, source }) => name === 'read-only' && source === 'Rule'));
      assert.deepEqual(await scene.acts(), ['Reboot']);
    },
  },
];
