import { type Command, InvalidArgumentError, Option } from 'commander';
import { countOption, durationOption, repeated } from './durations.ts';
import type { Io } from './io.ts';
import { register as registerHold } from './plan/hold-command.ts';
import type { PlanOutput } from './plan/print.ts';

/** What says what is planned for: the options of every command that makes a plan. */
export interface PlanInputOptions {
  filename: string[];
  pods?: string;
  types?: string;
  owned?: string;
  tier: 'Daily' | 'Promotion';
  price: 'hour' | 'month' | 'oneOff';
  at?: string;
  headroom: number;
  spares: number;
  loseZone?: boolean;
  shareAtMost?: number;
  typesAtMost?: number;
  zones: string[];
}

export interface PlanCommandOptions extends PlanInputOptions {
  gap: number;
  limits: number;
  /** Milliseconds. */
  timeLimit?: number;
  output?: PlanOutput;
}

export function register(program: Command, io: Io): void {
  const command = program.command('plan');
  registerVerify(command, io);
  registerHold(command, io);
  withInput(
    command.description(
      'Say which machines to buy, and how many, for given Pods: what it costs, how far that is from the best possible, what stands idle and why, and what a limit is worth.',
    ),
  )
    .option(
      '--gap <percent>',
      'end when the plan is proven to be no further from the best',
      percentOption(0, 50),
      0.1,
    )
    .option(
      '--limits <number>',
      'limits that bind and are confirmed by planning again',
      countOption(0, 50),
      3,
    )
    .option('--time-limit <duration>', 'end with the best plan so far: 30s, 5m', durationOption)
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
    .action(async (options: PlanCommandOptions) => (await import('./plan/plan.ts')).plan(options, io));
}

function registerVerify(plan: Command, io: Io): void {
  withInput(
    plan
      .command('verify')
      .description(
        'Place the Pods of a plan with a real kube-scheduler, on an empty control plane that has no machines: say which have no place, and with how many machines more all have one.',
      ),
  )
    .option('--gap <percent>', 'of the plan, from the best', percentOption(0, 50), 0.1)
    .option('--time-limit <duration>', 'for making the plan: 30s, 5m', durationOption)
    .option('--scheduler <name>', 'the profile of kube-scheduler that places them', 'default-scheduler')
    .addOption(
      new Option('--order <order>', 'the Pods hardest to place come first, or all workloads evenly mixed')
        .choices(['largest', 'mixed'])
        .default('largest'),
    )
    .option(
      '--margin-max <percent>',
      'more machines at most; 0 tries the plan as it is only',
      countOption(0, 1000),
      50,
    )
    .addOption(new Option('-o, --output <format>', 'a summary by default').choices(['json', 'yaml']))
    .addHelpText('after', VERIFY_HELP)
    // Options that plan has too come to plan, wherever they stand.
    .action(async (_: unknown, command: Command) =>
      (await import('./plan/verify.ts')).verifyPlan(command.optsWithGlobals(), command, io),
    );
}

const VERIFY_HELP = `
A cluster that has Nodes or Pods is refused. In a checkout, 'node scripts/control-plane.ts up' starts an empty control
plane whose scheduler has two profiles: default-scheduler, and drover-pack, which fills machines one after the other.

Examples:
  drover plan verify --pods pods.csv --types types.csv --kubeconfig throwaway.yaml
  drover plan verify -f plan.yaml --headroom 5 --scheduler drover-pack --kubeconfig throwaway.yaml`;

const HELP = `
Files are MachineClasses and WorkloadProfiles as YAML or JSON (-f), or tables: --pods has the columns name, replicas
and one for each resource; --types has name, price, one for each resource and, where there are only so many, max.
The same names stand for the same resource in both; an empty cell is 0. Amounts are Kubernetes quantities: 16, 500m,
60Gi. Prices are in whatever unit you like. Ctrl-C ends with the best plan so far.

Examples:
  drover plan --pods pods.csv --types types.csv
  drover plan -f classes.yaml -f profiles.yaml --headroom 10 --spares 2 -o markdown
  drover plan --pods pods.csv --types types.csv --owned fleet.csv --types-at-most 3 -o json`;

function withInput(command: Command): Command {
  return command
    .option('-f, --filename <file>', 'MachineClasses and WorkloadProfiles; may be repeated', repeated, [])
    .option('--pods <file>', 'a table of Pods, instead of WorkloadProfiles; - is standard input')
    .option('--types <file>', 'a table of machine types, instead of MachineClasses')
    .option(
      '--owned <file>',
      'a table of machines that are there, filled first: class, count and, if you like, zone',
    )
    .addOption(
      new Option('--tier <tier>', 'whose prices of a MachineClass count')
        .choices(['Daily', 'Promotion'])
        .default('Daily'),
    )
    .addOption(
      new Option('--price <price>', 'which of its prices')
        .choices(['hour', 'month', 'oneOff'])
        .default('hour'),
    )
    .option('--at <date>', 'replicas on this date of a series; without it, the most of the series')
    .option('--headroom <percent>', 'of everything, kept free', percentOption(0, 90), 0)
    .option(
      '--spares <number>',
      'machines that may fail together, with room for their Pods',
      countOption(0, 1000),
      0,
    )
    .option('--lose-zone', 'any one zone may fail, with room for its Pods')
    .option('--share-at-most <percent>', 'of all machines, for one class', percentOption(1, 100))
    .option('--types-at-most <number>', 'classes', countOption(1, 100))
    .option(
      '--zones <names>',
      'zones to spread over, by commas; without it, those of the classes’ stock',
      list,
      [],
    );
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
}

/** For options: `10`, `0.1` or `0.1%`. */
function percentOption(least: number, most: number): (value: string) => number {
  return (value) => {
    const percent = Number(value.replace(/%$/, ''));
    if (!/^[0-9]+(\.[0-9]+)?%?$/.test(value) || percent < least || percent > most)
      throw new InvalidArgumentError(`write percent from ${least} to ${most}`);
    return percent;
  };
}
