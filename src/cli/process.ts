import { systemClock } from '../platform/clock/system.ts';
import type { Io } from './io.ts';

/** A terminal gives a signal to the launcher and to us, and the launcher passes its own on: those are one. */
const SAME_SIGNAL_MS = 500;

export function processIo(): Io {
  // The reader of a pipe may have had enough: `drover get machines | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    stdin: () => process.stdin,
    env: process.env,
    clock: systemClock,
    terminal: process.stdout.isTTY ? { columns: process.stdout.columns || 80 } : undefined,
    stopSignal,
  };
}

/** The first signal asks for an end in order, a second one ends at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    const now = systemClock.now();
    if (firstAt !== undefined && now - firstAt > SAME_SIGNAL_MS)
      process.exit(signal === 'SIGINT' ? 130 : 143);
    firstAt ??= now;
    stop.abort(new Error(`ended by ${signal}`));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return stop.signal;
}
