// For tests: one command line run in this process, with what it printed.
import { systemClock } from '../platform/clock/system.ts';
import type { Io } from './io.ts';
import { main } from './main.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
}

export interface Started {
  /** What has been printed so far. */
  out(): string;
  /** Resolves as soon as the output matches. */
  until(pattern: RegExp): Promise<void>;
  stop(): Promise<Ran>;
}

export async function run(args: readonly string[], more: Partial<Io> = {}): Promise<Ran> {
  return start(args, more).ended;
}

export function start(args: readonly string[], more: Partial<Io> = {}): Started & { ended: Promise<Ran> } {
  let out = '';
  let err = '';
  const stop = new AbortController();
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    stdin: async function* () {},
    env: {},
    clock: systemClock,
    terminal: undefined,
    stopSignal: () => stop.signal,
    ...more,
  };
  const ended = main(args, io).then((code) => ({ code, out, err }));
  return {
    ended,
    out: () => out,
    until: async (pattern) => {
      for (let tries = 0; !pattern.test(out); tries++) {
        if (tries > 500) throw new Error(`never printed ${pattern}:\n${out}${err}`);
        await systemClock.sleep(20);
      }
    },
    stop: () => {
      stop.abort(new Error('stopped'));
      return ended;
    },
  };
}
