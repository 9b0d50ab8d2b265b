import type { Clock } from './clock/clock.ts';

/**
 * Lets at most `concurrent` calls run at once and `perSecond` begin in a second, in the order of asking.
 * One limiter stands before one outside party, for all who call it.
 */
export function limiter(clock: Clock, limits: { perSecond: number; concurrent: number }) {
  const waiting: (() => void)[] = [];
  const interval_ms = 1000 / limits.perSecond;
  const credit_ms = Math.max(0, 1000 - interval_ms);
  let running = 0;
  let nextAt = 0;
  let armed = false;

  function start(): void {
    armed = false;
    while (waiting.length > 0 && running < limits.concurrent) {
      const wait_ms = nextAt - clock.now();
      if (wait_ms > 0) {
        if (!armed) clock.timer(wait_ms, start);
        armed = true;
        return;
      }
      // An idle second earns one second's worth of calls at once, not more.
      nextAt = Math.max(nextAt, clock.now() - credit_ms) + interval_ms;
      running++;
      (waiting.shift() as () => void)();
    }
  }

  return async <T>(call: () => Promise<T>): Promise<T> => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      start();
    });
    try {
      return await call();
    } finally {
      running--;
      start();
    }
  };
}
