// What `npm start -- --provider ecs` shows: the main job, with power by the API of the stand-in.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Incident, incidentKind } from '../../src/api/incident.ts';
import { MINUTE } from '../../src/platform/clock/clock.ts';
import { scaledClock } from '../../src/platform/clock/scaled.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import type { KubeObject } from '../../src/platform/kube/objects.ts';
import { fleetCloud } from '../../src/simulation/ecs/fleet-cloud.ts';
import { World } from '../../src/simulation/world.ts';

const SPEED = 10;

it('a fleet of ECS instances is healed through its API, and no NMI is tried that ECS does not have', async () => {
  await import('@alicloud/ecs20140526');
  const clock = scaledClock(systemClock, SPEED, systemClock.random, systemClock.id);
  const durations = { boot_ms: [20_000, 30_000], dump_ms: [20_000, 30_000] } as const;
  const world = new World({ clock, machines: 12, zones: 12, durations, applications: 0 });
  await using cloud = await fleetCloud(world.fleet, clock);
  await world.open(undefined, cloud);
  const replica = world.start({ identity: 'test' });
  const ended = async (name: string): Promise<Incident> => {
    for (const until = clock.now() + 15 * MINUTE; clock.now() < until; await systemClock.sleep(100)) {
      const { items } = await world.admin.list<KubeObject & Incident>(incidentKind.resource);
      const found = items.find(({ spec, status }) => spec.machine === name && status?.endedAt);
      if (found) return found;
    }
    throw new Error(`the incident of ${name} does not end`);
  };
  const done = (action: string) =>
    cloud.ecs.calls.filter((call) => call.action === action && call.answer === 'OK').length;
  try {
    // Its provider is asked for each machine within some seconds: then what it can is known.
    await clock.sleep(MINUTE);
    const machine = world.fleet.get('m00003');
    const boot = machine.bootID;
    machine.hang();
    const { status } = await ended('m00003');
    assert.deepEqual([status?.diagnosis?.cause, status?.stage], ['Hung', 'Healed']);
    assert.deepEqual(
      status?.attempts?.map(({ remedy }) => remedy),
      ['PowerCycle'],
    );
    assert.notEqual(machine.bootID, boot);
    assert.deepEqual([done('StopInstances'), done('StartInstances')], [1, 1]);
    assert.equal(cloud.ecs.calls.filter(({ action }) => action === 'SendDiagnosticInterrupt').length, 0);
  } finally {
    await replica.stop();
    world.close();
  }
});
