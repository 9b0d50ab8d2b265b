// What would be if: another amount of one resource, on a class or of a Pod; more or fewer of them; a class that is not there.
import { parseQuantity, type Quantity } from '../platform/kube/quantity.ts';
import { type Offer, PlanError, type Workload } from './model.ts';

export const CHANGES_MAX = 50;

export interface Change {
  /** As it was written. */
  what: string;
  workloads: readonly Workload[];
  offers: readonly Offer[];
}

const WRITTEN =
  'write CLASS.RESOURCE=AMOUNT, CLASS.price=AMOUNT, CLASS.max=NUMBER, WORKLOAD.RESOURCE=AMOUNT, WORKLOAD.replicas=NUMBER or "without CLASS"';

/** `ebmc6.network-interfaces=64`, `trade.cpu=12`, `without ebmc6`. Throws a PlanError that says what is wrong. */
export function changeOf(what: string, workloads: readonly Workload[], offers: readonly Offer[]): Change {
  const without = /^without (.+)$/.exec(what)?.[1];
  if (without !== undefined) {
    const rest = offers.filter(({ name }) => name !== without);
    if (rest.length === offers.length) throw unknown(what, without, workloads, offers);
    if (rest.length === 0) throw new PlanError(`"${what}": there is no other class`);
    return { what, workloads, offers: rest };
  }
  const [, name = '', field = '', written = ''] = /^(.+)\.([^.=]+(?:\/[^.=]+)?)=(.+)$/.exec(what) ?? [];
  const amount = parseQuantity(written);
  if (name === '' || amount === undefined || amount < 0n)
    throw new PlanError(`"${what}" is no change; ${WRITTEN}`);
  const [isClass, isWorkload] = [
    offers.some((each) => each.name === name),
    workloads.some((each) => each.name === name),
  ];
  if (isClass === isWorkload) throw unknown(what, name, workloads, offers);
  if (isClass)
    return {
      what,
      workloads,
      offers: offers.map((each) =>
        each.name === name && !each.owned ? changedOffer(each, field, amount, what) : each,
      ),
    };
  return {
    what,
    workloads: workloads.map((each) =>
      each.name === name ? changedWorkload(each, field, amount, what) : each,
    ),
    offers,
  };
}

function changedOffer(offer: Offer, field: string, amount: Quantity, what: string): Offer {
  if (field === 'price') return { ...offer, price: amount };
  if (field === 'max') return { ...offer, max: numberOf(amount, what) };
  const profiles = offer.profiles?.map((profile) =>
    profile.room.has(field) ? { ...profile, room: new Map(profile.room).set(field, amount) } : profile,
  );
  return { ...offer, room: new Map(offer.room).set(field, amount), ...(profiles && { profiles }) };
}

function changedWorkload(workload: Workload, field: string, amount: Quantity, what: string): Workload {
  if (field === 'replicas') return { ...workload, replicas: numberOf(amount, what) };
  return { ...workload, need: new Map(workload.need).set(field, amount) };
}

function numberOf(amount: Quantity, what: string): number {
  const number = Number(amount) / 1e9;
  if (Number.isSafeInteger(number)) return number;
  throw new PlanError(`"${what}": a whole number is wanted`);
}

function unknown(
  what: string,
  name: string,
  workloads: readonly Workload[],
  offers: readonly Offer[],
): PlanError {
  const both = offers.some((each) => each.name === name) && workloads.some((each) => each.name === name);
  if (both)
    return new PlanError(`"${what}": ${name} is a class and a workload; give one of them another name`);
  const names = [...offers, ...workloads].map((each) => each.name);
  return new PlanError(
    `"${what}": there is no ${name}; there are ${names.slice(0, 20).join(', ')}${names.length > 20 ? ' …' : ''}`,
  );
}
