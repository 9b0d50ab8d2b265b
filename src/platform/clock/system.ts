import { randomBytes } from 'node:crypto';
import { type Clock, idFrom, sleepWith } from './clock.ts';

/** Longest delay that `setTimeout` takes; longer ones would fire at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/**
 * Real time. Reads CLOCK_MONOTONIC from a wall-clock origin taken at start, so that an NTP step on our
 * own host neither shortens nor lengthens a lease, and a process that was frozen sees the time it lost.
 */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  timer(delay_ms, wake) {
    const handle = setTimeout(wake, Math.min(Math.max(0, delay_ms), TIMEOUT_MS_MAX));
    return { cancel: () => clearTimeout(handle) };
  },
  sleep: (delay_ms, signal) => sleepWith(systemClock, delay_ms, signal),
  random: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  id: (length) => idFrom(systemClock.random, length),
};
