// Options that several commands of drover plan share.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { countOption, durationOption, repeated } from '../durations.ts';

/** Options of every command that plans. */
export interface FleetOptions {
  filename: string[];
  pods?: string;
  types?: string;
  owned?: string;
  headroom: number;
  spares: number;
  loseZone?: boolean;
  zones: string[];
}

/** Options of every command that plans for one day. */
export interface PlanInputOptions extends FleetOptions {
  ownedNodes?: boolean;
  tier: 'Daily' | 'Promotion';
  price: 'hour' | 'month' | 'oneOff';
  at?: string;
  shareAtMost?: number;
  typesAtMost?: number;
}

/** Files that are read. */
function withFiles(command: Command): Command {
  return command
    .option('-f, --filename <file>', 'MachineClasses and WorkloadProfiles; may be repeated', repeated, [])
    .option('--pods <file>', 'a table of Pods, instead of WorkloadProfiles; - is standard input')
    .option('--types <file>', 'a table of machine types, instead of MachineClasses')
    .option(
      '--owned <file>',
      'a table of machines that are there, filled first: class, count and, if you like, zone',
    );
}

/** What is to stay free, and where. */
function withRoom(command: Command): Command {
  return command
    .option('--headroom <percent>', 'of everything, kept free', percentOption(0, 90), 0)
    .option(
      '--spares <number>',
      'machines that may fail together, with room for their Pods',
      countOption(0, 1000),
      0,
    )
    .option('--lose-zone', 'any one zone may fail, with room for its Pods')
    .option(
      '--zones <names>',
      'zones to spread over, by commas; without it, those of the classes’ stock',
      list,
      [],
    );
}

/** What says what is planned for, of one day and of many. */
export function withFleet(command: Command): Command {
  return withRoom(withFiles(command));
}

/** All that says what is planned for. */
export function withInput(command: Command): Command {
  return withFleet(command)
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
    .option(
      '--owned-nodes',
      'machines of the cluster (--kubeconfig), filled first with what their Pods leave free',
    )
    .option('--at <date>', 'replicas on this date of a series; without it, the most of the series')
    .option('--share-at-most <percent>', 'of all machines, for one class', percentOption(1, 100))
    .option('--types-at-most <number>', 'classes', countOption(1, 100));
}

/** When a plan is good enough. */
export function withEffort(command: Command): Command {
  return command
    .option(
      '--gap <percent>',
      'end when the plan is proven to be no further from the best (default: 0.1, 1 where the input is large)',
      percentOption(0, 50),
    )
    .option('--time-limit <duration>', 'end with the best plan so far: 30s, 5m', durationOption);
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
}

/** For options: `10`, `0.1` or `0.1%`. */
export function percentOption(least: number, most: number): (value: string) => number {
  return (value) => {
    const percent = Number(value.replace(/%$/, ''));
    if (!/^[0-9]+(\.[0-9]+)?%?$/.test(value) || percent < least || percent > most)
      throw new InvalidArgumentError(`write percent from ${least} to ${most}`);
    return percent;
  };
}
