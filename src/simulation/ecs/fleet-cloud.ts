// The simulated fleet as instances of one ECS account: power by the API of the stand-in, hosts and ports by the fleet.
import type { Clock } from '../../platform/clock/clock.ts';
import type { Outside } from '../../platform/outside.ts';
import type { SimulatedFleet } from '../fleet/fleet.ts';
import type { Owner } from '../fleet/objects.ts';
import { fleetMachine } from './fleet-machine.ts';
import { type EcsService, serveEcs } from './server.ts';

const REGION = 'cn-beijing';
const SECRET = { namespace: 'default', name: 'ecs-demo' };
/** The owner of all of them, and its key. */
const ACCOUNT = { accessKeyId: 'demo', accessKeySecret: 'demo-secret' };

export interface FleetCloud extends AsyncDisposable {
  ecs: EcsService;
  owner: Owner;
  /** The ways to a machine beside its power. */
  around(): Pick<Outside, 'hosts' | 'prober'>;
}

export async function fleetCloud(fleet: SimulatedFleet, clock: Clock): Promise<FleetCloud> {
  const machines = [...fleet.machines.values()];
  const types = [...new Set(machines.map(({ model }) => `ecs.${model}`))];
  const ecs = await serveEcs({
    clock,
    region: REGION,
    zones: [...new Set(machines.map(({ place }) => place.zone))],
    types: types.map((name) => ({
      name,
      vcpus: 96,
      memory_gib: 512,
      enis: 32,
      disks: 17,
      pps: 24_000_000,
      bandwidth_kbps: 64_000_000,
    })),
    accounts: [ACCOUNT],
    machineFor: ({ name }) => fleetMachine(fleet.get(name)),
  });
  const idOf = new Map<string, string>();
  const nameOf = new Map<string, string>();
  for (const { name, model, place } of machines) {
    const facts = { owner: 'main', tags: new Map(), token: undefined, deletionProtection: false };
    const { id } = ecs.cloud.adopt({ ...facts, name, type: `ecs.${model}`, zone: place.zone });
    idOf.set(name, id);
    nameOf.set(id, name);
  }
  const named = (id: string) => nameOf.get(id) ?? id;
  return {
    ecs,
    owner: {
      name: 'ecs-demo',
      spec: {
        ecs: { regionId: REGION, endpoint: `http://${ecs.endpoint}`, credentials: { secretRef: SECRET } },
      },
      secret: { ...SECRET, values: ACCOUNT },
      idOf: ({ name }) => idOf.get(name) ?? name,
    },
    around: () => ({
      hosts: {
        run: (host, name, params, signal) =>
          fleet.hosts.run({ ...host, id: named(host.id) }, name, params, signal),
      },
      prober: {
        probe: (targets, signal) =>
          fleet.prober.probe(
            targets.map((target) => ({ ...target, id: named(target.id) })),
            signal,
          ),
      },
    }),
    [Symbol.asyncDispose]: () => ecs.close(),
  };
}
