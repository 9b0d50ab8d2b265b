import { typeMetaOf } from '../../api/crd.ts';
import { machineKind } from '../../api/machine.ts';
import { machineProviderKind } from '../../api/machine-provider.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import { KubeError } from '../../platform/kube/errors.ts';
import { type KubeObject, PDBS, REPLICASETS, type Resource } from '../../platform/kube/objects.ts';
import { sideBySide } from '../../platform/side-by-side.ts';
import type { SimulatedFleet } from './fleet.ts';
import type { SimulatedMachine } from './machine.ts';

const MANAGER = 'simulation';
export const PROVIDER = 'simulated';
const CONCURRENCY = 32;

/** The MachineProvider and the Machines of a simulated fleet, as its owner would write them. */
export async function describeFleet(
  client: KubeClient,
  fleet: SimulatedFleet,
  endpoint: string,
): Promise<void> {
  const provider = {
    ...typeMetaOf(machineProviderKind),
    metadata: { name: PROVIDER },
    spec: { simulated: { endpoint }, limits: { callsPerSecond: 200, concurrentCalls: 64 } },
  };
  await ensure(client, machineProviderKind.resource, provider);
  await sideBySide(fleet.machines.values(), CONCURRENCY, (machine) =>
    ensure(client, machineKind.resource, machineObject(machine)),
  );
}

function machineObject({ name, place, model }: SimulatedMachine): KubeObject {
  const object = {
    ...typeMetaOf(machineKind),
    metadata: {
      name,
      labels: { 'drover.dev/zone': place.zone, 'drover.dev/rack': place.rack, 'drover.dev/model': model },
    },
    spec: { provider: { name: PROVIDER, id: name }, location: { zone: place.zone, rack: place.rack }, model },
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
