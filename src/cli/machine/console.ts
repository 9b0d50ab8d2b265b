import type { Command } from 'commander';
import { withClient } from '../connect.ts';
import { findMachine } from '../find-machine.ts';
import type { Io } from '../io.ts';
import { withMachine } from '../reach.ts';

export function register(program: Command, io: Io): void {
  program
    .command('console')
    .description('Print what the provider has kept of a machine’s console.')
    .argument('<machine>', 'machine/NAME, node/NAME or NAME')
    .addHelpText('after', '\nExample:\n  drover machine console m00042 | drover crash explain -')
    .action((word: string, _options: unknown, command: Command) =>
      withClient(command, io, async (client) => {
        const machine = await findMachine(client, word);
        const lines = await withMachine(client, io, machine, ({ provider }) =>
          provider.console(machine.spec.provider.id),
        );
        for (const line of lines) io.out(`${line}\n`);
      }),
    );
}
