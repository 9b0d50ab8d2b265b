import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SECOND } from '../../platform/clock/clock.ts';
import type { Json } from './route.ts';
import { firstMessage, linkOf, type Scene, scene } from './test-client.ts';

/** As a client finds it: by the links, never by id. */
async function systemOf({ get }: Scene): Promise<{ path: string; system: Json; target: string }> {
  const systems = await get('/Systems');
  const path = linkOf({ first: (systems.Members as Json[])[0] }, 'first');
  const system = await get(path);
  const action = (system.Actions as Record<string, Json>)['#ComputerSystem.Reset'] as Json;
  return { path, system, target: String(action.target).replace('/redfish/v1', '') };
}

async function powerOf(scene: Scene): Promise<unknown> {
  return (await systemOf(scene)).system.PowerState;
}

describe('a reset', () => {
  it('is answered before it has happened', async () => {
    await using dell = await scene('Dell');
    const { target } = await systemOf(dell);
    assert.equal((await dell.post(target, { ResetType: 'ForceOff' })).status, 204);
    assert.equal(await powerOf(dell), 'PoweringOff');
    await dell.clock.advance(2 * SECOND);
    assert.equal(await powerOf(dell), 'Off');
    assert.equal((await dell.post(target, { ResetType: 'On' })).status, 204);
    assert.equal(await powerOf(dell), 'PoweringOn');
    await dell.clock.advance(2 * SECOND);
    assert.equal(await powerOf(dell), 'On');
  });

  it('shows the power off in the middle of a forced restart', async () => {
    await using bmc = await scene('OpenBMC');
    const { target } = await systemOf(bmc);
    await bmc.post(target, { ResetType: 'ForceRestart' });
    assert.equal(await powerOf(bmc), 'Off');
    await bmc.clock.advance(3 * SECOND);
    assert.equal(await powerOf(bmc), 'On');
  });

  it('that is graceful does nothing where no operating system hears it', async () => {
    await using dell = await scene('Dell');
    const { target } = await systemOf(dell);
    dell.board.osRuns = false;
    assert.equal((await dell.post(target, { ResetType: 'GracefulShutdown' })).status, 204);
    await dell.clock.advance(60 * SECOND);
    assert.equal(await powerOf(dell), 'On');
    dell.board.osRuns = true;
    await dell.post(target, { ResetType: 'GracefulShutdown' });
    await dell.clock.advance(5 * SECOND);
    assert.equal(await powerOf(dell), 'Off');
  });

  it('by NMI leaves a record in the event log and the power on', async () => {
    await using hpe = await scene('HPE');
    const { target } = await systemOf(hpe);
    await hpe.post(target, { ResetType: 'Nmi' });
    assert.equal(await powerOf(hpe), 'On');
    const { Members } = await hpe.get('/Systems/1/LogServices/IML/Entries');
    assert.match(JSON.stringify(Members), /NMI/);
  });

  it('answers 204, 202 with a task, or 200 with a message, by vendor', async () => {
    await using dell = await scene('Dell');
    const body = { ResetType: 'ForceOff' };
    assert.equal((await dell.post((await systemOf(dell)).target, body)).status, 204);
    await using hpe = await scene('HPE');
    const done = await hpe.post((await systemOf(hpe)).target, body);
    assert.equal(done.status, 200);
    assert.equal(firstMessage(done.json).key, 'Success');
    await using lenovo = await scene('Lenovo');
    const accepted = await lenovo.post((await systemOf(lenovo)).target, body);
    assert.equal(accepted.status, 202);
    assert.equal(accepted.json.TaskState, 'Running');
    const monitor = String(accepted.headers.get('location')).replace('/redfish/v1', '');
    assert.equal((await lenovo.send(monitor)).status, 202);
    await lenovo.clock.advance(2 * SECOND);
    assert.equal((await lenovo.send(monitor)).status, 204);
    assert.equal((await lenovo.get(linkOf(accepted.json))).TaskState, 'Completed');
  });

  it('of a type that the machine does not list is refused, and the list is where the vendor keeps it', async () => {
    await using dell = await scene('Dell');
    const { system, target } = await systemOf(dell);
    assert.doesNotMatch(JSON.stringify(system.Actions), /PowerCycle|GracefulRestart|ActionInfo/);
    const refused = await dell.post(target, { ResetType: 'PowerCycle' });
    assert.equal(refused.status, 400);
    assert.equal(firstMessage(refused.json).key, 'ActionParameterValueNotInList');
    assert.deepEqual(dell.board.orders, []);
    await using bmc = await scene('OpenBMC');
    const { path, system: own } = await systemOf(bmc);
    assert.doesNotMatch(JSON.stringify(own.Actions), /AllowableValues/);
    const info = await bmc.get(`${path}/ResetActionInfo`);
    assert.match(JSON.stringify(info.Parameters), /PowerCycle/);
  });

  it('to the state that it is in is refused by some and passed over by others', async () => {
    const on = { ResetType: 'On' };
    await using dell = await scene('Dell');
    const conflict = await dell.post((await systemOf(dell)).target, on);
    assert.equal(conflict.status, 409);
    assert.equal(firstMessage(conflict.json).key, 'PSU501');
    await using hpe = await scene('HPE');
    const wrong = await hpe.post((await systemOf(hpe)).target, on);
    assert.equal(wrong.status, 400);
    assert.equal(firstMessage(wrong.json).key, 'InvalidOperationForSystemState');
    await using bmc = await scene('OpenBMC');
    assert.equal((await bmc.post((await systemOf(bmc)).target, on)).status, 204);
    assert.deepEqual(bmc.board.orders, []);
  });

  it('that is a restart powers on what is off at OpenBMC, and is refused by HPE', async () => {
    const off = { ResetType: 'ForceOff' };
    const restart = { ResetType: 'ForceRestart' };
    for (const [vendor, status, power] of [
      ['OpenBMC', 204, 'On'],
      ['HPE', 400, 'Off'],
    ] as const) {
      await using bmc = await scene(vendor);
      const { target } = await systemOf(bmc);
      await bmc.post(target, off);
      await bmc.clock.advance(2 * SECOND);
      assert.equal((await bmc.post(target, restart)).status, status);
      await bmc.clock.advance(2 * SECOND);
      assert.equal(await powerOf(bmc), power);
    }
  });

  it('without a type, or with more than one, names what is wrong', async () => {
    await using dell = await scene('Dell');
    const { target } = await systemOf(dell);
    assert.equal(firstMessage((await dell.post(target, {})).json).key, 'ActionParameterMissing');
    const unknown = await dell.post(target, { ResetType: 'On', Delay: 5 });
    assert.deepEqual(firstMessage(unknown.json).args, ['ComputerSystem.Reset', 'Delay']);
  });
});

describe('an enclosure', () => {
  it('has a system, a chassis and a manager for each board, and a reset goes to one', async () => {
    await using blades = await scene('OpenBMC', ['blade-1', 'blade-2']);
    const { Members } = await blades.get('/Systems');
    assert.deepEqual(Members, [
      { '@odata.id': '/redfish/v1/Systems/blade-1' },
      { '@odata.id': '/redfish/v1/Systems/blade-2' },
    ]);
    assert.equal((await blades.get('/Managers'))['Members@odata.count'], 2);
    await blades.post('/Systems/blade-2/Actions/ComputerSystem.Reset', { ResetType: 'ForceOff' });
    await blades.clock.advance(2 * SECOND);
    assert.equal((await blades.get('/Systems/blade-1')).PowerState, 'On');
    assert.equal((await blades.get('/Systems/blade-2')).PowerState, 'Off');
  });
});

describe('health', () => {
  it('rolls up from the board', async () => {
    await using dell = await scene('Dell');
    dell.board.setHealth('Critical');
    const { Status } = (await systemOf(dell)).system;
    assert.deepEqual(Status, { State: 'Enabled', Health: 'Critical', HealthRollup: 'Critical' });
  });

  it('is seen in sensors in the form of the vendor', async () => {
    await using dell = await scene('Dell');
    const { Sensors, Thermal } = await dell.get('/Chassis/System.Embedded.1');
    assert.ok(Sensors && Thermal);
    assert.equal((await dell.get('/Chassis/System.Embedded.1/Sensors/CPU1Temp')).Reading, 54);
    await using hpe = await scene('HPE');
    assert.equal((await hpe.get('/Chassis/1')).Sensors, undefined);
    assert.match(JSON.stringify((await hpe.get('/Chassis/1/Thermal')).Temperatures), /"ReadingCelsius":54/);
    await using bmc = await scene('OpenBMC');
    assert.equal((await bmc.send('/Chassis/chassis/Thermal')).status, 404);
  });
});
