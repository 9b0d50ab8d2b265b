import { type Command, Option } from 'commander';
import { ABILITIES, type Reading } from '../../platform/providers/provider.ts';
import { withClient } from '../connect.ts';
import { findMachine } from '../find-machine.ts';
import type { Io } from '../io.ts';
import { serialize } from '../output.ts';
import { withMachine } from '../reach.ts';

interface Options {
  output?: 'json' | 'yaml';
}

export function register(program: Command, io: Io): void {
  program
    .command('power')
    .description(
      'Say what the provider says of a machine: power, health, and what it can do. It changes nothing: power is changed by operations, which pass the limits.',
    )
    .argument('<machine>', 'machine/NAME, node/NAME or NAME')
    .addOption(new Option('-o, --output <format>', 'the reading as it is').choices(['json', 'yaml']))
    .action((word: string, options: Options, command: Command) =>
      withClient(command, io, async (client) => {
        const machine = await findMachine(client, word);
        const reading = await withMachine(client, io, machine, ({ provider }) =>
          provider.describe(machine.spec.provider.id),
        );
        if (options.output) return io.out(await serialize(reading, options.output));
        io.out(`${powerText(machine.metadata.name, reading).join('\n')}\n`);
      }),
    );
}

function powerText(name: string, { power, health, maintenance, announced, can }: Reading): string[] {
  const able = ABILITIES.filter((ability) => can[ability] === true);
  const unable = ABILITIES.filter((ability) => can[ability] !== true);
  return [
    `machine/${name}  power ${power}`,
    ...(health ? [`health       ${health}`] : []),
    ...(maintenance ? [`maintenance  ${maintenance}`] : []),
    ...(announced ? [`announced    ${announced}`] : []),
    `can          ${able.join(', ') || 'nothing'}`,
    ...unable.map((ability) => `cannot       ${ability}: ${can[ability]}`),
  ];
}
