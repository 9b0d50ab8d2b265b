// Whether a plan keeps what was asked for: the Pods, machines and wishes as they were written, not as the solver has them.
// It shares no code with what makes plans.
import type { Quantity } from '../platform/kube/quantity.ts';
import type { Amounts, Offer, Wishes, Workload } from './model.ts';

/** Machines that are all filled alike; without Pods they are spares. */
export interface FilledMachines {
  offer: Offer;
  zone?: string;
  /** Of the offload card. */
  profile?: string;
  count: number;
  pods: readonly { workload: Workload; count: number }[];
}

export interface PlanToCheck {
  workloads: readonly Workload[];
  wishes: Wishes;
  /** Those that may be spread over. */
  zones: readonly string[];
  machines: readonly FilledMachines[];
  /** By name of the workload. */
  unplaced: Readonly<Record<string, number>>;
}

const BROKEN_MAX = 20;

/** What is broken, one sentence each; empty where nothing is. */
export function brokenPlan(plan: PlanToCheck): string[] {
  const broken = [
    ...plan.machines.flatMap((each) => brokenMachine(each, plan.wishes)),
    ...brokenStock(plan.machines),
    ...plan.workloads.flatMap((workload) => brokenWorkload(workload, plan)),
    ...brokenClasses(plan.machines, plan.wishes),
  ];
  return broken.slice(0, BROKEN_MAX);
}

function brokenMachine(machines: FilledMachines, { headroom }: Wishes): string[] {
  const { offer, zone, profile, pods, count } = machines;
  const broken: string[] = [];
  const tell = (words: string) => broken.push(`${offer.name}: ${words}`);
  if (!Number.isSafeInteger(count) || count < 1) tell(`there are ${count}`);
  if (offer.zones && !offer.zones.some((each) => each.zone === zone)) tell(`it is not to be had in ${zone}`);
  const card = offer.profiles?.find(({ name }) => name === profile);
  if (offer.profiles && !card) tell(`it has no offload profile ${profile}`);
  const room = new Map([...offer.room, ...(card?.room ?? [])]);
  for (const { workload, count: held } of pods) {
    const { name, classes, kind, perMachine } = workload;
    if (classes && !classes.includes(offer.name)) tell(`${name} may not be on it`);
    if (kind && offer.kinds && !offer.kinds.includes(kind)) tell(`${name} does not suit it`);
    if (perMachine !== undefined && held > perMachine)
      tell(`${held} of ${name}, of which ${perMachine} may be`);
    for (const other of pods)
      if (workload.apart.includes(other.workload.name)) tell(`${name} is beside ${other.workload.name}`);
  }
  // Thousandths of a percent are exact.
  const free = BigInt(Math.round((100 - headroom) * 1000));
  const check = (what: string, amounts: Amounts, part?: Workload['part']) => {
    for (const name of new Set(pods.flatMap(({ workload }) => [...workload.need.keys()]))) {
      if (part && !amounts.has(name)) continue;
      const used = pods.reduce<Quantity>(
        (sum, { workload, count: held }) =>
          part && workload.part !== part ? sum : sum + (workload.need.get(name) ?? 0n) * BigInt(held),
        0n,
      );
      if (used * 100_000n > (amounts.get(name) ?? 0n) * free) tell(`there is too little ${name}${what}`);
    }
  };
  check('', room);
  if (offer.parts) {
    check(' for online Pods', offer.parts.online, 'Online');
    check(' for offline Pods', offer.parts.offline, 'Offline');
  }
  return broken;
}

function brokenStock(machines: readonly FilledMachines[]): string[] {
  const broken: string[] = [];
  for (const offer of new Set(machines.map((each) => each.offer))) {
    const own = machines.filter((each) => each.offer === offer);
    const limits = [{ max: offer.max, of: own, where: '' }].concat(
      (offer.zones ?? []).map(({ zone, max }) => ({
        max,
        of: own.filter((each) => each.zone === zone),
        where: ` in ${zone}`,
      })),
    );
    for (const { max, of, where } of limits)
      if (max !== undefined && countOf(of) > max)
        broken.push(`${offer.name}: there are ${countOf(of)}${where}, and ${max} at most can be had`);
  }
  return broken;
}

function brokenWorkload(workload: Workload, { wishes, zones, machines, unplaced }: PlanToCheck): string[] {
  const { name, replicas, spread } = workload;
  const placedOn = (some: readonly FilledMachines[]) =>
    some.reduce(
      (sum, { count, pods }) =>
        sum + count * pods.reduce((all, each) => (each.workload === workload ? all + each.count : all), 0),
      0,
    );
  const left = unplaced[name] ?? 0;
  const placed = placedOn(machines);
  const inZones = zones.map((zone) => placedOn(machines.filter((each) => each.zone === zone)));
  if (wishes.loseZone) {
    const worst = placed - Math.max(0, ...inZones);
    return worst + left < replicas ? [`${name}: with a zone lost ${worst} of ${replicas} are left`] : [];
  }
  const broken =
    placed + left === replicas ? [] : [`${name}: ${placed + left} of ${replicas} are accounted for`];
  if (spread && left === 0 && inZones.length > 1 && Math.max(...inZones) - Math.min(...inZones) > 1)
    broken.push(`${name}: it is not spread evenly, but ${inZones.join(', ')}`);
  return broken;
}

function brokenClasses(machines: readonly FilledMachines[], { shareMax, typesMax }: Wishes): string[] {
  const broken: string[] = [];
  const names = [...new Set(machines.map(({ offer }) => offer.name))];
  if (typesMax !== undefined && names.length > typesMax)
    broken.push(`there are ${names.length} classes, and ${typesMax} were wished at most`);
  const all = countOf(machines);
  for (const name of shareMax === undefined ? [] : names) {
    const own = countOf(machines.filter(({ offer }) => offer.name === name));
    if (own * 100 > (shareMax as number) * all + 1e-6)
      broken.push(`${own} of ${all} machines are ${name}, more than ${shareMax} %`);
  }
  return broken;
}

function countOf(machines: readonly FilledMachines[]): number {
  return machines.reduce((sum, { count }) => sum + count, 0);
}
