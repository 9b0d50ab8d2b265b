import { type Command, Option } from 'commander';
import type { LogEntry, MaintenanceEvent } from '../../platform/providers/provider.ts';
import { withClient } from '../connect.ts';
import { csv } from '../crash/csv.ts';
import { countOption } from '../durations.ts';
import { findMachine } from '../find-machine.ts';
import type { Io } from '../io.ts';
import { serialize } from '../output.ts';
import { withMachine } from '../reach.ts';

interface Options {
  output?: 'json' | 'yaml' | 'csv';
  limit: number;
}

export function register(program: Command, io: Io): void {
  program
    .command('events')
    .description(
      'Print the hardware event log of a machine, and maintenance that its provider has announced.',
    )
    .argument('<machine>', 'machine/NAME, node/NAME or NAME')
    .option('--limit <n>', 'the newest so many', countOption(1, 100_000), 50)
    .addOption(new Option('-o, --output <format>', 'how to print them').choices(['json', 'yaml', 'csv']))
    .action((word: string, options: Options, command: Command) =>
      withClient(command, io, async (client) => {
        const machine = await findMachine(client, word);
        const { id } = machine.spec.provider;
        const { announced, log } = await withMachine(client, io, machine, async ({ provider }) => {
          const open = (await provider.maintenance?.open()) ?? [];
          const { can } = await provider.describe(id);
          const log = can.EventLog === true ? await provider.eventLog(id) : [];
          return { announced: open.filter((event) => event.machine === id), log: log.slice(-options.limit) };
        });
        await print(announced, log, options, io);
      }),
    );
}

async function print(
  maintenance: readonly MaintenanceEvent[],
  log: readonly LogEntry[],
  { output }: Options,
  io: Io,
): Promise<void> {
  if (output === 'csv') return io.out(csv(log.map((entry) => ({ ...entry, at: entry.at ?? '' }))));
  if (output) return io.out(await serialize({ maintenance, log }, output));
  for (const { id, type, state, notBefore, reason } of maintenance)
    io.out(`maintenance ${id}: ${type} ${state}${notBefore ? `, not before ${notBefore}` : ''}: ${reason}\n`);
  if (log.length === 0) return io.out('No events.\n');
  const width = Math.max(...log.map(({ sensor }) => sensor.length));
  for (const { at, severity, sensor, message } of log)
    io.out(
      `${(at ?? 'no clock').slice(0, 19).padEnd(19)}  ${severity.padEnd(8)}  ${sensor.padEnd(width)}  ${message}\n`,
    );
}
