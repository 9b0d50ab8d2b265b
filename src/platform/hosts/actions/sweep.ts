// One action on many hosts. Answers come as they are ready; what waits for the reader holds back what is begun, so memory
// depends on how many run at once and not on how many there are.

import { HostError, type HostFailure, type HostRef } from '../host.ts';
import type { Hosts } from './run.ts';
import type { ActionName, AnswerOf, ParamsOf } from './table.ts';

export const SWEEP_CONCURRENT = 64;

export type Swept<A> = { host: HostRef } & (
  | { outcome: 'Done'; answer: A }
  | { outcome: HostFailure; message: string }
);

export interface SweepOptions {
  concurrent?: number;
  signal?: AbortSignal;
}

/** Ends what runs when the reader stops reading. Throws the signal's reason when that is aborted. */
export async function* sweep<N extends ActionName>(
  hosts: Hosts,
  list: Iterable<HostRef>,
  action: N,
  params: ParamsOf<N>,
  { concurrent = SWEEP_CONCURRENT, signal }: SweepOptions = {},
): AsyncGenerator<Swept<AnswerOf<N>>, void, undefined> {
  const stop = new AbortController();
  const until = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const queue = list[Symbol.iterator]();
  const ready: Swept<AnswerOf<N>>[] = [];
  let running = 0;
  let failure: { error: unknown } | undefined;
  let wake = () => {};

  const one = async (host: HostRef) => {
    try {
      ready.push({ host, outcome: 'Done', answer: await hosts.run(host, action, params, until) });
    } catch (error) {
      if (error instanceof HostError) ready.push({ host, outcome: error.failure, message: error.message });
      else failure ??= { error };
    }
    running--;
    wake();
  };

  try {
    for (;;) {
      while (running + ready.length < concurrent) {
        const next = queue.next();
        if (next.done) break;
        running++;
        void one(next.value);
      }
      const answer = ready.shift();
      if (answer) yield answer;
      else if (failure) throw failure.error;
      else if (running === 0) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stop.abort(new Error('the sweep was ended'));
    queue.return?.();
  }
}
