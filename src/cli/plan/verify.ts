import { type Command, Option } from 'commander';
import { PlanError } from '../../planning/index.ts';
import type { Order } from '../../planning/verify/margin.ts';
import { sceneOf } from '../../planning/verify/scene.ts';
import { Stage } from '../../planning/verify/stage.ts';
import { type TrialDone, verify } from '../../planning/verify/verify.ts';
import { withClient } from '../connect.ts';
import { countOption } from '../durations.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { serialize } from '../output.ts';
import { readInput } from './input.ts';
import { type PlanInputOptions, withEffort, withInput } from './options.ts';
import { planned } from './plan.ts';
import { verificationText } from './verify-text.ts';

export interface VerifyCommandOptions extends PlanInputOptions {
  gap?: number;
  timeLimit?: number;
  scheduler: string;
  order: Order;
  /** Percent. */
  marginMax: number;
  output?: 'json' | 'yaml';
}

export function register(plan: Command, io: Io): void {
  withEffort(
    withInput(
      plan
        .command('verify')
        .description(
          'Place the Pods of a plan with a real kube-scheduler, on an empty control plane that has no machines: say which have no place, and with how many machines more all have one.',
        ),
    ),
  )
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
    .addHelpText('after', HELP)
    .action((options: VerifyCommandOptions, command: Command) => verifyPlan(options, command, io));
}

const HELP = `
A cluster that has Nodes or Pods is refused. In a checkout, 'node scripts/control-plane.ts up' starts an empty control
plane whose scheduler has two profiles: default-scheduler, and drover-pack, which fills machines one after the other.

Examples:
  drover plan verify --pods pods.csv --types types.csv --kubeconfig throwaway.yaml
  drover plan verify -f plan.yaml --headroom 5 --scheduler drover-pack --kubeconfig throwaway.yaml`;

/** Exits with 1 where Pods have no place on the machines of the plan. */
async function verifyPlan(options: VerifyCommandOptions, command: Command, io: Io): Promise<void> {
  const { output } = options;
  if (options.ownedNodes)
    throw new CliError(
      'error: --owned-nodes names machines of a cluster in use, and verify wants an empty one: give --owned',
      EXIT.usage,
    );
  const signal = io.stopSignal();
  const input = await readInput(options, command, io);
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
