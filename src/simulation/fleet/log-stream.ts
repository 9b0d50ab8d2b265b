import type { LogEntry } from '../../platform/providers/provider.ts';
import type { SimulatedMachine } from './machine.ts';

/** Entries that wait for a reader; the oldest are lost, as on a BMC. */
const WAITING_MAX = 100;

/** What the machine's BMC writes from now on, until aborted. */
export function logStream(machine: SimulatedMachine, signal: AbortSignal): AsyncIterable<LogEntry> {
  const waiting: LogEntry[] = [];
  let wake = () => {};
  const onEntry = (entry: LogEntry) => {
    waiting.push(entry);
    if (waiting.length > WAITING_MAX) waiting.shift();
    wake();
  };
  machine.logListeners.add(onEntry);
  signal.addEventListener(
    'abort',
    () => {
      machine.logListeners.delete(onEntry);
      wake();
    },
    { once: true },
  );
  return (async function* () {
    while (!signal.aborted) {
      yield* waiting.splice(0);
      if (signal.aborted) return;
      if (waiting.length > 0) continue;
      const next = Promise.withResolvers<void>();
      wake = next.resolve;
      await next.promise;
    }
  })();
}
