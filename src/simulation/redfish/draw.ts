// Ids drawn from the clock, so that a run repeats from its seed.

import type { Clock } from '../../platform/clock/clock.ts';

export function uuidFrom(clock: Clock): string {
  const hex = hexFrom(clock, 32);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** So many hexadecimal digits, drawn from the clock. */
export function hexFrom(clock: Clock, digits: number): string {
  let hex = '';
  while (hex.length < digits) hex += Math.floor(clock.random() * 16).toString(16);
  return hex;
}
