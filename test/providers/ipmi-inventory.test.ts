// What a BMC tells of the machine over IPMI, by OpenIPMI's ipmi_sim and OpenStack's pyghmi.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ipmiSimStage, noIpmiSim } from './ipmi-sim.ts';
import { pyghmiPackages, pyghmiStage } from './pyghmi.ts';

const skip = noIpmiSim() ?? false;
const pyghmi = pyghmiPackages();
const noPyghmi = skip || ('reason' in pyghmi && pyghmi.reason);

describe('the inventory over IPMI', { skip }, () => {
  it('has sensors with their units, the firmware, and what is refused by name', async () => {
    await using stage = await ipmiSimStage();
    const { sensors, firmware, unread } = (await stage.provider.inventory?.(stage.machine)) ?? assert.fail();
    assert.deepEqual(sensors, [
      { name: 'CPU1 Temp', unit: 'Cel', reading: 61, health: 'OK' },
      { name: 'FAN1', unit: 'RPM', reading: 5500, health: 'OK' },
    ]);
    assert.deepEqual(firmware, [{ name: 'BMC', version: '9.08' }]);
    assert.match(unread?.join() ?? '', /restart cause: .*Invalid command/);
  });

  it('leaves a repository of sensors alone that is empty', async () => {
    await using stage = await ipmiSimStage({ sensors: false });
    const { sensors, unread } = (await stage.provider.inventory?.(stage.machine)) ?? assert.fail();
    assert.deepEqual(sensors, []);
    assert.match(unread?.join() ?? '', /sensors: its repository of sensors is empty/);
  });

  it('says why the machine came up last', { skip: noPyghmi }, async () => {
    await using stage = await pyghmiStage('folder' in pyghmi ? pyghmi.folder : '');
    const cause = async () => (await stage.provider.inventory?.(stage.machine))?.restartCause;
    assert.equal(await cause(), 'its power button');
    await stage.provider.act(stage.machine, 'ForceReboot', 'key');
    assert.equal(await cause(), 'a power command to its BMC');
  });
});
