// Problems from a seed, as tests, trials and benchmarks want them.
import { seededRandom } from '../../platform/clock/random.ts';
import { mostIn, type Pattern, type Problem } from './problem.ts';

type Random = () => number;

const between = (random: Random, least: number, most: number) =>
  least + Math.floor(random() * (most - least + 1));
const oneOf = <T>(random: Random, values: readonly T[]) => values[Math.floor(random() * values.length)] as T;

export interface FleetSize {
  shapes: number;
  types: number;
  pods: number;
}

/**
 * Pods and machine types as clouds have them, by six resources: half CPUs, memory (GiB), interfaces, disks, PPS
 * (thousands) and bandwidth. Prices are near what the parts cost, a tenth up or down.
 */
export function fleetProblem(seed: number, { shapes, types, pods }: FleetSize): Problem {
  const random = seededRandom(seed);
  const bins = Array.from({ length: types }, (_, at) => {
    const cpus = oneOf(random, [16, 32, 48, 64, 96, 104, 128]);
    const memory = Math.floor(cpus * oneOf(random, [2, 4, 5.5, 8]));
    const interfaces = oneOf(random, [8, 16, 32, 64]);
    const disks = oneOf(random, [8, 16, 20, 40]);
    const pps = cpus * 10 + between(random, 0, 600);
    const bandwidth = cpus * 3 + between(random, 0, 200);
    const parts = cpus * 3 + memory * 0.4 + interfaces * 0.3 + disks * 0.3 + pps * 0.02;
    const price = Math.round(100 * parts * (0.9 + 0.2 * random()));
    return { name: `type-${at}`, room: [cpus * 2, memory, interfaces, disks, pps, bandwidth], price };
  });
  const weights = Array.from({ length: shapes }, () => 0.2 + random());
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const items = weights.map((weight, at) => {
    const halves = oneOf(random, [2, 4, 8, 16, 24, 32]) - (random() < 0.3 ? 1 : 0);
    const need = [
      halves,
      Math.max(1, Math.round(halves * (0.5 + 3 * random()))),
      1,
      between(random, 0, 2),
      Math.floor(halves * 6 * random()),
      Math.floor(halves * 2 * random()),
    ];
    return { name: `pod-${at}`, count: Math.max(1, Math.round((pods * weight) / all)), need };
  });
  return { items, bins, limits: [], shares: [], apart: [] };
}

/** So small that every pattern can be listed: with limits, pairs apart and items of which there are few in a bin. */
export function smallProblem(seed: number): Problem {
  const random = seededRandom(seed);
  const resources = between(random, 1, 4);
  const bins = Array.from({ length: between(random, 1, 4) }, (_, at) => ({
    name: `type-${at}`,
    room: Array.from({ length: resources }, () => between(random, 8, 30)),
    price: between(random, 5, 40),
  }));
  const items = Array.from({ length: between(random, 1, 5) }, (_, at) => {
    const need: number[] = Array.from({ length: resources }, () => between(random, 0, 9));
    if (!need.some((amount) => amount > 0)) need[0] = 1;
    const most = random() < 0.2 ? { most: between(random, 1, 2) } : {};
    return { name: `pod-${at}`, count: between(random, 1, 15), need, ...most };
  });
  const apart: [number, number][] = items.length > 2 && random() < 0.3 ? [[0, 1]] : [];
  const limits = random() < 0.3 ? [{ name: 'stock', bins: [0], max: between(random, 0, 3) }] : [];
  return { items, bins, limits, shares: [], apart };
}

/** Every way to fill every bin, by trying all counts. */
export function allPatterns({ items, bins, apart }: Problem): Pattern[] {
  const found: Pattern[] = [];
  bins.forEach((bin, at) => {
    const counts = items.map(() => 0);
    const visit = (place: number, left: readonly number[]): void => {
      const item = items[place];
      if (!item) {
        const held = counts.flatMap((count, index): [number, number][] =>
          count > 0 ? [[index, count]] : [],
        );
        const meets = apart.some(([a, b]) => (counts[a] as number) > 0 && (counts[b] as number) > 0);
        if (held.length > 0 && !meets) found.push({ bin: at, items: held });
        return;
      }
      for (let count = 0; count <= mostIn(item, place, bin); count++) {
        const rest = left.map((amount, resource) => amount - count * (item.need[resource] as number));
        if (rest.some((amount) => amount < 0)) break;
        counts[place] = count;
        visit(place + 1, rest);
      }
      counts[place] = 0;
    };
    visit(0, bin.room);
  });
  return found;
}
