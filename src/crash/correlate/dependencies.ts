import type { Codes } from './cube.ts';

/** What an attribute can be acted on by, best first: what is named when names mean the same machines. */
const ORDER: readonly RegExp[] = [
  /^kernel/i,
  /^hotfix|livepatch/i,
  /^(machine)?[-_ ]?model$|^(instance|machine)[-_ ]?type$/i,
  /^bios/i,
  /^bmc/i,
  /^nic/i,
  /firmware|driver/i,
  /^cpu/i,
  /^(memory|dimm|disk|ssd|gpu)/i,
  /^os|^distro/i,
  /^workload|^service|^app/i,
  /^(power|feed|pdu)/i,
  /^rack/i,
  /^room/i,
  /^(zone|az|idc|datacenter|dc)/i,
  /^region/i,
  /^cluster/i,
];

/** The less, the rather it is named. Columns that we don't know stand before places and after parts. */
export function rankOf(name: string): number {
  const place = ORDER.findIndex((pattern) => pattern.test(name));
  return place < 0 ? ORDER.length - 6.5 : place;
}

/**
 * Which attribute's value settles another's (rack → room), from rows that have exposure. Most pairs are refuted
 * within a few rows.
 */
export function dependencies(
  codes: readonly Codes[],
  sizes: readonly number[],
  weights: Float64Array | undefined,
): boolean[][] {
  const settled = codes.map(() => codes.map(() => false));
  const ascending = codes.map((_, at) => at).sort((a, b) => (sizes[a] as number) - (sizes[b] as number));
  for (const a of ascending) {
    const row = settled[a] as boolean[];
    // The largest first: what a room settles, a rack that settles the room does as well.
    for (const b of ascending.toReversed()) {
      if (a === b || row[b] || (sizes[a] as number) < (sizes[b] as number)) continue;
      if (!settles(codes[a] as Codes, codes[b] as Codes, sizes[a] as number, weights)) continue;
      row[b] = true;
      for (const [c, isSettled] of (settled[b] as boolean[]).entries())
        if (isSettled && c !== a) row[c] = true;
    }
  }
  return settled;
}

function settles(from: Codes, to: Codes, size: number, weights: Float64Array | undefined): boolean {
  const of = new Int32Array(size).fill(-1);
  for (let row = 0; row < from.length; row++) {
    if (weights && weights[row] === 0) continue;
    const value = from[row] as number;
    const known = of[value] as number;
    if (known < 0) of[value] = to[row] as number;
    else if (known !== to[row]) return false;
  }
  return true;
}
