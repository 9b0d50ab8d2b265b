// The solver's problem out of workloads, offers and wishes: everything exact, in whole numbers.
import { formatQuantity, NANO, type Quantity } from '../platform/kube/quantity.ts';
import { BINS_MAX, type Offer, PlanError, RESOURCES_MAX, type Wishes, type Workload } from './model.ts';
import { AMOUNT_MAX, type Bin, type Item, type Limit, type Problem, type Share } from './solve/problem.ts';

/** A kind of machine as it may be bought: a class in a zone with an offload profile. */
export interface BinKind {
  offer: Offer;
  zone?: string;
  profile?: string;
}

export interface Modelled {
  problem: Problem;
  /** Names of the resources, in the order of `need` and `room`. */
  resources: readonly string[];
  /** By resource its place or, where it is a part for online or offline Pods, that of the whole. */
  wholes: readonly number[];
  /** What a whole number of each resource stands for. */
  steps: readonly Quantity[];
  bins: readonly BinKind[];
  /** What each has that may be used: headroom is taken off, nothing is rounded. */
  rooms: readonly (readonly Quantity[])[];
  items: readonly { workload: Workload; zone?: string }[];
  /** What a whole number of a price stands for. */
  priceStep: Quantity;
  zones: readonly string[];
}

/** Of prices: a plan's cost must stay exact. */
const PRICE_MAX = 2 ** 31;

export function problemOf(
  workloads: readonly Workload[],
  offers: readonly Offer[],
  wishes: Wishes,
): Modelled {
  checkResources(workloads, offers);
  const zones = zonesOf(offers, wishes);
  const items = itemsOf(workloads, zones, wishes);
  const bins = binsOf(offers, zones);
  if (bins.length > BINS_MAX)
    throw new PlanError(
      `classes times zones times offload profiles are ${bins.length}; ${BINS_MAX} at most can be planned with`,
    );
  const { names, wholes, needs, rooms } = amountsOf(items, bins, wishes.headroom);
  const steps = names.map((_, at) => commonDivisor(needs.map((need) => need[at] as Quantity)));
  const whole = (amounts: readonly Quantity[]) =>
    amounts.map((amount, at) => Number(amount / (steps[at] as Quantity)));
  const priceStep = commonDivisor(bins.map(({ offer }) => offer.price));
  const problem: Problem = {
    items: items.map(
      ({ workload, zone, count }, at): Item => ({
        name: zone ? `${workload.name} in ${zone}` : workload.name,
        count,
        need: checked(whole(needs[at] as Quantity[]), names, workload.from),
        ...(workload.perMachine !== undefined && { most: workload.perMachine }),
      }),
    ),
    bins: bins.map(
      (bin, at): Bin => ({
        name: nameOf(bin),
        // More than the greatest amount is as good as that.
        room: whole(rooms[at] as Quantity[]).map((amount) => Math.min(amount, AMOUNT_MAX)),
        price: priceOf(bin.offer, priceStep),
        refuses: refusedBy(bin, items),
      }),
    ),
    limits: limitsOf(bins),
    shares: sharesOf(bins, wishes),
    apart: pairsApart(items),
  };
  return { problem, resources: names, wholes, steps, bins, rooms, items, priceStep, zones };
}

export function nameOf({ offer, zone, profile }: BinKind): string {
  return [offer.owned ? `${offer.name} (owned)` : offer.name, zone, profile].filter(Boolean).join('/');
}

/** A resource that no class has is rather a name that was misspelt than Pods that fit nowhere. */
function checkResources(workloads: readonly Workload[], offers: readonly Offer[]): void {
  const rooms = offers.flatMap(({ room, profiles }) => [room, ...(profiles ?? []).map((each) => each.room)]);
  const known = new Set(
    rooms.flatMap((room) => [...room].flatMap(([name, amount]) => (amount > 0n ? [name] : []))),
  );
  for (const { name: workload, from, need } of workloads)
    for (const [name, amount] of need)
      if (amount > 0n && !known.has(name))
        throw new PlanError(
          `${from}, "${name}": ${workload} needs ${formatQuantity(amount)} of it, and no machine has any; machines have ${[...known].join(', ')}`.slice(
            0,
            1000,
          ),
        );
}

function zonesOf(offers: readonly Offer[], { zones, loseZone }: Wishes): string[] {
  const named =
    zones.length > 0 ? zones : offers.flatMap((offer) => offer.zones?.map(({ zone }) => zone) ?? []);
  const all = [...new Set(named)].sort();
  if (loseZone && all.length < 2)
    throw new PlanError(
      `losing a zone needs at least 2 zones; there ${all.length === 1 ? `is only ${all[0]}` : 'are none: name them by --zones'}`,
    );
  return all;
}

interface Counted {
  workload: Workload;
  zone?: string;
  count: number;
}

function itemsOf(workloads: readonly Workload[], zones: readonly string[], { loseZone }: Wishes): Counted[] {
  return workloads.flatMap((workload): Counted[] => {
    if (workload.replicas === 0) return [];
    if (!loseZone && !(workload.spread && zones.length > 1)) return [{ workload, count: workload.replicas }];
    // With one zone lost the others hold them all.
    const shares = loseZone ? zones.length - 1 : zones.length;
    const each = Math.floor(workload.replicas / shares);
    const more = workload.replicas % shares;
    return zones.flatMap((zone, at): Counted[] => {
      const count = loseZone ? Math.ceil(workload.replicas / shares) : each + (at < more ? 1 : 0);
      return count > 0 ? [{ workload, zone, count }] : [];
    });
  });
}

function binsOf(offers: readonly Offer[], zones: readonly string[]): BinKind[] {
  return offers.flatMap((offer) => {
    const places = offer.zones
      ? offer.zones.map(({ zone }) => zone).filter((zone) => zones.includes(zone))
      : zones.length > 0
        ? zones
        : [undefined];
    return places.flatMap((zone) =>
      (offer.profiles ?? [undefined]).map((profile) => ({
        offer,
        ...(zone && { zone }),
        ...(profile && { profile: profile.name }),
      })),
    );
  });
}

/** Resources that somebody needs. Where a class divides one between online and offline Pods, so do all: one row for each part. */
function amountsOf(items: readonly Counted[], bins: readonly BinKind[], headroom: number) {
  const wanted = [
    ...new Set(
      items.flatMap(({ workload }) =>
        [...workload.need].flatMap(([name, amount]) => (amount > 0n ? [name] : [])),
      ),
    ),
  ];
  const divided = new Set(
    bins.flatMap(({ offer }) => [
      ...(offer.parts?.online.keys() ?? []),
      ...(offer.parts?.offline.keys() ?? []),
    ]),
  );
  const rows = wanted.flatMap((name): { name: string; part?: 'Online' | 'Offline' }[] =>
    divided.has(name) ? [{ name }, { name, part: 'Online' }, { name, part: 'Offline' }] : [{ name }],
  );
  if (rows.length > RESOURCES_MAX)
    throw new PlanError(`${rows.length} resources are named; ${RESOURCES_MAX} at most can be planned with`);
  const names = rows.map(({ name, part }) => (part ? `${name} (${part.toLowerCase()})` : name));
  const wholes = rows.map(({ name }) => rows.findIndex((row) => row.name === name));
  const needs = items.map(({ workload }) =>
    rows.map(({ name, part }) => (part && part !== workload.part ? 0n : (workload.need.get(name) ?? 0n))),
  );
  const rooms = bins.map(({ offer, profile }) => {
    const own = offer.profiles?.find(({ name }) => name === profile)?.room;
    return rows.map(({ name, part }) => {
      const all = own?.get(name) ?? offer.room.get(name) ?? 0n;
      const ofPart = part && offer.parts?.[part === 'Online' ? 'online' : 'offline'].get(name);
      return ((ofPart ?? all) * BigInt(Math.round((100 - headroom) * 1000))) / 100_000n;
    });
  });
  return { names, wholes, needs, rooms };
}

function checked(need: number[], names: readonly string[], from: string): number[] {
  const at = need.findIndex((amount) => amount > AMOUNT_MAX);
  if (at >= 0)
    throw new PlanError(
      `${from}: ${names[at]} is written so finely, beside what others need of it, that sums are no longer exact; round the amounts of ${names[at]}`,
    );
  return need;
}

function priceOf({ price, name, from }: Offer, step: Quantity): number {
  const whole = Number(price / step);
  if (whole <= PRICE_MAX) return whole;
  throw new PlanError(
    `${from}: the price of ${name} has too many digits (${formatQuantity(price)}); round the prices`,
  );
}

function refusedBy({ offer, zone }: BinKind, items: readonly Counted[]): Set<number> {
  const refused = new Set<number>();
  items.forEach(({ workload, zone: wanted }, at) => {
    const fits =
      (wanted === undefined || wanted === zone) &&
      (workload.classes?.includes(offer.name) ?? true) &&
      (workload.kind === undefined || (offer.kinds?.includes(workload.kind) ?? true));
    if (!fits) refused.add(at);
  });
  return refused;
}

function limitsOf(bins: readonly BinKind[]): Limit[] {
  const limits: Limit[] = [];
  for (const offer of new Set(bins.map((bin) => bin.offer))) {
    const of = (zone?: string) =>
      bins.flatMap((bin, at) =>
        bin.offer === offer && (zone === undefined || bin.zone === zone) ? [at] : [],
      );
    const name = offer.owned ? `${offer.name} (owned)` : offer.name;
    if (offer.max !== undefined) limits.push({ name, bins: of(), max: offer.max });
    for (const { zone, max } of offer.zones ?? [])
      if (max !== undefined && of(zone).length > 0)
        limits.push({ name: `${name} in ${zone}`, bins: of(zone), max });
  }
  return limits;
}

function sharesOf(bins: readonly BinKind[], { shareMax }: Wishes): Share[] {
  if (shareMax === undefined) return [];
  return [...new Set(bins.map(({ offer }) => offer.name))].map((name) => ({
    name,
    bins: bins.flatMap(({ offer }, at) => (offer.name === name ? [at] : [])),
    share: shareMax / 100,
  }));
}

function pairsApart(items: readonly Counted[]): [number, number][] {
  const pairs: [number, number][] = [];
  items.forEach(({ workload }, a) => {
    items.forEach((other, b) => {
      if (b <= a || workload === other.workload) return;
      if (workload.apart.includes(other.workload.name) || other.workload.apart.includes(workload.name))
        pairs.push([a, b]);
    });
  });
  return pairs;
}

/** Of all of them; one unit where all are 0. */
export function commonDivisor(values: readonly Quantity[]): Quantity {
  const two = (a: bigint, b: bigint): bigint => (b === 0n ? a : two(b, a % b));
  return values.reduce(two, 0n) || NANO;
}
