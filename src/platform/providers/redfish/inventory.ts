// What a machine is made of and how it feels: firmware versions, and sensors in the new form (Sensor, since 2018) or the
// old one (Thermal, Power). Read for people only: it takes a request for each part.
import type { Inventory } from '../provider.ts';
import type { Bmc } from './bmc.ts';
import { isResource, linkOf, linksOf, type Resource, textOf } from './resource.ts';

/** Parts of one kind; a server with 24 disks and 32 DIMMs has some 120 of firmware. */
const PARTS_MAX = 300;

export async function readInventory(bmc: Bmc, system: Resource, signal?: AbortSignal): Promise<Inventory> {
  const links = isResource(system.Links) ? system.Links : {};
  const sensors: Inventory['sensors'] = [];
  for (const path of linksOf(links.Chassis))
    sensors.push(...(await sensorsOf(bmc, await bmc.get(path, signal), signal)));
  const [model, serial] = [textOf(system, 'Model'), textOf(system, 'SerialNumber')];
  return {
    ...(model && { model }),
    ...(serial && { serial }),
    firmware: await firmwareOf(bmc, signal),
    sensors,
  };
}

async function firmwareOf(bmc: Bmc, signal?: AbortSignal): Promise<Inventory['firmware']> {
  const service = linkOf(await bmc.root(signal), 'UpdateService');
  const place = service && linkOf(await bmc.get(service, signal), 'FirmwareInventory');
  if (!place) return [];
  const firmware: Inventory['firmware'] = [];
  for (const part of await members(bmc, place, signal)) {
    const name = textOf(part, 'Name') ?? textOf(part, 'Id');
    const version = textOf(part, 'Version');
    if (name && version) firmware.push({ name, version });
  }
  return firmware;
}

async function sensorsOf(bmc: Bmc, chassis: Resource, signal?: AbortSignal): Promise<Inventory['sensors']> {
  const collection = linkOf(chassis, 'Sensors');
  if (collection)
    return (await members(bmc, collection, signal)).flatMap((part) =>
      sensor(part, 'Reading', textOf(part, 'ReadingUnits') ?? ''),
    );
  const found: Inventory['sensors'] = [];
  for (const [holder, list, value, unit] of OLD_FORMS) {
    const path = linkOf(chassis, holder);
    const parts = path ? (await bmc.get(path, signal))[list] : undefined;
    for (const part of Array.isArray(parts) ? parts : [])
      if (isResource(part)) found.push(...sensor(part, value, textOf(part, 'ReadingUnits') ?? unit));
  }
  return found;
}

const OLD_FORMS = [
  ['Thermal', 'Temperatures', 'ReadingCelsius', 'Cel'],
  ['Thermal', 'Fans', 'Reading', 'RPM'],
  ['Power', 'PowerControl', 'PowerConsumedWatts', 'W'],
  ['Power', 'Voltages', 'ReadingVolts', 'V'],
] as const;

function sensor(part: Resource, value: string, unit: string): Inventory['sensors'] {
  const name = textOf(part, 'Name') ?? textOf(part, 'MemberId');
  if (!name) return [];
  const reading = part[value];
  const health = isResource(part.Status) ? textOf(part.Status, 'Health') : undefined;
  return [
    {
      name,
      unit,
      ...(typeof reading === 'number' && { reading }),
      ...(health && { health }),
    },
  ];
}

async function members(bmc: Bmc, path: string, signal?: AbortSignal): Promise<Resource[]> {
  const parts: Resource[] = [];
  for (const link of linksOf((await bmc.get(path, signal)).Members).slice(0, PARTS_MAX))
    parts.push(await bmc.get(link, signal));
  return parts;
}
