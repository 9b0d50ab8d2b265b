// Whether a packing keeps every promise of its problem. It shares no code with what packs.
import type { Packing, Pattern, Problem } from './problem.ts';

const BROKEN_MAX = 20;

/** What is broken, one sentence each; empty where nothing is. `unplaced`: how many of each item are said to be left out. */
export function brokenPromises(problem: Problem, packing: Packing, unplaced: readonly number[]): string[] {
  const broken: string[] = [];
  const placed = new Map<number, number>();
  const machines = new Map<number, number>();
  for (const { pattern, count } of packing) {
    const bin = problem.bins[pattern.bin];
    if (!bin) {
      broken.push(`there is no bin ${pattern.bin}`);
      continue;
    }
    if (!Number.isSafeInteger(count) || count < 1) broken.push(`${bin.name} is filled ${count} times`);
    machines.set(pattern.bin, (machines.get(pattern.bin) ?? 0) + count);
    const used = bin.room.map(() => 0n);
    const inside = new Set<number>();
    for (const [at, each] of pattern.items) {
      const item = problem.items[at];
      if (!item || !Number.isSafeInteger(each) || each < 1 || inside.has(at)) {
        broken.push(`${bin.name} holds ${each} of item ${at}`);
        continue;
      }
      inside.add(at);
      placed.set(at, (placed.get(at) ?? 0) + each * count);
      if (bin.refuses?.has(at)) broken.push(`${bin.name} holds ${item.name}, which may not be there`);
      if (item.most !== undefined && each > item.most)
        broken.push(`${bin.name} holds ${each} of ${item.name}, ${item.most} at most are allowed`);
      item.need.forEach((need, resource) => {
        used[resource] = (used[resource] as bigint) + BigInt(need) * BigInt(each);
      });
    }
    used.forEach((amount, resource) => {
      const room = BigInt(bin.room[resource] ?? 0);
      if (amount > room) broken.push(`${bin.name} holds ${amount} of resource ${resource}, and has ${room}`);
    });
    for (const [a, b] of problem.apart)
      if (inside.has(a) && inside.has(b))
        broken.push(`${bin.name} holds ${problem.items[a]?.name} beside ${problem.items[b]?.name}`);
  }
  problem.items.forEach(({ name, count }, at) => {
    const there = (placed.get(at) ?? 0) + (unplaced[at] ?? 0);
    if (there !== count) broken.push(`${there} of ${count} of ${name} are accounted for`);
  });
  const of = (bins: readonly number[]) =>
    [...new Set(bins)].reduce((sum, bin) => sum + (machines.get(bin) ?? 0), 0);
  const all = of([...machines.keys()]);
  for (const { name, bins, max } of problem.limits)
    if (of(bins) > max) broken.push(`${of(bins)} of ${name}, ${max} at most are there`);
  for (const { name, bins, share } of problem.shares)
    if (of(bins) > share * all + 1e-9) broken.push(`${of(bins)} of ${all} are ${name}, more than ${share}`);
  return broken.slice(0, BROKEN_MAX);
}

/** Of a packing that is right by itself: whether k spares can stand in for every way of filling but those that are said to be missing. */
export function brokenSpares(
  problem: Problem,
  packing: Packing,
  { counts, missing, k }: { counts: ReadonlyMap<number, number>; missing: readonly Pattern[]; k: number },
): string[] {
  const empty = [...counts].map(([bin, count]) => ({ pattern: { bin, items: [] }, count }));
  const placed = (machines: Packing) =>
    problem.items.map((item, at) => {
      const holds = (pattern: Pattern) => pattern.items.find(([index]) => index === at)?.[1] ?? 0;
      const count = machines.reduce((total, each) => total + each.count * holds(each.pattern), 0);
      return { ...item, count };
    });
  const broken = brokenPromises({ ...problem, items: placed(packing) }, [...packing, ...empty], []);
  for (const { pattern } of packing) {
    if (missing.includes(pattern)) continue;
    const stood = [...counts].some(([bin, count]) => {
      const instead = [{ pattern: { bin, items: pattern.items }, count: 1 }];
      const alone = { ...problem, items: placed(instead), limits: [], shares: [] };
      return count >= k && brokenPromises(alone, instead, []).length === 0;
    });
    if (!stood) broken.push(`nothing stands in for a machine of ${problem.bins[pattern.bin]?.name}`);
  }
  return broken.slice(0, BROKEN_MAX);
}
