// A computer system: its power, its health, and what resets it allows.
import { type Power, ProviderError } from '../provider.ts';
import type { Bmc } from './bmc.ts';
import { isResource, linkOf, linksOf, type Resource, resourceOf, textOf } from './resource.ts';

export interface System {
  path: string;
  resource: Resource;
  power: Power;
  /** What is wrong, if anything. */
  health: string | undefined;
  reset: { target: string; allowed: ReadonlySet<string> };
}

/** Never assume an id: `System.Embedded.1`, `1` and `system` are all of them. */
export async function findSystem(bmc: Bmc, signal?: AbortSignal): Promise<string> {
  const root = await bmc.root(signal);
  const collection = await bmc.get(linkOf(root, 'Systems') ?? '/redfish/v1/Systems', signal);
  const paths = linksOf(collection.Members);
  const [only] = paths;
  if (only && paths.length === 1) return only;
  throw new ProviderError(
    'NotFound',
    only
      ? `the BMC ${bmc.name} has ${paths.length} systems: the Machine's id must name one of ${paths.slice(0, 8).join(', ')}`
      : `the BMC ${bmc.name} has no system`,
  );
}

export async function readSystem(
  bmc: Bmc,
  path: string,
  allowed: ReadonlySet<string> | undefined,
  signal?: AbortSignal,
): Promise<System> {
  const resource = await bmc.get(path, signal);
  const actions = isResource(resource.Actions) ? resource.Actions : {};
  const reset = isResource(actions['#ComputerSystem.Reset']) ? actions['#ComputerSystem.Reset'] : {};
  const target = textOf(reset, 'target') ?? `${path.replace(/\/$/, '')}/Actions/ComputerSystem.Reset`;
  return {
    path,
    resource,
    power: powerOf(resource.PowerState),
    health: healthOf(resource.Status),
    reset: { target, allowed: allowed ?? (await allowedOf(bmc, reset, signal)) },
  };
}

/** From the action itself, or from the ActionInfo that it refers to (DSP0266, "Allowable values"). */
async function allowedOf(bmc: Bmc, reset: Resource, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const own = strings(reset['ResetType@Redfish.AllowableValues']);
  if (own.length > 0) return new Set(own);
  const info = textOf(reset, '@Redfish.ActionInfo');
  if (!info) return new Set();
  const { Parameters } = await bmc.get(info, signal);
  const parameters = Array.isArray(Parameters) ? Parameters : [];
  const type = parameters.find((each) => isResource(each) && each.Name === 'ResetType');
  return new Set(strings(type && resourceOf(type, info).AllowableValues));
}

/** "PoweringOn" and "PoweringOff" are neither yet. */
function powerOf(state: unknown): Power {
  return state === 'On' || state === 'Off' ? state : 'Unknown';
}

/** The roll-up tells of parts whose own health is elsewhere. */
function healthOf(status: unknown): string | undefined {
  if (!isResource(status)) return undefined;
  const worst = [status.HealthRollup, status.HealthRollUp, status.Health].find(
    (health) => health === 'Critical' || health === 'Warning',
  );
  return typeof worst === 'string' ? `its BMC says ${worst}` : undefined;
}

function strings(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
}
