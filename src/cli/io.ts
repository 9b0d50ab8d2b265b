import type { Clock } from '../platform/clock/clock.ts';

/** What a command line needs of the world: a process in production, strings in tests. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Standard input, as it comes. */
  stdin(): AsyncIterable<Uint8Array>;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** Set when a person reads along: colour and wrapping are for them. */
  terminal: { columns: number } | undefined;
  /** Aborted when the command shall end in order. Asking for it takes signals away from their default. */
  stopSignal(): AbortSignal;
}

export const EXIT = { ok: 0, error: 1, usage: 2, invariantBroken: 3 } as const;

/** An error that is told to the user as it is, without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.error) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Colour is for people at a terminal who have not said no to it (https://no-color.org). */
export function wantsColour(io: Io): boolean {
  return io.terminal !== undefined && !io.env.NO_COLOR && io.env.TERM !== 'dumb';
}
