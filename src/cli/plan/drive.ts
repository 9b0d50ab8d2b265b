import { setImmediate } from 'node:timers/promises';
import { SECOND } from '../../platform/clock/clock.ts';
import type { Io } from '../io.ts';
import { told } from './input.ts';

/** Ends on Ctrl-C, and when the time is over (milliseconds). */
export function stopOf(timeLimit: number | undefined, io: Io): () => boolean {
  const signal = io.stopSignal();
  const startedAt = io.clock.now();
  return () => signal.aborted || (timeLimit !== undefined && io.clock.now() - startedAt >= timeLimit);
}

/** Goes on step by step, so that Ctrl-C is heard, and a person at a terminal sees how far it is. */
export async function driven<Step, Result>(
  steps: Generator<Step, Result>,
  words: (step: Step) => string,
  io: Io,
): Promise<Result> {
  let toldAt = io.clock.now();
  for (;;) {
    const { done, value } = told(() => steps.next());
    if (done) return value;
    await setImmediate();
    if (!io.terminal || io.clock.now() - toldAt < SECOND) continue;
    toldAt = io.clock.now();
    io.err(`${words(value)}\n`);
  }
}
