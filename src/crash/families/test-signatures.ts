// Made-up signatures with planted families, for tests and the bench.
import type { Signature } from './book.ts';

export interface Planted extends Signature {
  truth: number;
}

/**
 * Each family is a stack of its own over an entry path that many share; each variant has an inlined frame more or
 * less, a caller changed, or another way in.
 */
export function plantedSignatures(families: number, each: number, random: () => number): Planted[] {
  const pick = (most: number) => Math.floor(random() * most);
  const entries = Array.from({ length: 12 }, (_, path) =>
    Array.from({ length: 3 }, (_, depth) => `entry_${path % (4 - depth)}_${depth}`),
  );
  const signatures: Planted[] = [];
  for (let truth = 0; truth < families; truth++) {
    const subsystem = pick(Math.max(3, families / 8));
    const depth = 5 + pick(6);
    const own = Array.from({ length: depth }, (_, at) =>
      at >= depth - 2 ? `subsys_${subsystem}_${at - depth}` : `f${truth}_${at}`,
    );
    for (let variant = 0; variant < each; variant++) {
      const frames = [...own];
      if (random() < 0.5) frames.splice(1 + pick(frames.length - 1), 0, `inline_${pick(40)}`);
      if (random() < 0.3) frames.splice(2 + pick(frames.length - 2), 1);
      if (random() < 0.3) frames[frames.length - 1] = `caller_${pick(200)}`;
      frames.push(...(entries[pick(entries.length)] as string[]));
      signatures.push({
        id: `s${truth}-${variant}`,
        class: truth % 5 === 0 ? 'hang' : 'oops',
        title: `in f${truth}`,
        frames,
        truth,
      });
    }
  }
  return signatures;
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let at = result.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [result[at], result[other]] = [result[other] as T, result[at] as T];
  }
  return result;
}
