// What BMCs' logs say, in a whole world under a stepped clock: how soon it is an incident with its cause, and what is not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Incident, incidentKind } from '../../src/api/incident.ts';
import { HOUR, MINUTE, SECOND } from '../../src/platform/clock/clock.ts';
import { VirtualClock } from '../../src/platform/clock/virtual.ts';
import type { KubeObject } from '../../src/platform/kube/objects.ts';
import { strike } from '../../src/simulation/fleet/faults.ts';
import { World } from '../../src/simulation/world.ts';

async function scene(machines = 200) {
  const clock = new VirtualClock(5);
  const world = new World({ clock, machines, applications: 1 });
  const opening = world.open();
  await clock.advance(2 * SECOND);
  await opening;
  let replica = world.start({ identity: 'drover-1' });
  const incidents = async () => (await world.admin.list<KubeObject & Incident>(incidentKind.resource)).items;
  const caused = async (cause: string) =>
    (await incidents())
      .filter(({ status }) => status?.diagnosis?.cause === cause)
      .map(({ spec }) => spec.machine)
      .sort();
  return {
    clock,
    world,
    fleet: world.fleet,
    incidents,
    caused,
    /** Seconds until it is true, or the limit. */
    async until(limit_s: number, holds: () => Promise<boolean>): Promise<number> {
      for (let second = 0; second < limit_s; second++) {
        if (await holds()) return second;
        await clock.advance(SECOND);
      }
      return (await holds())
        ? limit_s
        : assert.fail(`not within ${limit_s} s: ${JSON.stringify(await incidents())}`);
    },
    async restart() {
      replica.kill();
      await clock.advance(MINUTE);
      replica = world.start({ identity: 'drover-2' });
      await clock.advance(MINUTE);
    },
    async [Symbol.asyncDispose]() {
      replica.kill();
      world.close();
      await clock.advance(SECOND);
    },
  };
}

describe('an entry in a BMC’s log', () => {
  test('is an incident with its cause within 15 s where it streams', async () => {
    await using world = await scene();
    const { clock, fleet, until, caused } = world;
    await clock.advance(2 * MINUTE);
    strike(fleet, 'memory-error', 'm00031');
    const took_s = await until(15, async () => (await caused('HardwareFailing')).length === 1);
    assert.ok(took_s <= 15);
    assert.deepEqual(await caused('HardwareFailing'), ['m00031']);
  });

  test('is one within 60 s and the time in which it is believed where logs are read', async () => {
    await using world = await scene();
    const { clock, fleet, until, caused } = world;
    fleet.providerFaults.noStreams = true;
    await world.restart();
    await clock.advance(2 * MINUTE);
    for (const name of ['m00031', 'm00100', 'm00199']) strike(fleet, 'memory-error', name);
    await until(60 + 8, async () => (await caused('HardwareFailing')).length === 3);
    assert.deepEqual(await caused('HardwareFailing'), ['m00031', 'm00100', 'm00199']);
  });

  test('that was there before a restart of Drover is nothing new', async () => {
    await using world = await scene();
    const { clock, fleet, incidents } = world;
    fleet.get('m00031').logs('Critical', 'Memory', 'Uncorrectable ECC, DIMM A3');
    await world.restart();
    await clock.advance(15 * MINUTE);
    assert.deepEqual(await incidents(), []);
  });

  test('ends with its time, nobody’s machine having been touched; a warning is none', async () => {
    await using world = await scene(30);
    const { clock, fleet, incidents } = world;
    await clock.advance(2 * MINUTE);
    fleet.get('m00007').logs('Warning', 'Memory', 'Correctable ECC, DIMM B1');
    strike(fleet, 'memory-error', 'm00003');
    await clock.advance(30 * MINUTE);
    const [open, ...others] = await incidents();
    assert.deepEqual([open?.status?.stage, others], ['Escalated', []]);
    await clock.advance(HOUR);
    const [ended] = await incidents();
    assert.deepEqual(
      [ended?.status?.stage, ended?.status?.diagnosis?.cause],
      ['Recovered', 'HardwareFailing'],
    );
    assert.deepEqual(fleet.acts, []);
  });

  test('that is taken back ends sooner, before anybody is called', async () => {
    await using world = await scene(30);
    const { clock, fleet, incidents } = world;
    await clock.advance(2 * MINUTE);
    const machine = fleet.get('m00003');
    machine.logs('Critical', 'Power Supply', 'Power supply input lost (AC/DC) | Asserted');
    await clock.advance(MINUTE);
    assert.equal((await incidents())[0]?.status?.waiting?.reason, 'MayHealItself');
    machine.logs('OK', 'Power Supply', 'Power supply input lost (AC/DC) | Deasserted');
    await clock.advance(MINUTE);
    const [ended] = await incidents();
    assert.deepEqual([ended?.status?.stage, ended?.status?.escalatedAt], ['Recovered', undefined]);
  });

  test('of a system that stopped has the machine looked at at once', async () => {
    await using world = await scene();
    const { clock, fleet, until, caused } = world;
    await clock.advance(2 * MINUTE);
    strike(fleet, 'crash', 'm00031');
    const took_s = await until(30, async () => (await caused('Crashed')).length === 1);
    // Patrol comes by each 10 s, and 8 s it must last.
    assert.ok(took_s <= 13, `${took_s} s`);
  });
});
