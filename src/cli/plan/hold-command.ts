import { type Command, Option } from 'commander';
import { DAY, HOUR } from '../../platform/clock/clock.ts';
import { durationOption } from '../durations.ts';
import { CliError, EXIT, type Io } from '../io.ts';

export interface HoldCommandOptions {
  filename: string[];
  owned?: string;
  from?: string;
  to?: string;
  /** Milliseconds. */
  shortestRental: number;
  leadTime: number;
  timeLimit?: number;
  headroom: number;
  loseZone?: boolean;
  zones: string[];
  /** Percent. */
  gap: number;
  output?: 'json' | 'yaml' | 'csv' | 'markdown';
}

/** Options of drover plan that say nothing here. */
const NOT_HERE = [
  'pods',
  'types',
  'tier',
  'price',
  'at',
  'spares',
  'shareAtMost',
  'typesAtMost',
  'limits',
] as const;

export function register(plan: Command, io: Io): void {
  plan
    .command('hold')
    .description(
      'Say which machines to hold all the time and which to rent from when to when, for Pods whose number changes by date: what it costs, how far that is from the best possible, and what the event costs by itself.',
    )
    .option('--from <date>', 'first day; without it, the first date of the series')
    .option('--to <date>', 'the day after the last; without it, the last date of the series')
    .option('--shortest-rental <duration>', 'a machine is rented for at least: 36h, 7d', durationOption, DAY)
    .option('--lead-time <duration>', 'from the order to the delivery: 1h, 14d', durationOption, HOUR)
    .addOption(
      new Option('-o, --output <format>', 'a summary by default').choices([
        'json',
        'yaml',
        'csv',
        'markdown',
      ]),
    )
    .addHelpText('after', HELP)
    // Options that plan has too come to plan, wherever they stand.
    .action(async (_: unknown, command: Command) => {
      refuseOthers(plan);
      await (await import('./hold.ts')).hold(command.optsWithGlobals(), io);
    });
}

const HELP = `
Of drover plan it takes -f, --owned, --headroom, --lose-zone, --zones, --gap and --time-limit. What is held costs the
prices of the tier Daily, what is rented those of the tier Promotion: by the hour or by the month, whichever is less.
Days begin at midnight UTC. The event is what is over the usual: what there is for half the time.

Examples:
  drover plan hold -f classes.yaml -f profiles.yaml
  drover plan hold -f plan.yaml --from 2026-01-01 --to 2027-01-01 --shortest-rental 7d --lead-time 14d -o markdown`;

function refuseOthers(plan: Command): void {
  const option = plan.options.find(
    (each) =>
      NOT_HERE.some((name) => name === each.attributeName()) &&
      plan.getOptionValueSource(each.attributeName()) === 'cli',
  );
  if (option)
    throw new CliError(
      `error: ${option.long} says nothing for drover plan hold; it takes MachineClasses and WorkloadProfiles (-f), and the prices of both tiers`,
      EXIT.usage,
    );
  const output: unknown = plan.opts().output;
  if (output !== undefined && !['json', 'yaml', 'csv', 'markdown'].includes(String(output)))
    throw new CliError(
      `error: -o ${output} is for drover plan; what is held and rented is printed as json, yaml, csv or markdown`,
      EXIT.usage,
    );
}
