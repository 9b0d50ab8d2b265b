import { type Command, Option } from 'commander';
import { countOption, repeated } from '../durations.ts';
import type { Io } from '../io.ts';
import { type PlanInputOptions, withEffort, withInput } from './options.ts';
import type { PlanOutput } from './print.ts';

export interface PlanCommandOptions extends PlanInputOptions {
  gap?: number;
  limits?: number;
  try: string[];
  /** Milliseconds. */
  timeLimit?: number;
  output?: PlanOutput;
}

export function register(group: Command, io: Io): void {
  withEffort(
    withInput(
      group
        .command('make', { isDefault: true })
        .description(
          'Say which machines to buy, and how many, for given Pods: what it costs, how far that is from the best possible, what stands idle and why, and what a limit is worth.',
        ),
    ),
  )
    .option(
      '--limits <number>',
      'limits that bind and are confirmed by planning again (default: 3, none where the input is large)',
      countOption(0, 50),
    )
    .option(
      '--try <change>',
      'say what the plan would cost with a change, by itself: ebmc6.network-interfaces=64, trade.cpu=12, trade.replicas=500, ebmc6.max=10, "without ebmc6"; may be repeated',
      repeated,
      [],
    )
    .addOption(
      new Option('-o, --output <format>', 'a summary by default').choices([
        'wide',
        'json',
        'yaml',
        'csv',
        'markdown',
        'svg',
      ]),
    )
    .addHelpText('after', HELP)
    .action(async (options: PlanCommandOptions, command: Command) =>
      (await import('./plan.ts')).plan(options, command, io),
    );
}

const HELP = `
Files are MachineClasses and WorkloadProfiles as YAML or JSON (-f), or tables: --pods has the columns name, replicas
and one for each resource; --types has name, price, one for each resource and, where there are only so many, max.
Numbers of Pods that change have a column for each date, such as 2026-11-10. The same names stand for the same resource
in both; an empty cell is 0. Amounts are Kubernetes quantities: 16, 500m, 60Gi. Prices are in whatever unit you like.
Ctrl-C ends with the best plan so far.

Examples:
  drover plan --pods pods.csv --types types.csv
  drover plan -f classes.yaml -f profiles.yaml --headroom 10 --spares 2 -o markdown
  drover plan --pods pods.csv --types types.csv --owned fleet.csv --types-at-most 3 -o json`;
