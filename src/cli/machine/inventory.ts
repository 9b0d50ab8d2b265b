import { type Command, Option } from 'commander';
import type { Inventory } from '../../platform/providers/provider.ts';
import { withClient } from '../connect.ts';
import { findMachine } from '../find-machine.ts';
import { CliError, type Io } from '../io.ts';
import { serialize } from '../output.ts';
import { withMachine } from '../reach.ts';

interface Options {
  output?: 'json' | 'yaml';
}

export function register(program: Command, io: Io): void {
  program
    .command('inventory')
    .description(
      'Print what the provider knows of a machine’s hardware: model, serial, firmware, sensors, why it came up last.',
    )
    .argument('<machine>', 'machine/NAME, node/NAME or NAME')
    .addOption(new Option('-o, --output <format>', 'as it is').choices(['json', 'yaml']))
    .action((word: string, options: Options, command: Command) =>
      withClient(command, io, async (client) => {
        const machine = await findMachine(client, word);
        const { name } = machine.metadata;
        const inventory = await withMachine(client, io, machine, ({ provider }) => {
          if (provider.inventory) return provider.inventory(machine.spec.provider.id);
          throw new CliError(`error: the provider of machine/${name} keeps no inventory of its hardware`);
        });
        if (options.output) return io.out(await serialize(inventory, options.output));
        io.out(`${inventoryText(name, inventory).join('\n')}\n`);
      }),
    );
}

function inventoryText(
  name: string,
  { model, serial, firmware, sensors, restartCause, unread = [] }: Inventory,
): string[] {
  const width = Math.max(0, ...[...firmware, ...sensors].map((part) => part.name.length));
  const value = ({ reading, unit, health }: Inventory['sensors'][number]) =>
    [
      reading === undefined ? 'no reading' : `${reading} ${unit}`.trim(),
      health && health !== 'OK' ? health : '',
    ]
      .filter(Boolean)
      .join(', ');
  return [
    `machine/${name}  ${[model, serial && `serial ${serial}`].filter(Boolean).join(', ') || 'says nothing of itself'}`,
    ...firmware.map((part) => `firmware  ${part.name.padEnd(width)}  ${part.version}`),
    ...sensors.map((part) => `sensor    ${part.name.padEnd(width)}  ${value(part)}`),
    ...(restartCause ? [`came up   by ${restartCause}`] : []),
    ...unread.map((line) => `not read  ${line}`),
  ];
}
