import type { Command } from 'commander';
import {
  CHANGES_MAX,
  changeOf,
  highs,
  makePlan,
  money,
  type Plan,
  type PlanProgress,
} from '../../planning/index.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { driven, stopOf } from './drive.ts';
import { type PlanInput, readInput, told } from './input.ts';
import type { PlanCommandOptions } from './make.ts';
import { printed } from './print.ts';

export async function plan(options: PlanCommandOptions, command: Command, io: Io): Promise<void> {
  const input = await readInput(options, command, io);
  const made = await planned(input, options, io);
  io.out(await printed(made, options.output, Math.min(io.terminal?.columns ?? 80, 120)));
  const lacksSpares = made.reasons.some(({ reason }) => reason === 'SparesMissing');
  if (Object.keys(made.unplaced).length > 0 || lacksSpares) throw new CliError('');
}

export interface Effort {
  /** Percent. */
  gap?: number;
  limits?: number;
  try?: readonly string[];
  timeLimit?: number;
}

export async function planned(
  { workloads, offers, wishes }: PlanInput,
  { gap, limits, try: written = [], timeLimit }: Effort,
  io: Io,
): Promise<Plan> {
  const stop = stopOf(timeLimit, io);
  if (written.length > CHANGES_MAX)
    throw new CliError(`error: ${written.length} changes; ${CHANGES_MAX} at most are tried`, EXIT.usage);
  const changes = told(() => written.map((what) => changeOf(what, workloads, offers)));
  const steps = makePlan(workloads, offers, {
    solver: await highs(),
    wishes,
    stop,
    changes,
    ...(gap !== undefined && { gap: gap / 100 }),
    ...(limits !== undefined && { limits }),
  });
  return driven(steps, progressWords, io);
}

function progressWords({ cost, bound, inSight, what }: PlanProgress): string {
  const least = inSight === undefined ? cost : Math.min(cost, inSight);
  const better = least < cost ? `, about ${money(least)} in sight` : '';
  const gap = least > 0 ? ` (gap ${(((least - bound) / least) * 100).toFixed(2)} %)` : '';
  return `${what}: cost ${money(cost)}${better}, at least ${money(bound)}${gap}`;
}
