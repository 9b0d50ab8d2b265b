// The solver's problem out of workloads, offers, prices and periods.
import { HOUR } from '../../platform/clock/clock.ts';
import { formatQuantity, type Quantity } from '../../platform/kube/quantity.ts';
import { NO_WISHES, type Offer, PlanError, type Wishes, type Workload } from '../model.ts';
import { commonDivisor, type Modelled, problemOf } from '../problem-of.ts';
import type { Period, Replicas } from './periods.ts';
import type { HoldProblem, RentalOf } from './problem.ts';
import { costFor, leastOf, type Rates, usefulRentals } from './rentals.ts';

/** Prices of one class, by tier. */
export interface TierRates {
  daily?: Rates;
  promotion?: Rates;
}

export type HoldWishes = Pick<Wishes, 'headroom' | 'spares' | 'loseZone' | 'zones'>;

export interface HoldFleet {
  workloads: readonly Workload[];
  /** Their prices are not looked at; what is owned is held at no price. */
  offers: readonly Offer[];
  /** By name of the class. */
  rates: ReadonlyMap<string, TierRates>;
  wishes: HoldWishes;
  shortestRental_ms: number;
}

export interface HoldModelled {
  problem: HoldProblem;
  bins: Modelled['bins'];
  items: Modelled['items'];
  /** By bin: what one costs from the first day to the last, held or rented, whichever is less. */
  always: readonly (number | undefined)[];
  /** What a whole number of cost stands for. */
  costStep: Quantity;
}

export type Ways = 'Both' | 'Held' | 'Rented';

/** Of a cost: sums over a plan must stay exact. */
const COST_MAX = 2 ** 31;
const RENTALS_MAX = 20_000;
/** Rows of the linear program. */
const ROWS_MAX = 20_000;

export function holdProblemOf(
  fleet: HoldFleet,
  periods: readonly Period[],
  ways: Ways = 'Both',
): HoldModelled {
  const { workloads, offers, rates, shortestRental_ms } = fleet;
  const wishes: Wishes = { ...NO_WISHES, ...fleet.wishes };
  const modelled = problemOf(withReplicas(workloads, mostOf(periods)), offers, wishes);
  const { bins, problem: packing, items } = modelled;
  checkSize(periods.length, packing.items.length + packing.bins.length + packing.limits.length);
  const horizon = { from_ms: periods[0]?.from_ms ?? 0, to_ms: periods.at(-1)?.to_ms ?? 0 };
  const held = bins.map(({ offer }) => {
    if (offer.owned) return 0n;
    const daily = rates.get(offer.name)?.daily;
    return daily && ways !== 'Rented' ? costFor(daily, horizon) : undefined;
  });
  const always = bins.map(({ offer }, bin) => {
    const promotion = rates.get(offer.name)?.promotion;
    const rented = promotion && !offer.owned && ways !== 'Held' ? costFor(promotion, horizon) : undefined;
    return leastOf([held[bin], rented]);
  });
  const rentalsOfOffer = new Map(
    offers.map((offer) => {
      const promotion = rates.get(offer.name)?.promotion;
      if (!promotion || offer.owned || ways === 'Held') return [offer, []];
      const bin = bins.findIndex((each) => each.offer === offer);
      const isLimited = packing.limits.some((limit) => limit.bins.includes(bin));
      return [
        offer,
        usefulRentals(periods, promotion, { shortest_ms: shortestRental_ms, isLimited, held: held[bin] }),
      ];
    }),
  );
  const rentals = bins.flatMap(({ offer }, bin) =>
    (rentalsOfOffer.get(offer) ?? []).map((rental) => ({ ...rental, bin })),
  );
  if (rentals.length > RENTALS_MAX)
    throw new PlanError(
      `${rentals.length} rentals (classes times zones times times from when to when) could be of use; ${RENTALS_MAX} at most can be planned with: take a shorter time, fewer dates or fewer classes`,
    );
  const costStep = commonDivisor([
    ...[...held, ...always].filter((cost) => cost !== undefined),
    ...rentals.map(({ cost }) => cost),
  ]);
  const whole = (cost: Quantity, bin: number) => {
    const count = Number(cost / costStep);
    if (count <= COST_MAX) return count;
    const { name, from } = (bins[bin] as HoldModelled['bins'][number]).offer;
    throw new PlanError(
      `${from}: what ${name} costs has too many digits (${formatQuantity(cost)} over the time): round the prices`,
    );
  };
  const wholes = (costs: readonly (Quantity | undefined)[]) =>
    costs.map((cost, bin) => (cost === undefined ? undefined : whole(cost, bin)));
  return {
    problem: {
      packing,
      counts: countsIn(periods, fleet, modelled),
      hours: periods.map(({ from_ms, to_ms }) => (to_ms - from_ms) / HOUR),
      held: wholes(held),
      rentals: rentals.map(
        ({ bin, from_ms, to_ms, first, last, cost }): RentalOf => ({
          bin,
          from_ms,
          to_ms,
          first,
          last,
          touches: [
            periods.findIndex((period) => period.to_ms > from_ms),
            periods.findLastIndex((period) => period.from_ms < to_ms),
          ],
          cost: whole(cost, bin),
        }),
      ),
    },
    bins,
    items,
    always: wholes(always),
    costStep,
  };
}

function checkSize(periods: number, rows: number): void {
  if (periods * rows > ROWS_MAX)
    throw new PlanError(
      `${periods} times between changes, with ${rows} Pod shapes, kinds of machines and limits each, make ${periods * rows} rows; ${ROWS_MAX} at most can be planned with: take a shorter time, fewer dates or fewer profiles`,
    );
}

/** By workload the most that there ever are. */
export function mostOf(periods: readonly Period[]): Replicas {
  const most = new Map<string, number>();
  for (const { replicas } of periods)
    for (const [name, count] of replicas) most.set(name, Math.max(count, most.get(name) ?? 0));
  return most;
}

function withReplicas(workloads: readonly Workload[], replicas: Replicas): Workload[] {
  return workloads.map((each) => ({ ...each, replicas: replicas.get(each.name) ?? each.replicas }));
}

/** Spread over the zones as problemOf spreads them. */
function countsIn(periods: readonly Period[], fleet: HoldFleet, { items }: Modelled): number[][] {
  const key = (name: string, zone: string | undefined) => JSON.stringify([name, zone]);
  return periods.map(({ replicas }) => {
    const own = problemOf(withReplicas(fleet.workloads, replicas), fleet.offers, {
      ...NO_WISHES,
      ...fleet.wishes,
    });
    const counts = new Map(
      own.items.map(({ workload, zone }, at) => [
        key(workload.name, zone),
        own.problem.items[at]?.count ?? 0,
      ]),
    );
    return items.map(({ workload, zone }) => counts.get(key(workload.name, zone)) ?? 0);
  });
}
