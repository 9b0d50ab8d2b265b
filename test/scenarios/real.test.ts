// The same scenarios on a real control plane, all at once on one fleet, with Drover and the machines in
// processes of their own. Boots are short here; test/fleet has them as long as they are.

import { after, before, describe, test } from 'node:test';
import { disruptionBudgetKind } from '../../src/api/disruption-budget.ts';
import { healingPolicyKind } from '../../src/api/healing-policy.ts';
import { type Machine, machineKind } from '../../src/api/machine.ts';
import { MINUTE } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import type { KubeObject } from '../../src/platform/kube/objects.ts';
import { Stage, until } from '../fleet/stage.ts';
import { ALONE } from './alone.ts';
import { LIMITS } from './limits.ts';
import { OUTAGES } from './outages.ts';
import { REPAIRS } from './repairs.ts';
import { REQUESTS } from './requests.ts';
import { type Ground, Scene } from './scene.ts';

const MACHINES = 120;
const TIMEOUT_MS = 15 * MINUTE;
const manager = { fieldManager: 'scenario' };

let stage: Stage;

before(async () => {
  stage = await Stage.open({
    machines: MACHINES,
    applications: 2,
    boot: '20s-30s',
    dump: '45s-60s',
    controlPlane: { nodeMonitorGracePeriod_s: 20, nodeMonitorPeriod_s: 1 },
  });
  // The scenarios are played at the same time, and none shall wait for another's place in a budget.
  const budget = { maxDisrupted: '40', per: [], minSchedulable: '50%' };
  await stage.client.mergePatch(disruptionBudgetKind.resource, 'default', { spec: budget }, manager);
  const brake = { spec: { brake: { atLeast: 40 } } };
  await stage.client.mergePatch(healingPolicyKind.resource, 'default', brake, manager);
  stage.startReplica('drover');
  await until('Drover has seen every machine', MINUTE, async () => {
    const { items } = await stage.client.list<KubeObject & Machine>(machineKind.resource);
    return items.every(({ status }) => status?.bootID && status.evidence?.length) || undefined;
  });
});
after(() => stage?.[Symbol.asyncDispose]());

describe('scenarios on a real control plane', { concurrency: true, timeout: TIMEOUT_MS }, () => {
  OUTAGES.forEach(({ name, play }, index) => {
    test(name, () => play(sceneOf(index)));
  });
  // Away from the racks that go dark.
  [...REPAIRS, ...LIMITS].forEach(({ name, play }, index) => {
    test(name, () => play(sceneOf(61 + 3 * index)));
  });
  REQUESTS.forEach(({ name, play }, index) => {
    test(name, () => play(sceneOf(63 + 3 * index)));
  });
});

describe('scenarios that change the API for all', { timeout: TIMEOUT_MS }, () => {
  ALONE.forEach(({ name, play }, index) => {
    test(name, () => play(sceneOf(62 + 3 * index)));
  });
});

function sceneOf(index: number): Scene {
  return new Scene(ground, `m${String(index + 1).padStart(5, '0')}`);
}

const ground: Ground = {
  get client() {
    return stage.client;
  },
  strike: (kind, machine, more) => stage.strike(kind, machine, more),
  acts: async () => (await stage.truth()).acts,
  async passUntil(limit_ms, look) {
    for (const end = systemClock.now() + limit_ms; systemClock.now() < end; ) {
      const found = await look();
      if (found !== undefined) return found;
      await systemClock.sleep(1_000);
    }
    return look();
  },
  pass: (duration_ms) => systemClock.sleep(duration_ms),
  now: () => systemClock.now(),
};
