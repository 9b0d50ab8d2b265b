// Chassis: one for each board, with sensors in the old form, the new one, or both.

import type { Sensor } from './board.ts';
import { type Call, type Json, orNotFound, type Route } from './route.ts';
import { collection, link, typed } from './schemas.ts';
import type { Unit } from './service.ts';
import { healthRollup, systemPath } from './systems.ts';

const PATH = '/redfish/v1/Chassis';
const ONE = `${PATH}/{chassis}`;

export const chassisRoutes: readonly Route[] = [
  {
    path: PATH,
    isCollection: true,
    read: ({ service }) =>
      collection(
        'ChassisCollection',
        PATH,
        'Chassis Collection',
        service.units.map(({ chassis }) => chassis),
      ),
  },
  { path: ONE, read: resource },
  { path: `${ONE}/Sensors`, isCollection: true, read: sensorsResource },
  { path: `${ONE}/Sensors/{sensor}`, read: sensorResource },
  { path: `${ONE}/Thermal`, read: thermalResource },
  { path: `${ONE}/Power`, read: powerResource },
];

function unitOf(call: Call): Unit {
  return orNotFound(
    call.service.units.find(({ chassis }) => chassis === call.params.chassis),
    call,
  );
}

/** The unit, where this vendor has that form of sensors. */
function unitWith(call: Call, form: 'Sensors' | 'PowerThermal'): Unit {
  const unit = unitOf(call);
  return orNotFound(call.service.vendor.environment.includes(form) ? unit : undefined, call);
}

function resource(call: Call): Json {
  const { vendor } = call.service;
  const unit = unitOf(call);
  const { board } = unit;
  const path = `${PATH}/${unit.chassis}`;
  const has = (form: 'Sensors' | 'PowerThermal') => vendor.environment.includes(form);
  return {
    ...typed('Chassis', path, unit.chassis, `${board.name} Chassis`),
    ChassisType: 'RackMount',
    Manufacturer: vendor.manufacturer,
    Model: board.model,
    SerialNumber: board.serial,
    PowerState: board.power() === 'Off' ? 'Off' : 'On',
    Status: { State: 'Enabled', Health: board.health(), HealthRollup: healthRollup(unit) },
    ...(has('Sensors') ? { Sensors: link(`${path}/Sensors`) } : {}),
    ...(has('PowerThermal') ? { Thermal: link(`${path}/Thermal`), Power: link(`${path}/Power`) } : {}),
    Links: {
      ComputerSystems: [link(systemPath(unit))],
      ManagedBy: [link(`/redfish/v1/Managers/${unit.manager}`)],
    },
  };
}

const UNITS = { Temperature: 'Cel', Fan: 'RPM', Power: 'W' } as const;
const READING_TYPES = { Temperature: 'Temperature', Fan: 'Rotational', Power: 'Power' } as const;

function sensorsResource(call: Call): Json {
  const { chassis, board } = unitWith(call, 'Sensors');
  const ids = board.sensors().map(({ id }) => id);
  return collection('SensorCollection', `${PATH}/${chassis}/Sensors`, 'Sensors', ids);
}

function sensorResource(call: Call): Json {
  const { chassis, board } = unitWith(call, 'Sensors');
  const sensor = orNotFound(
    board.sensors().find(({ id }) => id === call.params.sensor),
    call,
  );
  return {
    ...typed('Sensor', `${PATH}/${chassis}/Sensors/${sensor.id}`, sensor.id, sensor.name),
    ReadingType: READING_TYPES[sensor.kind],
    Reading: sensor.reading ?? null,
    ReadingUnits: UNITS[sensor.kind],
    Status: statusOf(sensor),
    ...(sensor.upperCritical === undefined
      ? {}
      : { Thresholds: { UpperCritical: { Reading: sensor.upperCritical } } }),
  };
}

function statusOf(sensor: Sensor): Json {
  if (sensor.reading === undefined) return { State: 'UnavailableOffline', Health: null };
  return { State: 'Enabled', Health: sensor.health };
}

function thermalResource(call: Call): Json {
  const { chassis, board } = unitWith(call, 'PowerThermal');
  const path = `${PATH}/${chassis}/Thermal`;
  const of = (kind: Sensor['kind']) => board.sensors().filter((sensor) => sensor.kind === kind);
  return {
    ...typed('Thermal', path, 'Thermal', 'Thermal'),
    Temperatures: of('Temperature').map((sensor, i) => ({
      '@odata.id': `${path}#/Temperatures/${i}`,
      MemberId: String(i),
      Name: sensor.name,
      ReadingCelsius: sensor.reading ?? null,
      ...(sensor.upperCritical === undefined ? {} : { UpperThresholdCritical: sensor.upperCritical }),
      Status: statusOf(sensor),
    })),
    Fans: of('Fan').map((sensor, i) => ({
      '@odata.id': `${path}#/Fans/${i}`,
      MemberId: String(i),
      Name: sensor.name,
      Reading: sensor.reading ?? null,
      ReadingUnits: 'RPM',
      Status: statusOf(sensor),
    })),
  };
}

function powerResource(call: Call): Json {
  const { chassis, board } = unitWith(call, 'PowerThermal');
  const path = `${PATH}/${chassis}/Power`;
  const meters = board.sensors().filter(({ kind }) => kind === 'Power');
  return {
    ...typed('Power', path, 'Power', 'Power'),
    PowerControl: meters.map((sensor, i) => ({
      '@odata.id': `${path}#/PowerControl/${i}`,
      MemberId: String(i),
      Name: sensor.name,
      PowerConsumedWatts: sensor.reading ?? null,
      Status: statusOf(sensor),
    })),
  };
}
