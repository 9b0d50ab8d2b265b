import type { Machine } from '../api/machine.ts';
import { type MachineProvider, machineProviderKind, providerType } from '../api/machine-provider.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { standsSo, withCondition } from '../platform/kube/conditions.ts';
import { messageOf } from '../platform/kube/errors.ts';
import type { Condition } from '../platform/kube/objects.ts';
import type { Outsides } from '../platform/providers/registry.ts';
import type { Caches } from './caches.ts';
import { patchStatus } from './write-status.ts';

const FIELD_MANAGER = 'drover-providers';

/** Asks each provider about one of its machines, and shows on it whether it answers. One pass. */
export async function showProviders(
  client: KubeClient,
  caches: Caches,
  outsides: Outsides,
  now: number,
): Promise<void> {
  const owned = new Map<string, { count: number; first: Machine }>();
  for (const machine of caches.machines.values()) {
    const { name } = machine.spec.provider;
    const known = owned.get(name);
    if (known) known.count++;
    else owned.set(name, { count: 1, first: machine });
  }
  await Promise.all(
    [...caches.providers.values()].map(async (provider) => {
      const mine = owned.get(provider.metadata.name);
      const reachable = await reach(outsides, provider, mine?.first);
      await show(client, caches, provider, reachable, mine?.count ?? 0, now);
    }),
  );
}

async function reach(
  outsides: Outsides,
  provider: MachineProvider,
  machine: Machine | undefined,
): Promise<Omit<Condition, 'lastTransitionTime'>> {
  try {
    const outside = outsides.get(provider);
    if (!machine)
      return {
        type: 'Reachable',
        status: 'Unknown',
        reason: 'NoMachines',
        message: 'no Machine names it yet',
      };
    await outside.provider.describe(machine.spec.provider.id);
    return { type: 'Reachable', status: 'True', reason: 'Answers', message: 'the provider answers' };
  } catch (error) {
    return {
      type: 'Reachable',
      status: 'False',
      reason: 'NoAnswer',
      message: messageOf(error).slice(0, 1000),
    };
  }
}

async function show(
  client: KubeClient,
  caches: Caches,
  provider: MachineProvider,
  reachable: Omit<Condition, 'lastTransitionTime'>,
  machines: number,
  now: number,
): Promise<void> {
  const { metadata, status: old = {} } = provider;
  const type = providerType(provider);
  if (standsSo(old.conditions, reachable) && old.machines === machines && old.type === type) return;
  const status = {
    observedGeneration: metadata.generation ?? 0,
    conditions: withCondition(old.conditions, reachable, now),
    machines,
    type,
  };
  const written = await patchStatus(client, machineProviderKind.resource, provider, status, FIELD_MANAGER);
  if (written) caches.providers.observe(written);
}
