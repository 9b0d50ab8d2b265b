// Managers: the BMC of each board.

import { HttpRefusal, message, messageAbout } from './messages.ts';
import { patch, patchArray, settable } from './properties.ts';
import { type Answer, type Call, type Json, orNotFound, type Route } from './route.ts';
import { collection, link, redfishTime, typed } from './schemas.ts';
import type { Unit } from './service.ts';
import { systemPath } from './systems.ts';

const PATH = '/redfish/v1/Managers';
const ONE = `${PATH}/{manager}`;
const RESETS = ['GracefulRestart', 'ForceRestart'];
const ACTION = 'Manager.Reset';
const NTP_SERVERS_MAX = 4;

export const managerRoutes: readonly Route[] = [
  {
    path: PATH,
    isCollection: true,
    read: ({ service }) =>
      collection(
        'ManagerCollection',
        PATH,
        'Manager Collection',
        service.units.map(({ manager }) => manager),
      ),
  },
  { path: ONE, read: resource },
  {
    path: `${ONE}/NetworkProtocol`,
    read: protocolResource,
    patch: { needs: ['ConfigureManager'], do: changeProtocol },
  },
  { path: `${ONE}/Actions/Manager.Reset`, post: { needs: ['ConfigureManager'], do: restart } },
];

function unitOf(call: Call): Unit {
  return orNotFound(
    call.service.units.find(({ manager }) => manager === call.params.manager),
    call,
  );
}

function resource(call: Call): Json {
  const { service } = call;
  const { vendor } = service;
  const unit = unitOf(call);
  const path = `${PATH}/${unit.manager}`;
  return {
    ...typed('Manager', path, unit.manager, 'Manager'),
    ManagerType: 'BMC',
    Manufacturer: vendor.manufacturer,
    Model: vendor.managerModel,
    FirmwareVersion: unit.board.firmware().find(({ id }) => id === 'BMC')?.version ?? '1.0.0',
    ServiceEntryPointUUID: service.uuid,
    UUID: unit.uuid,
    PowerState: 'On',
    Status: { State: 'Enabled', Health: 'OK' },
    DateTime: redfishTime(service.clock.now()),
    DateTimeLocalOffset: '+00:00',
    ...(vendor.sel.under === 'Managers' || vendor.bmcLog.under === 'Managers'
      ? { LogServices: link(`${path}/LogServices`) }
      : {}),
    NetworkProtocol: link(`${path}/NetworkProtocol`),
    Links: {
      ManagerForServers: [link(systemPath(unit))],
      ManagerForChassis: [link(`/redfish/v1/Chassis/${unit.chassis}`)],
    },
    Actions: {
      '#Manager.Reset': {
        target: `${path}/Actions/Manager.Reset`,
        'ResetType@Redfish.AllowableValues': RESETS,
      },
    },
  };
}

function protocolResource(call: Call): Json {
  const unit = unitOf(call);
  return {
    ...typed(
      'ManagerNetworkProtocol',
      `${PATH}/${unit.manager}/NetworkProtocol`,
      'NetworkProtocol',
      'Network Protocol',
    ),
    Status: { State: 'Enabled', Health: 'OK' },
    HostName: unit.manager.replaceAll('.', '-'),
    HTTPS: { ProtocolEnabled: true },
    // not served: nothing here leaves the loopback
    SSDP: { ProtocolEnabled: false },
    NTP: { ProtocolEnabled: unit.ntpEnabled, NTPServers: unit.ntpServers },
  };
}

function changeProtocol(call: Call) {
  const unit = unitOf(call);
  return patch(call, () => protocolResource(call), {
    NTP: {
      inside: {
        ProtocolEnabled: settable<boolean>('boolean', (enabled) => {
          unit.ntpEnabled = enabled;
        }),
        NTPServers: {
          check: (value, name) =>
            isPatchOfStrings(value) && value.length <= NTP_SERVERS_MAX
              ? undefined
              : messageAbout(name, 'PropertyValueTypeError', JSON.stringify(value), name),
          set(value) {
            unit.ntpServers = patchArray(unit.ntpServers, value as (string | null | object)[]);
          },
        },
      },
    },
  });
}

function isPatchOfStrings(value: unknown): value is (string | null | object)[] {
  const fits = (each: unknown) => typeof each === 'string' || typeof each === 'object';
  return Array.isArray(value) && value.every(fits);
}

/** The service goes away for a while, after this answer. */
function restart(call: Call): Answer {
  unitOf(call);
  const { ResetType } = call.body;
  if (ResetType !== undefined && !RESETS.includes(String(ResetType))) {
    throw new HttpRefusal(400, [
      message('ActionParameterValueNotInList', String(ResetType), 'ResetType', ACTION),
    ]);
  }
  call.service.restartSoon();
  return { status: 204 };
}
