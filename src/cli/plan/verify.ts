import type { Command } from 'commander';
import { PlanError } from '../../planning/index.ts';
import type { Order } from '../../planning/verify/margin.ts';
import { sceneOf } from '../../planning/verify/scene.ts';
import { Stage } from '../../planning/verify/stage.ts';
import { type TrialDone, verify } from '../../planning/verify/verify.ts';
import { withClient } from '../connect.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { serialize } from '../output.ts';
import type { PlanInputOptions } from '../plan.ts';
import { readInput } from './input.ts';
import { planned } from './plan.ts';
import type { PlanOutput } from './print.ts';
import { verificationText } from './verify-text.ts';

export interface VerifyCommandOptions extends PlanInputOptions {
  gap: number;
  timeLimit?: number;
  scheduler: string;
  order: Order;
  /** Percent. */
  marginMax: number;
  output?: PlanOutput;
}

/** Exits with 1 where Pods have no place on the machines of the plan. */
export async function verifyPlan(options: VerifyCommandOptions, command: Command, io: Io): Promise<void> {
  const { output } = options;
  if (output !== undefined && output !== 'json' && output !== 'yaml')
    throw new CliError(
      `error: -o ${output} is for plans; a verification is printed as json or yaml`,
      EXIT.usage,
    );
  const signal = io.stopSignal();
  const input = await readInput(options, io);
  const plan = await planned(input, { ...options, limits: 0 }, io);
  if (signal.aborted) throw new CliError('error: it was broken off before anything was placed');
  const verification = await withClient(command, io, async (client) => {
    const stage = new Stage(client, signal);
    try {
      const scene = sceneOf(input, plan);
      await stage.check();
      return await cleared(stage, async () => {
        await stage.open();
        return verify(scene, stage, options, (done) => {
          if (io.terminal) io.err(`${trialWords(done)}\n`);
        });
      });
    } catch (error) {
      if (signal.aborted) throw new CliError('error: it was broken off; all that it had made is removed');
      throw error instanceof PlanError ? new CliError(`error: ${error.message}`) : error;
    }
  });
  io.out(output ? await serialize(verification, output) : verificationText(verification));
  if (verification.placed < verification.pods) throw new CliError('', EXIT.error);
}

async function cleared<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await stage.clear();
  }
}

function trialWords({ percent, machines, placed, sufficed, seconds }: TrialDone): string {
  const words = sufficed ? 'all Pods have a place' : `${placed} Pods had a place`;
  return `${machines} machines (${percent} % more): ${words}, after ${seconds} s`;
}
