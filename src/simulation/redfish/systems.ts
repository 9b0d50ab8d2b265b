// Systems: one for each board.

import { type Health, worst } from './board.ts';
import { notFound } from './messages.ts';
import { patch, settable } from './properties.ts';
import { resetAction, resetActionInfo } from './reset.ts';
import { type Call, type Json, orNotFound, type Route } from './route.ts';
import { collection, link, typed } from './schemas.ts';
import type { Service, Unit } from './service.ts';

const PATH = '/redfish/v1/Systems';
const ONE = `${PATH}/{system}`;
const BOOT_TARGETS = ['None', 'Pxe', 'Hdd', 'Cd', 'Usb', 'BiosSetup', 'UefiHttp'];
const BOOT_ENABLED = ['Disabled', 'Once', 'Continuous'] as const;
const BOOT_MODES = ['UEFI', 'Legacy'] as const;

export const systemRoutes: readonly Route[] = [
  {
    path: PATH,
    isCollection: true,
    read: ({ service }) =>
      collection(
        'ComputerSystemCollection',
        PATH,
        'Computer System Collection',
        service.units.map(({ system }) => system),
      ),
  },
  { path: ONE, read: resource, patch: { needs: ['ConfigureComponents'], do: change } },
  {
    path: `${ONE}/ResetActionInfo`,
    read: actionInfo,
  },
  {
    path: `${ONE}/Actions/ComputerSystem.Reset`,
    post: { needs: ['ConfigureComponents'], do: (call) => resetAction(call, unitOf(call)) },
  },
];

function unitOf(call: Call): Unit {
  return orNotFound(
    call.service.units.find(({ system }) => system === call.params.system),
    call,
  );
}

export function systemPath(unit: Unit): string {
  return `${PATH}/${unit.system}`;
}

function actionInfo(call: Call): Json {
  const { vendor } = call.service;
  if (vendor.resetsListedIn === 'AllowableValues') throw notFound(call.ask.path);
  return resetActionInfo(vendor, systemPath(unitOf(call)));
}

function resource(call: Call): Json {
  const { service } = call;
  const unit = unitOf(call);
  const { board, boot } = unit;
  const path = systemPath(unit);
  const isOn = board.power() === 'On';
  return {
    ...typed('ComputerSystem', path, unit.system, board.name),
    SystemType: 'Physical',
    Manufacturer: service.vendor.manufacturer,
    Model: board.model,
    SerialNumber: board.serial,
    UUID: unit.uuid,
    HostName: board.name,
    PowerState: board.power(),
    BiosVersion: board.firmware().find(({ id }) => id === 'BIOS')?.version ?? null,
    Status: {
      State: isOn ? 'Enabled' : 'Disabled',
      Health: board.health(),
      HealthRollup: healthRollup(unit),
    },
    Boot: {
      BootSourceOverrideEnabled: boot.enabled,
      BootSourceOverrideTarget: boot.target,
      BootSourceOverrideMode: boot.mode,
      'BootSourceOverrideEnabled@Redfish.AllowableValues': BOOT_ENABLED,
      'BootSourceOverrideTarget@Redfish.AllowableValues': BOOT_TARGETS,
    },
    ...(service.vendor.sel.under === 'Systems' || service.vendor.bmcLog.under === 'Systems'
      ? { LogServices: link(`${path}/LogServices`) }
      : {}),
    Links: {
      Chassis: [link(`/redfish/v1/Chassis/${unit.chassis}`)],
      ManagedBy: [link(`/redfish/v1/Managers/${unit.manager}`)],
    },
    Actions: { '#ComputerSystem.Reset': resetOffer(service, path) },
  };
}

function resetOffer({ vendor }: Service, path: string): Json {
  const { resets, resetsListedIn } = vendor;
  return {
    target: `${path}/Actions/ComputerSystem.Reset`,
    ...(resetsListedIn === 'ActionInfo' ? {} : { 'ResetType@Redfish.AllowableValues': resets }),
    ...(resetsListedIn === 'AllowableValues' ? {} : { '@Redfish.ActionInfo': `${path}/ResetActionInfo` }),
  };
}

/** Of the board and all its sensors. */
export function healthRollup({ board }: Unit): Health {
  return worst([board.health(), ...board.sensors().map(({ health }) => health)]);
}

function change(call: Call) {
  const unit = unitOf(call);
  return patch(call, () => resource(call), {
    Boot: {
      inside: {
        BootSourceOverrideTarget: settable<string>(BOOT_TARGETS, (target) => {
          unit.boot = { ...unit.boot, target };
        }),
        BootSourceOverrideEnabled: settable<(typeof BOOT_ENABLED)[number]>(BOOT_ENABLED, (enabled) => {
          unit.boot = { ...unit.boot, enabled, ...(enabled === 'Disabled' ? { target: 'None' } : {}) };
        }),
        BootSourceOverrideMode: settable<(typeof BOOT_MODES)[number]>(BOOT_MODES, (mode) => {
          unit.boot = { ...unit.boot, mode };
        }),
      },
    },
  });
}
