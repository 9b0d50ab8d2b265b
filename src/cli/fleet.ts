// An entry point of the simulation: machines that are made up, for a cluster that is real.
import type { Command } from 'commander';
import { machineProviderKind } from '../api/machine-provider.ts';
import { idFrom } from '../platform/clock/clock.ts';
import { seededRandom } from '../platform/clock/random.ts';
import { KubeClient } from '../platform/kube/client.ts';
import { REAL_DURATIONS, SimulatedFleet } from '../simulation/fleet/fleet.ts';
import { Kubelets } from '../simulation/fleet/kubelets.ts';
import { deployApplications, describeFleet, PROVIDER, simulatedOwner } from '../simulation/fleet/objects.ts';
import { serveFleet } from '../simulation/fleet/server.ts';
import { isNoSuchKind, NOT_INSTALLED, withClient } from './connect.ts';
import { countOption, rangeOption } from './durations.ts';
import { CliError, type Io } from './io.ts';

const MACHINES_MAX = 100_000;

interface FleetCommandOptions {
  machines: number;
  zones: number;
  boot?: [number, number];
  dump?: [number, number];
  port: number;
  seed?: number;
  applications: number;
}

export function register(program: Command, io: Io): void {
  program
    .command('fleet')
    .description(
      'Run simulated machines and their kubelets against a cluster, until told to end. Objects stay when it ends.',
    )
    .option('--machines <count>', 'how many', countOption(1, MACHINES_MAX), 20)
    .option('--zones <count>', 'in how many zones', countOption(1, 100), 3)
    .option('--boot <range>', 'how long a boot takes: 150s-200s', rangeOption)
    .option('--dump <range>', 'how long a crash dump takes: 45s-150s', rangeOption)
    .option(
      '--port <port>',
      'where the fleet answers on loopback; 0 takes a free one',
      countOption(0, 65535),
      0,
    )
    .option('--seed <number>', 'draw durations and boot ids from this seed', countOption(0, 2 ** 32 - 1))
    .option(
      '--applications <count>',
      'also deploy so many applications with PodDisruptionBudgets',
      countOption(0, 1000),
      0,
    )
    .action((options: FleetCommandOptions, command: Command) =>
      withClient(command, io, (client) => run(client, options, io)),
    );
}

async function run(client: KubeClient, options: FleetCommandOptions, io: Io): Promise<void> {
  const stop = io.stopSignal();
  const { machines, zones, port, boot, dump, applications } = options;
  const durations = { boot_ms: boot ?? REAL_DURATIONS.boot_ms, dump_ms: dump ?? REAL_DURATIONS.dump_ms };
  const clock = options.seed === undefined ? io.clock : seeded(io, options.seed);
  const fleet = new SimulatedFleet({ clock, machines, zones, durations });
  const served = await serveFleet(fleet, { port });
  try {
    await describe(client, fleet, served.endpoint);
    const kubelets = new Kubelets(fleet, new KubeClient(client.transport, clock));
    await kubelets.registerAll();
    if (applications > 0) await deployApplications(client, applications, Math.ceil(machines / 3));
    io.out(`${machines} simulated machines answer at ${served.endpoint}\n`);
    await kubelets.run(stop);
  } finally {
    await served.close();
  }
  io.out('simulated machines ended; their objects stay\n');
}

async function describe(client: KubeClient, fleet: SimulatedFleet, endpoint: string): Promise<void> {
  try {
    await describeFleet(client, fleet, simulatedOwner(endpoint));
    // A provider that an earlier run left behind has that run's port.
    await client.mergePatch(
      machineProviderKind.resource,
      PROVIDER,
      { spec: { simulated: { endpoint } } },
      { fieldManager: 'simulation' },
    );
  } catch (error) {
    throw isNoSuchKind(error) ? new CliError(`error: ${NOT_INSTALLED}`) : error;
  }
}

function seeded({ clock }: Io, seed: number): Io['clock'] {
  const random = seededRandom(seed);
  return { ...clock, random, id: (length) => idFrom(random, length) };
}
