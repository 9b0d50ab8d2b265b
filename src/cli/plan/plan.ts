import { setImmediate } from 'node:timers/promises';
import type { Command } from 'commander';
import {
  CHANGES_MAX,
  changeOf,
  highs,
  makePlan,
  money,
  type Plan,
  PlanError,
  type PlanProgress,
} from '../../planning/index.ts';
import { SECOND } from '../../platform/clock/clock.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { type PlanInput, readInput, told } from './input.ts';
import type { PlanCommandOptions } from './make.ts';
import { printed } from './print.ts';

export async function plan(options: PlanCommandOptions, command: Command, io: Io): Promise<void> {
  const input = await readInput(options, command, io);
  const made = await planned(input, options, io);
  io.out(await printed(made, options.output, Math.min(io.terminal?.columns ?? 80, 120)));
  if (Object.keys(made.unplaced).length > 0) throw new CliError('');
}

export interface Effort {
  /** Percent. */
  gap?: number;
  limits?: number;
  try?: readonly string[];
  timeLimit?: number;
}

/** Makes the plan step by step, so that Ctrl-C is heard, and a person at a terminal sees how far it is. */
export async function planned(
  { workloads, offers, wishes }: PlanInput,
  { gap, limits, try: written = [], timeLimit }: Effort,
  io: Io,
): Promise<Plan> {
  const signal = io.stopSignal();
  const startedAt = io.clock.now();
  const stop = () => signal.aborted || (timeLimit !== undefined && io.clock.now() - startedAt >= timeLimit);
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
  let toldAt = startedAt;
  try {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      await setImmediate();
      if (!io.terminal || io.clock.now() - toldAt < SECOND) continue;
      toldAt = io.clock.now();
      io.err(`${progressWords(value)}\n`);
    }
  } catch (error) {
    throw error instanceof PlanError ? new CliError(`error: ${error.message}`) : error;
  }
}

function progressWords({ cost, bound, what }: PlanProgress): string {
  const gap = cost > 0 ? ` (gap ${(((cost - bound) / cost) * 100).toFixed(2)} %)` : '';
  return `${what}: cost ${money(cost)}, at least ${money(bound)}${gap}`;
}
