// Small inputs from a seed, with all that Pods, machines and wishes may say.
import { seededRandom } from '../platform/clock/random.ts';
import { NANO } from '../platform/kube/quantity.ts';
import type { Amounts, Offer, Wishes, Workload } from './model.ts';

const KINDS = ['Core', 'Cache', 'Offline'];
const RESOURCES = ['cpu', 'memory', 'disks'];

export function smallInput(seed: number): { workloads: Workload[]; offers: Offer[]; wishes: Wishes } {
  const random = seededRandom(seed);
  const between = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const some = (share: number) => random() < share;
  const amounts = (names: readonly string[], least: number, most: number): Amounts =>
    new Map(names.map((name) => [name, (BigInt(between(2 * least, 2 * most)) * NANO) / 2n]));
  const zones = some(0.5) ? ['a', 'b', 'c'].slice(0, between(1, 3)) : [];
  const zone = (name: string) => ({ zone: name, ...(some(0.4) && { max: between(1, 6) }) });
  const offers: Offer[] = Array.from({ length: between(1, 3) }, (_, at) => ({
    name: `type-${at}`,
    from: 'test',
    room: amounts(RESOURCES, 8, 30),
    price: BigInt(between(3, 30)) * NANO,
    owned: false,
    ...(some(0.3) && { max: between(2, 12) }),
    ...(zones.length > 0 && some(0.5) && { zones: zones.map(zone) }),
    ...(some(0.3) && {
      profiles: ['4-8', '6-6'].map((name) => ({ name, room: amounts(['disks'], 5, 40) })),
    }),
    ...(some(0.3) && { kinds: KINDS.filter(() => some(0.7)) }),
    ...(some(0.3) && { parts: { online: amounts(['cpu'], 6, 20), offline: amounts(['cpu'], 3, 20) } }),
  }));
  const [first] = offers;
  if (first && some(0.3)) offers.unshift({ ...first, price: 0n, owned: true, max: between(1, 4) });
  const workloads: Workload[] = Array.from({ length: between(1, 4) }, (_, at) => ({
    name: `pods-${at}`,
    from: 'test',
    replicas: between(0, 20),
    need: new Map([...amounts(['cpu'], 1, 7), ...amounts(['memory', 'disks'], 0, 7)]),
    part: some(0.3) ? 'Offline' : 'Online',
    apart: at > 0 && some(0.2) ? ['pods-0'] : [],
    spread: some(0.4),
    ...(some(0.3) && { kind: KINDS[between(0, 2)] as string }),
    ...(some(0.2) && { classes: ['type-0'] }),
    ...(some(0.3) && { perMachine: between(1, 3) }),
  }));
  return {
    workloads,
    offers,
    wishes: {
      headroom: some(0.4) ? between(1, 20) : 0,
      spares: some(0.4) ? between(1, 2) : 0,
      loseZone: zones.length > 1 && some(0.3),
      zones,
      ...(some(0.2) && { shareMax: between(60, 90) }),
      ...(some(0.2) && { typesMax: between(1, 2) }),
    },
  };
}
