import { type Command, Option } from 'commander';
import { date } from '../../api/fields.ts';
import type { HoldPlan } from '../../planning/hold/answer.ts';
import {
  type HoldProgressWords,
  type HoldRequest,
  makeHoldPlan,
} from '../../planning/hold/make-hold-plan.ts';
import { highs, money } from '../../planning/index.ts';
import { seriesOf, tierRatesOf } from '../../planning/read/series.ts';
import { ratesIn, seriesIn } from '../../planning/read/tables.ts';
import { DAY, HOUR } from '../../platform/clock/clock.ts';
import { durationOption } from '../durations.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { driven, stopOf } from './drive.ts';
import { printedHolding } from './hold-text.ts';
import { fleetOf, readFiles, told } from './input.ts';
import { type FleetOptions, withEffort, withFleet } from './options.ts';

export interface HoldCommandOptions extends FleetOptions {
  from?: string;
  to?: string;
  /** Milliseconds. */
  shortestRental: number;
  leadTime: number;
  timeLimit?: number;
  /** Percent. */
  gap?: number;
  output?: 'json' | 'yaml' | 'csv' | 'markdown';
}

export function register(plan: Command, io: Io): void {
  withEffort(
    withFleet(
      plan
        .command('hold')
        .description(
          'Say which machines to hold all the time and which to rent from when to when, for Pods whose number changes by date: what it costs, how far that is from the best possible, and what the event costs by itself.',
        ),
    ),
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
    .action((options: HoldCommandOptions) => hold(options, io));
}

const HELP = `
What is held costs the prices of the tier Daily, what is rented those of the tier Promotion: by the hour or by the month,
whichever is less. As tables: --pods has a column for each date on which numbers change, such as 2026-11-10, instead of
replicas or beside it; --types has what a machine costs an hour: price where it is held, rented where it is rented.
Days begin at midnight UTC. The event is what is over the usual: what there is for half the time.

Examples:
  drover plan hold -f classes.yaml -f profiles.yaml
  drover plan hold --pods pods.csv --types types.csv --spares 2
  drover plan hold -f plan.yaml --from 2026-01-01 --to 2027-01-01 --shortest-rental 7d --lead-time 14d -o markdown`;

async function hold(options: HoldCommandOptions, io: Io): Promise<void> {
  const request = await readRequest(options, io);
  const plan = await planned(request, options, io);
  io.out(await printedHolding(plan, options.output, Math.min(io.terminal?.columns ?? 80, 120)));
  if (plan.reasons.some(({ reason }) => reason === 'SparesMissing')) throw new CliError('');
}

async function readRequest(options: HoldCommandOptions, io: Io): Promise<HoldRequest> {
  const { from, to, headroom, spares, zones, loseZone = false } = options;
  for (const [option, day] of Object.entries({ from, to }))
    if (day !== undefined && !date().safeParse(day).success)
      throw new CliError(
        `error: --${option}: "${day.slice(0, 40)}" is no date; write it like 2026-11-11`,
        EXIT.usage,
      );
  const files = await readFiles(options, io);
  const { workloads, offers } = fleetOf(files, { tier: 'Daily' });
  const { written, pods, types } = files;
  offers.unshift(...files.owned(offers));
  return {
    workloads,
    offers,
    rates: told(() => new Map([...(types ? ratesIn(types) : []), ...tierRatesOf(written)])),
    series: told(() => [...(pods ? seriesIn(pods) : []), ...seriesOf(written)]),
    wishes: { headroom, spares, loseZone, zones },
    shortestRental_ms: options.shortestRental,
    leadTime_ms: options.leadTime,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}

async function planned(
  request: HoldRequest,
  { gap = 0.1, timeLimit }: HoldCommandOptions,
  io: Io,
): Promise<HoldPlan> {
  const stop = stopOf(timeLimit, io);
  const steps = makeHoldPlan(request, { solver: await highs(), gap: gap / 100, stop });
  return driven(steps, progressWords, io);
}

function progressWords({ what, cost, bound }: HoldProgressWords): string {
  return `${what}: ${cost > 0 ? `cost ${money(cost)}` : 'no plan yet'}, at least ${money(bound)}`;
}
