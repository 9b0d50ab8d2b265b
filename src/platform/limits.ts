import type { Clock } from './clock/clock.ts';

export interface Limiter {
  /** Runs the call when its turn comes. Rejects with the signal's reason when that is aborted before. */
  <T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Nothing begins before then (epoch milliseconds): the outside party has said that it is too much. */
  pause(until: number): void;
}

interface Waiting {
  begin(): void;
}

/**
 * Lets at most `concurrent` calls run at once and `perSecond` begin in a second, in the order of asking.
 * One limiter stands before one outside party, for all who call it.
 */
export function limiter(clock: Clock, limits: { perSecond: number; concurrent: number }): Limiter {
  const waiting = new Set<Waiting>();
  const interval_ms = 1000 / limits.perSecond;
  const credit_ms = Math.max(0, 1000 - interval_ms);
  let running = 0;
  let nextAt = 0;
  let pausedUntil = 0;
  let armed = false;

  function start(): void {
    armed = false;
    for (const next of waiting) {
      if (running >= limits.concurrent) return;
      const wait_ms = Math.max(nextAt, pausedUntil) - clock.now();
      if (wait_ms > 0) {
        if (!armed) clock.timer(wait_ms, start);
        armed = true;
        return;
      }
      // An idle second earns one second's worth of calls at once, not more.
      nextAt = Math.max(nextAt, clock.now() - credit_ms) + interval_ms;
      running++;
      waiting.delete(next);
      next.begin();
    }
  }

  function turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        waiting.delete(next);
        reject(signal?.reason);
      };
      const next: Waiting = {
        begin: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.add(next);
      start();
    });
  }

  const run = async <T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    await turn(signal);
    try {
      return await call();
    } finally {
      running--;
      start();
    }
  };
  const pause = (until: number) => {
    pausedUntil = Math.max(pausedUntil, until);
  };
  return Object.assign(run, { pause });
}
