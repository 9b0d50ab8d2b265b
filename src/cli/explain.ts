import type { Command } from 'commander';
import { withClient } from './connect.ts';
import { explain } from './explain/explain.ts';
import { readFacts } from './explain/facts.ts';
import { findMachine } from './find-machine.ts';
import { CliError, EXIT, type Io, wantsColour } from './io.ts';
import { serialize } from './output.ts';
import { printTree } from './tree.ts';

export function register(program: Command, io: Io): void {
  program
    .command('explain')
    .description(
      'Say what is wrong with a machine, on what evidence, what has been done about it, and what is waited for.',
    )
    .argument('<node>', 'node/NAME, machine/NAME or NAME')
    .option('-o, --output <format>', 'json or yaml: the same as data')
    .action((word: string, { output }: { output?: string }, command: Command) => {
      if (output !== undefined && output !== 'json' && output !== 'yaml') {
        throw new CliError(`error: unknown output format "${output}"; one of: json, yaml`, EXIT.usage);
      }
      return withClient(command, io, async (client, now) => {
        const facts = await readFacts(client, await findMachine(client, word));
        const tree = explain(facts, now());
        if (output) return io.out(await serialize(tree, output));
        io.out(
          printTree(tree, { colour: wantsColour(io), ...(io.terminal && { columns: io.terminal.columns }) }),
        );
      });
    });
}
