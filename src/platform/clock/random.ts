/**
 * A seeded generator of numbers in [0, 1): mulberry32 (public domain, Tommy Ettinger). 2^32 states are
 * plenty for a simulation, and 32-bit integer steps are exact on every machine.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
