import type { Command } from 'commander';
import { install } from '../fleet/install.ts';
import { withClient } from './connect.ts';
import type { Io } from './io.ts';

export function register(program: Command, io: Io): void {
  program
    .command('install')
    .description(
      'Put Drover’s resource definitions, its namespace and first limits on a cluster. Doing it again changes nothing.',
    )
    .option('--no-defaults', 'without a HealingPolicy and a DisruptionBudget named default')
    .option(
      '--observe',
      'the first HealingPolicy only watches: Drover finds and explains, but repairs nothing',
    )
    .action((options: { defaults: boolean; observe?: boolean }, command: Command) =>
      withClient(command, io, async (client) => {
        const { defaults, observe = false } = options;
        for (const { what, how } of await install(client, { defaults, observe })) io.out(`${what} ${how}\n`);
      }),
    );
}
