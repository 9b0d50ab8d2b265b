// UpdateService: only what firmware there is. Nothing is updated here.

import type { Firmware } from './board.ts';
import { type Call, type Json, orNotFound, type Route } from './route.ts';
import { collection, link, typed } from './schemas.ts';
import type { Service } from './service.ts';

const SERVICE = '/redfish/v1/UpdateService';
const PATH = `${SERVICE}/FirmwareInventory`;

export const updateRoutes: readonly Route[] = [
  { path: SERVICE, read: serviceResource },
  {
    path: PATH,
    isCollection: true,
    read: ({ service }) =>
      collection('SoftwareInventoryCollection', PATH, 'Firmware Inventory', [...inventory(service).keys()]),
  },
  { path: `${PATH}/{firmware}`, read: firmwareResource },
];

function serviceResource(): Json {
  return {
    ...typed('UpdateService', SERVICE, 'UpdateService', 'Update Service'),
    ServiceEnabled: true,
    Status: { State: 'Enabled', Health: 'OK' },
    FirmwareInventory: link(PATH),
  };
}

/** By id; with several boards the board's name goes in front. */
function inventory({ units }: Service): Map<string, Firmware> {
  const isOne = units.length === 1;
  return new Map(
    units.flatMap(({ board }) =>
      board
        .firmware()
        .map((each): [string, Firmware] => [isOne ? each.id : `${board.name}-${each.id}`, each]),
    ),
  );
}

function firmwareResource(call: Call): Json {
  const id = call.params.firmware ?? '';
  const firmware = orNotFound(inventory(call.service).get(id), call);
  return {
    ...typed('SoftwareInventory', `${PATH}/${id}`, id, firmware.name),
    Version: firmware.version,
    Updateable: firmware.updateable,
    Status: { State: 'Enabled', Health: 'OK' },
  };
}
