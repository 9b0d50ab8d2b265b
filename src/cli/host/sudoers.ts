import type { Command } from 'commander';
import { actionsOf } from '../../platform/hosts/actions/table.ts';
import { sudoersOf } from '../../platform/hosts/ssh/sudoers.ts';
import { withClient } from '../connect.ts';
import { repeated } from '../durations.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { findProvider } from '../reach.ts';

interface Options {
  provider?: string;
  user: string;
  unit: string[];
  only: string[];
}

export function register(program: Command, io: Io): void {
  program
    .command('sudoers')
    .description('Print the sudoers file with what Drover may do as root on a host, and nothing else.')
    .option('--provider <name>', 'user and units as this MachineProvider says')
    .option('--user <name>', 'the user that Drover logs in as', 'drover')
    .option('--unit <name>', 'a unit of your own that may be restarted; may be repeated', repeated, [])
    .option('--only <action>', 'only this action; may be repeated', repeated, [])
    .addHelpText(
      'after',
      '\nExample:\n  drover host sudoers --provider room-a2 > drover.sudoers && visudo -cf drover.sudoers',
    )
    .action(async (options: Options, command: Command) => {
      const { user, units } = options.provider
        ? await settingsOf(options.provider, command, io)
        : ofOptions(options);
      io.out(sudoersText(units, user, options.only));
    });
}

const ofOptions = ({ user, unit }: Options) => ({ user, units: unit });

function settingsOf(
  name: string,
  command: Command,
  io: Io,
): Promise<{ user: string; units: readonly string[] }> {
  return withClient(command, io, async (client) => {
    const { hosts } = (await findProvider(client, name)).spec;
    if (!hosts?.ssh) throw new CliError(`error: MachineProvider ${name} has no spec.hosts.ssh`);
    return { user: hosts.ssh.user, units: hosts.units };
  });
}

function sudoersText(units: readonly string[], user: string, only: readonly string[]): string {
  try {
    const all = Object.entries(actionsOf({ units }));
    const unknown = only.filter((name) => !all.some(([action]) => action === name));
    if (unknown.length > 0)
      throw new Error(
        `there is no action ${unknown.join(', ')}; there are ${all.map(([name]) => name).join(', ')}`,
      );
    return sudoersOf(
      Object.fromEntries(all.filter(([name]) => only.length === 0 || only.includes(name))),
      user,
    );
  } catch (error) {
    throw new CliError(`error: ${error instanceof Error ? error.message : String(error)}`, EXIT.usage);
  }
}
