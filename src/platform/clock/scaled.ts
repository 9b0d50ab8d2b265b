import { type Clock, sleepWith } from './clock.ts';

/** Time that runs `speed` times as fast as `clock`: for people who watch a simulation. Wakes, draws and ids are the clock's own. */
export function scaledClock(
  clock: Clock,
  speed: number,
  random: () => number,
  idOf: (length?: number) => string,
): Clock {
  const start = clock.now();
  const scaled: Clock = {
    now: () => start + (clock.now() - start) * speed,
    timer: (delay_ms, wake) => clock.timer(delay_ms / speed, wake),
    sleep: (delay_ms, signal) => sleepWith(scaled, delay_ms, signal),
    random,
    id: idOf,
  };
  return scaled;
}
