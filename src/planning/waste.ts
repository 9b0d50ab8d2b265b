// What stands idle on the machines of a plan, and because of what: the resource that ran out first.
import { amountWords, toNumber } from '../platform/kube/quantity.ts';
import type { Modelled } from './problem-of.ts';
import type { Packing, Pattern } from './solve/problem.ts';

/** One resource of the machines of one class. */
export interface Waste {
  class: string;
  /** Of the class. */
  machines: number;
  resource: string;
  /** Of one machine. */
  has: number;
  /** Shares of all that its machines have. */
  used: number;
  idle: number;
  /** Parts of the idle share, by the resource that keeps more Pods out; the greatest first. */
  because: { resource: string; idle: number; has: number }[];
  /** Idle share on machines where nothing keeps Pods out: there are no more. */
  noMorePods: number;
}

/** Under this share it is not worth a line. */
const SMALL = 0.0005;

/** `values`: what one of each item costs at the optimum; what costs nothing fits into what is idle anyway. */
export function wasteOf(modelled: Modelled, packing: Packing, values: Float64Array): Waste[] {
  const { resources, wholes, bins, rooms } = modelled;
  const isAsked = worthAsking(values);
  const classes = new Map<string, Tally>();
  for (const { pattern, count } of packing) {
    const kind = bins[pattern.bin];
    if (!kind) continue;
    const name = kind.offer.name;
    const tally = classes.get(name) ?? new Tally(resources.length);
    classes.set(name, tally);
    const left = leftIn(modelled, pattern);
    const room = (rooms[pattern.bin] ?? []).map(toNumber);
    const blockers = blockersOf(modelled, pattern, left, isAsked);
    // Where the whole runs out, its part for online Pods says nothing more.
    const named = blockers.filter((by) => by === wholes[by] || !blockers.includes(wholes[by] as number));
    tally.add(room, left, named, count);
  }
  return [...classes].flatMap(([name, tally]) =>
    resources.flatMap((resource, at): Waste[] => {
      const room = tally.room[at] as number;
      // What a part does not use the other may: only the whole can stand idle.
      if (room === 0 || wholes[at] !== at) return [];
      const share = (amount: number) => amount / room;
      const because = resources
        .map((by, other) => ({
          resource: by,
          idle: share(tally.because[at]?.[other] ?? 0),
          has: tally.has[other] as number,
        }))
        .filter(({ idle }) => idle > SMALL)
        .sort((a, b) => b.idle - a.idle);
      const idle = share(tally.left[at] as number);
      const noMorePods = share(tally.free[at] as number);
      return [
        {
          class: name,
          machines: tally.machines,
          resource,
          has: tally.has[at] as number,
          used: 1 - idle,
          idle,
          because,
          noMorePods,
        },
      ];
    }),
  );
}

class Tally {
  machines = 0;
  readonly has: number[];
  readonly room: number[];
  readonly left: number[];
  readonly free: number[];
  readonly because: number[][];

  constructor(resources: number) {
    const zeros = () => Array.from({ length: resources }, () => 0);
    this.has = zeros();
    this.room = zeros();
    this.left = zeros();
    this.free = zeros();
    this.because = Array.from({ length: resources }, zeros);
  }

  add(room: readonly number[], left: readonly number[], blockers: readonly number[], count: number): void {
    this.machines += count;
    room.forEach((amount, at) => {
      const idle = (left[at] as number) * count;
      this.has[at] = Math.max(this.has[at] as number, amount);
      this.room[at] = (this.room[at] as number) + amount * count;
      this.left[at] = (this.left[at] as number) + idle;
      // What ran out is not the reason why it stands idle itself.
      const others = blockers.filter((by) => by !== at);
      if (others.length === 0) this.free[at] = (this.free[at] as number) + idle;
      for (const by of others) {
        const row = this.because[at] as number[];
        row[by] = (row[by] as number) + idle / others.length;
      }
    });
  }
}

function leftIn({ problem, rooms, steps }: Modelled, { bin, items }: Pattern): number[] {
  return (rooms[bin] ?? []).map((room, at) => {
    const used = items.reduce((sum, [item, count]) => sum + count * (problem.items[item]?.need[at] ?? 0), 0);
    return toNumber(room - BigInt(used) * (steps[at] as bigint));
  });
}

/** Items that machines are bought for. */
function worthAsking(values: Float64Array): (item: number) => boolean {
  const least = 1e-6 * values.reduce((most, value) => Math.max(most, value), 0);
  return (item) => least === 0 || (values[item] as number) > least;
}

/** Resources of which too little is left for the item that comes nearest to fitting in. */
function blockersOf(
  { problem, steps }: Modelled,
  { bin, items }: Pattern,
  left: readonly number[],
  isAsked: (item: number) => boolean,
): number[] {
  let fewest: number[] | undefined;
  problem.items.forEach(({ need, most }, item) => {
    const held = items.find(([at]) => at === item)?.[1] ?? 0;
    if (!isAsked(item) || problem.bins[bin]?.refuses?.has(item)) return;
    const short = need.flatMap((amount, at) =>
      amount * toNumber(steps[at] as bigint) > (left[at] as number) ? [at] : [],
    );
    // No resource keeps out what may not be there once more; where one is short too, that is the cause.
    if (short.length === 0 && most !== undefined && held >= most) return;
    if (!fewest || short.length < fewest.length) fewest = short;
  });
  return fewest ?? [];
}

/** `31 % of cpu stands idle on ebmc6 because cloud-disks run out at 40`. */
export function wasteWords({ class: name, resource, because, noMorePods }: Waste): string[] {
  const percent = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
  const idle = (share: number) => `${percent(share)} of ${resource} stands idle on ${name}`;
  const words = because.map(
    (by) =>
      `${idle(by.idle)} because ${by.resource} ${/[^ps]s$/.test(by.resource) ? 'run' : 'runs'} out at ${amountWords(by.has)}`,
  );
  if (noMorePods > SMALL) words.push(`${idle(noMorePods)} because there are no more Pods that may be on it`);
  return words;
}

/** The most important first: cpu and memory, then what stands idle on most machines. */
export function byWeight(a: Waste, b: Waste): number {
  const isMain = ({ resource }: Waste) => Number(/^(cpu|memory)\b/.test(resource));
  return isMain(b) - isMain(a) || b.idle * b.machines - a.idle * a.machines;
}
