// How a command reaches the machines of a provider: as the controllers do, with the Secrets of the home cluster.
import { HOME_CLUSTER } from '../api/cluster.ts';
import type { Machine } from '../api/machine.ts';
import { type MachineProvider, machineProviderKind } from '../api/machine-provider.ts';
import { parseAs } from '../api/parse.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import type { KubeObject } from '../platform/kube/objects.ts';
import { secretReader } from '../platform/kube/secrets.ts';
import type { Outside } from '../platform/outside.ts';
import { ProviderError } from '../platform/providers/provider.ts';
import { Outsides } from '../platform/providers/registry.ts';
import { isNoSuchKind, NOT_INSTALLED } from './connect.ts';
import { CliError, type Io } from './io.ts';

/** The MachineProvider of this name. Throws what is wrong with it. */
export async function findProvider(client: KubeClient, name: string): Promise<MachineProvider> {
  const { resource } = machineProviderKind;
  const object = await client.get<KubeObject>(resource, name);
  if (!object) {
    const isMissing = await client
      .list(resource, { fieldSelector: `metadata.name=${name}` })
      .catch(isNoSuchKind);
    if (isMissing === true) throw new CliError(`error: ${NOT_INSTALLED}`);
    throw new CliError(
      `Error from server (NotFound): ${resource.plural}.${resource.group} "${name}" not found`,
    );
  }
  const parsed = parseAs(machineProviderKind, object);
  if (!parsed.ok) throw new CliError(`error: MachineProvider ${name} is not valid: ${parsed.message}`);
  return parsed.value;
}

/** Calls `work` with the ways to that provider's machines, and gives sessions back after. */
export async function withOutside<T>(
  client: KubeClient,
  io: Io,
  provider: MachineProvider,
  work: (outside: Outside) => Promise<T>,
): Promise<T> {
  const outsides = new Outsides({
    clock: io.clock,
    secrets: secretReader(client, io.clock),
    client: (cluster) => (cluster === HOME_CLUSTER ? client : undefined),
  });
  try {
    return await work(outsides.get(provider));
  } catch (error) {
    if (error instanceof ProviderError) throw new CliError(`error: ${error.message} (${error.reason})`);
    throw error;
  } finally {
    await outsides.close();
  }
}

/** The same for the provider of one machine. */
export async function withMachine<T>(
  client: KubeClient,
  io: Io,
  machine: Machine,
  work: (outside: Outside) => Promise<T>,
): Promise<T> {
  return withOutside(client, io, await findProvider(client, machine.spec.provider.name), work);
}
