import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ProviderError } from '../provider.ts';
import { inventoryOf } from './fru.ts';
import { readInventory } from './inventory.ts';
import { chassisReading } from './ipmi.ts';
import { selEntries } from './sel.ts';
import { readSensors, restartCauseOf, sensorsOf } from './sensors.ts';

const CHASSIS = `System Power         : on
Power Overload       : false
Power Interlock      : inactive
Main Power Fault     : false
Power Control Fault  : false
Power Restore Policy : always-off
Last Power Event     :
Chassis Intrusion    : inactive
Drive Fault          : true
Cooling/Fan Fault    : true
`;

describe('ipmitool chassis status', () => {
  it('says power and what is broken', () => {
    assert.deepEqual(chassisReading(CHASSIS), {
      power: 'On',
      console: [],
      health: 'Drive Fault, Cooling/Fan Fault',
    });
    assert.equal(chassisReading(CHASSIS.replace(': on', ': off')).power, 'Off');
  });

  it('that says no power is no "off"', () => {
    for (const text of ['', 'System Power : ', 'Unable to read'])
      assert.throws(
        () => chassisReading(text),
        (error) => error instanceof ProviderError && error.failure === 'Broken',
      );
  });
});

describe('ipmitool fru print and mc info', () => {
  it('say model, serial and the firmware of the BMC', () => {
    const fru =
      ' Board Product         : X11DPi-N\n Board Serial          : NM18\n Product Name          : SYS-6029U\n Product Serial        : S1234\n';
    const mc =
      'Device ID                 : 32\nFirmware Revision         : 1.73\nIPMI Version              : 2.0\n';
    assert.deepEqual(inventoryOf(fru, mc), {
      model: 'SYS-6029U',
      serial: 'S1234',
      firmware: [{ name: 'BMC', version: '1.73' }],
    });
    assert.deepEqual(inventoryOf('', mc).model, undefined);
  });
});

describe('ipmitool -c sel list', () => {
  it('is read with its times, kinds and how bad it is', () => {
    const csv = [
      '1, Pre-Init ,0000031041,Memory #0x08,Uncorrectable ECC,Asserted',
      '2,11/11/2026,00:01:02,Memory #0x87,Correctable ECC,Asserted',
      '3,11/11/26,00:01:03 UTC,Power Supply #0x51,Power Supply AC lost,Asserted',
      'a,11/11/2026,00:02:00,Power Supply #0x51,Power Supply AC lost,Deasserted',
      'b,11/12/2026,08:00:00,Fan #0x30,Lower Non-critical going low,Asserted',
      '',
      'SEL has no entries',
    ].join('\n');
    assert.deepEqual(
      selEntries(csv).map(({ id, at, severity, sensor, message }) => [id, at, severity, sensor, message]),
      [
        ['1', undefined, 'Critical', 'Memory', 'Uncorrectable ECC | Asserted'],
        ['2', '2026-11-11T00:01:02Z', 'Warning', 'Memory', 'Correctable ECC | Asserted'],
        ['3', '2026-11-11T00:01:03Z', 'Warning', 'Power Supply', 'Power Supply AC lost | Asserted'],
        ['a', '2026-11-11T00:02:00Z', 'OK', 'Power Supply', 'Power Supply AC lost | Deasserted'],
        ['b', '2026-11-12T08:00:00Z', 'Warning', 'Fan', 'Lower Non-critical going low | Asserted'],
      ],
    );
  });
});

describe('ipmitool -c sdr list full', () => {
  it('is read with UCUM’s units and Redfish’s words of health', () => {
    const csv = [
      'CPU1 Temp,96,degrees C,unc',
      'FAN1,5500,RPM,ok',
      'P12V,11.904,Volts,ok',
      'PSU1, left,1210,Watts,ucr',
      'FAN7,,,ns',
      'Intrusion,0x00,,ok',
      'Err in cmd get sensor sdr info',
      '',
    ].join('\n');
    assert.deepEqual(sensorsOf(csv), [
      { name: 'CPU1 Temp', unit: 'Cel', reading: 96, health: 'Warning' },
      { name: 'FAN1', unit: 'RPM', reading: 5500, health: 'OK' },
      { name: 'P12V', unit: 'V', reading: 11.904, health: 'OK' },
      { name: 'PSU1, left', unit: 'W', reading: 1210, health: 'Critical' },
      { name: 'FAN7', unit: '' },
    ]);
  });

  it('is never asked of a repository that is empty, or says no size', async () => {
    for (const info of ['Record Count                        : 0\n', 'SDR Version : 0x51\n', '']) {
      const asked: string[] = [];
      const tool = async (command: readonly string[]) => {
        asked.push(command.join(' '));
        return info;
      };
      await assert.rejects(readSensors(tool), (error) => error instanceof ProviderError);
      assert.deepEqual(asked, ['sdr info']);
    }
  });
});

describe('ipmitool chassis restart_cause', () => {
  it('is said in words, and not at all where the BMC does not know', () => {
    const cause = (said: string) => restartCauseOf(`System restart cause: ${said}\n`);
    assert.equal(cause('watchdog expired'), 'its watchdog, which had run out');
    assert.equal(cause('power-up via pushbutton'), 'its power button');
    for (const said of ['unknown', 'OEM', 'invalid', '']) assert.equal(cause(said), undefined);
  });
});

describe('the inventory of a BMC', () => {
  const answers: Record<string, string> = { 'mc info': 'Firmware Revision : 1.73\n' };
  const tool = (failure: 'Refused' | 'BadCredentials') => async (command: readonly string[]) => {
    const answer = answers[command.join(' ')];
    if (answer === undefined)
      throw new ProviderError(failure, `ipmitool ${command.join(' ')}: Invalid command`);
    return answer;
  };

  it('says what is missing and why, beside what is there', async () => {
    const { firmware, sensors, unread } = await readInventory(tool('Refused'));
    assert.deepEqual([firmware, sensors], [[{ name: 'BMC', version: '1.73' }], []]);
    assert.deepEqual(unread, [
      'model and serial: ipmitool fru print 0: Invalid command',
      'sensors: ipmitool sdr info: Invalid command',
      'restart cause: ipmitool chassis restart_cause: Invalid command',
    ]);
  });

  it('is none where the password is refused on the way', async () => {
    await assert.rejects(readInventory(tool('BadCredentials')), ProviderError);
  });
});
