import { type Command, Option } from 'commander';
import {
  BOOT_MODES,
  BOOT_SOURCES,
  type BootOnce,
  type BootSource,
  type Power,
} from '../../platform/providers/provider.ts';
import { withClient } from '../connect.ts';
import { findMachine } from '../find-machine.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { withMachine } from '../reach.ts';

interface Options {
  once: BootSource;
  mode?: BootOnce['mode'];
  apply?: boolean;
}

export function register(program: Command, io: Io): void {
  program
    .command('boot')
    .description(
      'Set what a machine starts from at its next boot, once. Shows what it would set; --apply sets it. It reboots nothing: a machine that boots from the network may be installed anew by what it meets there.',
    )
    .argument('<machine>', 'machine/NAME, node/NAME or NAME')
    .addOption(
      new Option('--once <source>', `${sourcesText()}; none takes it back`)
        .argParser(parser('--once', BOOT_SOURCES))
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--mode <mode>', 'uefi or legacy; as the machine is set by default').argParser(
        parser('--mode', BOOT_MODES),
      ),
    )
    .option('--apply', 'set it')
    .addHelpText(
      'after',
      '\nExamples:\n  drover machine boot m00003 --once pxe\n  drover machine boot m00003 --once none --apply',
    )
    .action((word: string, { once, mode, apply }: Options, command: Command) =>
      withClient(command, io, async (client) => {
        const machine = await findMachine(client, word);
        const { name } = machine.metadata;
        const { locked } = machine.spec.desired;
        const what = once === 'None' ? 'as it is set' : `from ${once}${mode ? ` (${mode})` : ''}, once`;
        await withMachine(client, io, machine, async ({ provider }) => {
          const { id } = machine.spec.provider;
          if (!provider.bootOnce)
            throw new CliError(`error: the provider of machine/${name} cannot choose what it starts from`);
          const { power } = await provider.describe(id);
          if (locked) io.out(`machine/${name} is locked by ${locked.by}: ${locked.why}\n`);
          if (!apply) {
            io.out(
              `machine/${name} would start ${what}, at its next boot (power ${power}): --apply sets it.\n`,
            );
            return;
          }
          await provider.bootOnce(id, { source: once, ...(mode && { mode }) });
          io.out(`machine/${name} starts ${what}, at its next boot${whenText(power)}\n`);
        });
      }),
    );
}

/** People write `pxe`. */
function parser<T extends string>(option: string, values: readonly T[]): (word: string) => T {
  return (word) => {
    const value = values.find((each) => each.toLowerCase() === word.toLowerCase());
    if (value) return value;
    const known = values.map((each) => each.toLowerCase()).join(', ');
    throw new CliError(`error: ${option} "${word}": write one of ${known}`, EXIT.usage);
  };
}

function sourcesText(): string {
  return BOOT_SOURCES.map((source) => source.toLowerCase()).join(', ');
}

function whenText(power: Power): string {
  return power === 'Off' ? ', which is when it is powered on' : '';
}
