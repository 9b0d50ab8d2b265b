import { typeMetaOf } from '../../api/crd.ts';
import { machineKind } from '../../api/machine.ts';
import { machineProviderKind } from '../../api/machine-provider.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import { KubeError } from '../../platform/kube/errors.ts';
import { type KubeObject, PDBS, REPLICASETS, type Resource, SECRETS } from '../../platform/kube/objects.ts';
import { sideBySide } from '../../platform/side-by-side.ts';
import type { SimulatedFleet } from './fleet.ts';
import type { SimulatedMachine } from './machine.ts';

const MANAGER = 'simulation';
export const PROVIDER = 'simulated';
const CONCURRENCY = 32;

/** Whose machines they are said to be: their MachineProvider, and what it calls each. */
export interface Owner {
  name: string;
  spec: object;
  /** With what the provider logs in. */
  secret?: { namespace: string; name: string; values: Readonly<Record<string, string>> };
  idOf(machine: SimulatedMachine): string;
}

/** The fleet's own face over HTTP. */
export const simulatedOwner = (endpoint: string): Owner => ({
  name: PROVIDER,
  spec: { simulated: { endpoint }, limits: { callsPerSecond: 200, concurrentCalls: 64 } },
  idOf: ({ name }) => name,
});

/** The MachineProvider and the Machines of a simulated fleet, as its owner would write them. */
export async function describeFleet(client: KubeClient, fleet: SimulatedFleet, owner: Owner): Promise<void> {
  const { name, spec, secret } = owner;
  if (secret) await ensure(client, SECRETS, secretObject(secret));
  await ensure(client, machineProviderKind.resource, {
    ...typeMetaOf(machineProviderKind),
    metadata: { name },
    spec,
  } as KubeObject);
  await sideBySide(fleet.machines.values(), CONCURRENCY, (machine) =>
    ensure(client, machineKind.resource, machineObject(machine, owner)),
  );
}

function secretObject({ namespace, name, values }: NonNullable<Owner['secret']>): KubeObject {
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name },
    data: Object.fromEntries(data),
  } as KubeObject;
}

function machineObject(machine: SimulatedMachine, owner: Owner): KubeObject {
  const { name, place, model } = machine;
  const object = {
    ...typeMetaOf(machineKind),
    metadata: {
      name,
      labels: { 'drover.dev/zone': place.zone, 'drover.dev/rack': place.rack, 'drover.dev/model': model },
    },
    spec: {
      provider: { name: owner.name, id: owner.idOf(machine) },
      location: { zone: place.zone, rack: place.rack },
      model,
    },
  };
  return object;
}

/** Applications with PodDisruptionBudgets that let one Pod in ten go. */
export async function deployApplications(client: KubeClient, count: number, replicas: number): Promise<void> {
  for (let index = 1; index <= count; index++) {
    const name = `app-${index}`;
    const labels = { app: name };
    const spec = {
      containers: [{ name: 'main', image: 'registry.local/app:1' }],
      terminationGracePeriodSeconds: 5,
    };
    await ensure(client, REPLICASETS, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name, namespace: 'default' },
      spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    } as KubeObject);
    await ensure(client, PDBS, {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace: 'default' },
      spec: { maxUnavailable: '10%', selector: { matchLabels: labels } },
    } as KubeObject);
  }
}

async function ensure(client: KubeClient, resource: Resource, object: KubeObject): Promise<void> {
  try {
    await client.create(resource, object, MANAGER);
  } catch (error) {
    if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
  }
}
