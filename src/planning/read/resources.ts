// MachineClasses and WorkloadProfiles, from files or from a cluster, as offers and workloads.
import { date } from '../../api/fields.ts';
import { machineClassKind } from '../../api/machine-class.ts';
import { ONE_EACH, workloadProfileKind } from '../../api/workload-profile.ts';
import { OFFERS_MAX, type Offer, PlanError, WORKLOADS_MAX, type Workload } from '../model.ts';
import { offerOf, type PriceChoice } from './machine-class.ts';
import { type Known, workloadOf } from './workload-profile.ts';
import { fault, readAs, type Written } from './written.ts';

export interface ReadOptions extends PriceChoice {
  /** Replicas of this day: `2026-11-11`. Without it, the most that each profile ever has. */
  at?: string;
}

/** What was read elsewhere, as from tables: it may be named, and no name may be there twice. */
export interface Beside {
  offers: readonly Offer[];
  workloads: readonly Workload[];
}

/** Throws a PlanError that names file, document, object and field. */
export function resourcesOf(
  written: readonly Written[],
  { at, ...choice }: ReadOptions,
  beside: Beside = { offers: [], workloads: [] },
): { offers: Offer[]; workloads: Workload[] } {
  if (at !== undefined && !date().safeParse(at).success)
    throw new PlanError(`"${at.slice(0, 40)}" is no date; write it like 2026-11-11`);
  const classes = readAs(machineClassKind, written);
  const profiles = readAs(workloadProfileKind, written);
  if (classes.length > OFFERS_MAX)
    throw new PlanError(
      `there are ${classes.length} MachineClasses; ${OFFERS_MAX} at most can be planned with`,
    );
  if (profiles.length > WORKLOADS_MAX)
    throw new PlanError(
      `there are ${profiles.length} WorkloadProfiles; ${WORKLOADS_MAX} at most can be planned for`,
    );
  refuseKnown(classes, beside.offers);
  refuseKnown(profiles, beside.workloads);
  const offers = classes.map((each) => offerOf(each, choice));
  const known = knownOf([...beside.offers, ...offers], [...beside.workloads, ...profiles]);
  const workloads = profiles.map((each) => workloadOf(each, known, at));
  const all = [...beside.workloads, ...workloads];
  if (all.length > 0 && all.every(({ replicas }) => replicas === 0))
    throw new PlanError(
      at === undefined
        ? `${all[0]?.from}: replicas are 0, as those of all others: there is nothing to plan for`
        : `${all[0]?.from}: replicas are 0 on ${at}, as those of all others: take a later date, or write replicas for the time before the first`,
    );
  return { offers, workloads };
}

function refuseKnown(
  read: readonly { name: string; from: string }[],
  beside: readonly { name: string; from: string }[],
): void {
  const places = new Map(beside.map(({ name, from }) => [name, from]));
  for (const { name, from } of read) {
    const before = places.get(name);
    if (before) throw fault(from, 'metadata.name', `"${name}" is there already, in ${before}; write it once`);
  }
}

function knownOf(offers: readonly Offer[], profiles: readonly { name: string }[]): Known {
  const rooms = offers.flatMap(({ room, profiles: cards = [] }) => [room, ...cards.map((card) => card.room)]);
  return {
    offers,
    resources: new Set(rooms.flatMap((room) => [...room.keys()])),
    ones: ONE_EACH.filter((resource) => rooms.some((room) => (room.get(resource) ?? 0n) > 0n)),
    classes: new Set(offers.map(({ name }) => name)),
    profiles: new Set(profiles.map(({ name }) => name)),
  };
}
