// A MachineClass as an offer: what is left for Pods, where, how many and for how much.
import { twice } from '../../api/amounts.ts';
import {
  FIELD_RESOURCES,
  type MachineClass,
  PRICES,
  type PriceOf,
  type Tier,
  writtenTwice,
} from '../../api/machine-class.ts';
import {
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
} from '../../platform/kube/quantity.ts';
import type { Amounts, Offer } from '../model.ts';
import { amountsIn, fault, isNothing, listed, type Read, sumOf } from './written.ts';

export interface PriceChoice {
  tier: Tier;
  /** Without it every price is 0, and none is asked for. */
  price?: PriceOf;
}

type Class = Read<MachineClass['spec']>;

/** Throws a PlanError that names object and field. */
export function offerOf(read: Class, choice: PriceChoice): Offer {
  const { spec, from, name } = read;
  checkKeys(read);
  const room = sumOf([amountsIn(spec.resources), fieldAmounts(read)]);
  const profiles = spec.offload.map((card) => ({ name: card.name, room: amountsIn(card.resources) }));
  // All that a machine of the class may come as.
  const variants = profiles.length > 0 ? profiles.map((card) => new Map([...room, ...card.room])) : [room];
  if (variants.some(isNothing))
    throw fault(from, 'spec.resources', 'all amounts are 0: no Pod would fit on such a machine');
  const kept = sumOf([amountsIn(spec.partition.system), amountsIn(spec.partition.kube)]);
  for (const [resource, amount] of kept) {
    const there = leastOf(variants, resource);
    if (amount > there)
      throw fault(
        from,
        'spec.partition',
        `system and kube keep ${formatQuantity(amount)} of ${resource}, and the machine has ${formatQuantity(there)}; let them keep less`,
      );
  }
  const rest = (amounts: Amounts) => less(amounts, kept);
  const parts = partsOf(read, variants.map(rest));
  const zones = spec.stock.map(({ zone, machines }) => ({
    zone,
    ...(machines !== undefined && { max: machines }),
  }));
  return {
    name,
    from,
    room: rest(room),
    ...(parts && { parts }),
    price: choice.price && canBeHad(spec) ? priceOf(read, choice.tier, choice.price) : 0n,
    owned: false,
    ...(spec.quota !== undefined && { max: spec.quota }),
    ...(zones.length > 0 && { zones }),
    ...(profiles.length > 0 && {
      profiles: profiles.map((card) => ({ name: card.name, room: rest(card.room) })),
    }),
    ...(spec.kinds.length > 0 && { kinds: spec.kinds }),
  };
}

/** What the API checks by list keys and rules. */
function checkKeys({ from, spec }: Class): void {
  const { prices, stock, offload } = spec;
  const lists: [string, string | undefined][] = [
    ['spec.prices', twice(prices.map(({ tier }) => tier))],
    ['spec.stock', twice(stock.map(({ zone }) => zone))],
    ['spec.offload', twice(offload.map(({ name }) => name))],
  ];
  for (const [field, key] of lists)
    if (key !== undefined) throw fault(from, field, `${key} is there twice; write it once`);
  const double = FIELD_RESOURCES.find(({ field, resource }) => spec[field] && resource in spec.resources);
  if (double) throw fault(from, `spec.resources.${double.resource}`, writtenTwice(double));
}

function fieldAmounts({ spec }: Class): Amounts {
  const { systemDisk, dataDisk, localNvme } = spec;
  const amounts = new Map(
    amountsIn({
      ...(systemDisk && { 'system-disk': systemDisk.size }),
      ...(dataDisk && { 'data-disk': dataDisk.size }),
      ...(localNvme && { nvme: localNvme.count, 'nvme-storage': localNvme.size }),
    }),
  );
  const each = amounts.get('nvme-storage');
  if (localNvme && each !== undefined) amounts.set('nvme-storage', each * BigInt(localNvme.count));
  return amounts;
}

function partsOf({ from, spec }: Class, variants: readonly Amounts[]): Offer['parts'] {
  const { online, offline } = spec.partition;
  if (!online && !offline) return undefined;
  for (const [part, written] of Object.entries({ online, offline }))
    for (const [resource, amount] of amountsIn(written)) {
      const there = leastOf(variants, resource);
      if (amount > there)
        throw fault(
          from,
          `spec.partition.${part}.${resource}`,
          `${formatQuantity(amount)} is more than the ${formatQuantity(there)} that system and kube leave; write at most that`,
        );
    }
  return { online: amountsIn(online), offline: amountsIn(offline) };
}

/** A class of which none can be bought needs no price. */
function canBeHad({ quota, stock }: MachineClass['spec']): boolean {
  return quota !== 0 && (stock.length === 0 || stock.some(({ machines }) => machines !== 0));
}

function priceOf({ from, spec }: Class, tier: Tier, price: PriceOf): Quantity {
  const entry = spec.prices.find((each) => each.tier === tier);
  if (!entry) {
    const others = spec.prices.length > 0 ? `there is only ${spec.prices[0]?.tier}` : 'there are none';
    throw fault(
      from,
      'spec.prices',
      `the prices of the tier ${tier} are missing, ${others}; write { tier: ${tier}, ${price}: "12.50" }`,
    );
  }
  const written = entry[price];
  if (written !== undefined) return parseQuantity(written) ?? 0n;
  const others = PRICES.filter((each) => entry[each] !== undefined);
  throw fault(
    from,
    `spec.prices[${spec.prices.indexOf(entry)}].${price}`,
    `the price is missing${others.length > 0 ? `, there is ${listed(others)}` : ''}; write ${price}: "12.50"`,
  );
}

function leastOf(variants: readonly Amounts[], resource: string): Quantity {
  return variants.map((variant) => variant.get(resource) ?? 0n).sort(compareQuantities)[0] ?? 0n;
}

function less(amounts: Amounts, kept: Amounts): Amounts {
  return new Map([...amounts].map(([name, amount]) => [name, amount - (kept.get(name) ?? 0n)]));
}
