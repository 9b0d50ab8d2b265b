// What a system starts from at its next boot: the boot override of ComputerSystem (DSP2046).
import type { Clock } from '../../clock/clock.ts';
import { type BootOnce, ProviderError } from '../provider.ts';
import type { Bmc } from './bmc.ts';
import { isResource, type Resource, textOf } from './resource.ts';
import type { System } from './system.ts';
import { taskEnd } from './task.ts';
import type { Answer } from './wire.ts';

/** The properties to set. Throws Refused on what the system does not offer. */
export function bootChange(resource: Resource, { source, mode }: BootOnce): Record<string, string> {
  if (!isResource(resource.Boot))
    throw new ProviderError('Refused', 'its BMC has no boot override', { reason: 'NotImplemented' });
  const enabled = source === 'None' ? 'Disabled' : 'Once';
  const change = {
    BootSourceOverrideEnabled: enabled,
    BootSourceOverrideTarget: source,
    ...(mode && { BootSourceOverrideMode: mode }),
  };
  for (const [name, value] of Object.entries(change)) {
    const allowed = resource.Boot[`${name}@Redfish.AllowableValues`];
    if (!Array.isArray(allowed) || allowed.includes(value)) continue;
    throw new ProviderError(
      'Refused',
      `its BMC takes no ${value} as ${name}: it takes ${allowed.join(', ') || 'nothing'}`,
    );
  }
  return change;
}

/** Sets it and sees that it is so. Twice is once. */
export async function setBoot(
  bmc: Bmc,
  system: System,
  once: BootOnce,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  const { path } = system;
  const change = bootChange(system.resource, once);
  await taskEnd(bmc, await patchBoot(bmc, path, change, signal), clock, signal);
  const { Boot } = await bmc.get(path, signal);
  const shown = isResource(Boot) ? textOf(Boot, 'BootSourceOverrideEnabled') : undefined;
  const target = isResource(Boot) ? textOf(Boot, 'BootSourceOverrideTarget') : undefined;
  if (shown === change.BootSourceOverrideEnabled && (once.source === 'None' || target === once.source))
    return;
  throw new ProviderError(
    'Broken',
    `the BMC ${bmc.name} accepted ${once.source}, and shows ${shown ?? 'nothing'} ${target ?? ''}`,
  );
}

/**
 * With the tag of what was read, so that two who change it do not undo each other. Vendors write their own tags in ways
 * that they themselves do not take back: as it came, without W/, without quotes, and at last without any.
 */
async function patchBoot(bmc: Bmc, path: string, Boot: unknown, signal?: AbortSignal): Promise<Answer> {
  const { tag } = await bmc.tagged(path, signal);
  const forms = tag ? [tag, tag.replace(/^W\//, ''), tag.replace(/^W\/|"/g, ''), undefined] : [undefined];
  const tries = [...new Set(forms)];
  for (const [at, form] of tries.entries()) {
    try {
      return await bmc.patch(path, { Boot }, form, signal);
    } catch (error) {
      const isTag = error instanceof ProviderError && error.reason === 'PreconditionFailed';
      // Another tag now: somebody has changed it meanwhile, and it is theirs.
      if (!isTag || at === tries.length - 1 || (await bmc.tagged(path, signal)).tag !== tag) throw error;
    }
  }
  throw new ProviderError('Broken', `the BMC ${bmc.name} takes no tag of its own`);
}
