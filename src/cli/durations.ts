import { InvalidArgumentError } from 'commander';
import { toMilliseconds } from '../api/fields.ts';

/** For options: `90s`, `5m`, `1h30m`. */
export function durationOption(value: string): number {
  try {
    return toMilliseconds(value);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

/** For options: `150s-200s`, or one duration for both ends. */
export function rangeOption(value: string): [number, number] {
  const [least = '', most = least] = value.split('-');
  const range: [number, number] = [durationOption(least), durationOption(most)];
  if (range[0] > range[1]) throw new InvalidArgumentError('write the shorter one first, like 150s-200s');
  return range;
}

/** For options that may be given again and again. */
export function repeated(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** For options: a whole number of at least `least`. */
export function countOption(least: number, most: number): (value: string) => number {
  return (value) => {
    const count = Number(value);
    if (!/^[0-9]+$/.test(value) || count < least || count > most)
      throw new InvalidArgumentError(`write a whole number from ${least} to ${most}`);
    return count;
  };
}
