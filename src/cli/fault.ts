// An entry point of the simulation: it may know its kinds of fault.
import { type Command, Option } from 'commander';
import type { Machine } from '../api/machine.ts';
import { type MachineProvider, machineProviderKind } from '../api/machine-provider.ts';
import { SECOND } from '../platform/clock/clock.ts';
import type { KubeObject } from '../platform/kube/objects.ts';
import { FAULT_KINDS, type FaultKind } from '../simulation/fleet/faults.ts';
import { withClient } from './connect.ts';
import { durationOption } from './durations.ts';
import { findMachine } from './find-machine.ts';
import { CliError, type Io } from './io.ts';

const ANSWER_MS_MAX = 10 * SECOND;

interface FaultOptions {
  kind: FaultKind;
  for?: number;
  stubborn?: boolean;
}

export function register(program: Command, io: Io): void {
  const kinds = Object.entries(FAULT_KINDS).map(([kind, what]) => `  ${kind.padEnd(12)} ${what}`);
  program
    .command('fault')
    .description('Break a simulated machine. Machines of any other provider are refused.')
    .argument('<node>', 'node/NAME, machine/NAME or NAME')
    .addOption(
      new Option('--kind <kind>', 'what happens to it, see below')
        .choices(Object.keys(FAULT_KINDS))
        .makeOptionMandatory(),
    )
    .option(
      '--for <duration>',
      'how long a cable, rack-switch or zone stays dark, or a power supply dead (5m)',
      durationOption,
    )
    .option(
      '--stubborn',
      'a kubelet or runtime that only a boot brings back; a power supply that only a person can change',
    )
    .addHelpText('after', `\nKinds:\n${kinds.join('\n')}`)
    .action((node: string, options: FaultOptions, command: Command) =>
      withClient(command, io, async (client) => {
        const machine = await findMachine(client, node);
        const { name } = machine.spec.provider;
        const provider = await client.get<KubeObject & MachineProvider>(machineProviderKind.resource, name);
        io.out(`${await strikeOver(machine, provider, options)}\n`);
      }),
    );
}

async function strikeOver(
  machine: Machine,
  provider: MachineProvider | undefined,
  options: FaultOptions,
): Promise<string> {
  const { name } = machine.metadata;
  const endpoint = provider?.spec.simulated?.endpoint;
  if (!endpoint) {
    throw new CliError(
      `error: machine ${name} is not simulated (its MachineProvider is ${machine.spec.provider.name}): only simulated machines can be broken`,
    );
  }
  const body = {
    machine: machine.spec.provider.id,
    kind: options.kind,
    lasts_ms: options.for,
    stubborn: options.stubborn,
  };
  const url = `${endpoint.replace(/\/$/, '')}/v1/fault`;
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CliError(
      `error: the simulated fleet at ${endpoint} does not answer (${cause}): is 'drover fleet' running on this host?`,
    );
  }
  const said = (await response.json()) as { message?: string; struck?: unknown[] };
  if (!response.ok)
    throw new CliError(
      `error: ${said.message ?? `the simulated fleet answered with status ${response.status}`}`,
    );
  const others = (said.struck?.length ?? 1) > 1 ? `, ${said.struck?.length} machines` : '';
  return `machine/${name} struck (${options.kind}${others})`;
}
