// For plans over time: what classes cost in each tier, and how many Pods there are by date.
import { machineClassKind, type Tier } from '../../api/machine-class.ts';
import { workloadProfileKind } from '../../api/workload-profile.ts';
import { parseQuantity } from '../../platform/kube/quantity.ts';
import type { Series } from '../by-date.ts';
import type { TierRates } from '../hold/problem-of.ts';
import type { Rates } from '../hold/rentals.ts';
import { fault, readAs, type Written } from './written.ts';

export function seriesOf(written: readonly Written[]): Series[] {
  return readAs(workloadProfileKind, written).map(({ name, spec: { replicas, series } }) => ({
    name,
    series,
    ...(replicas !== undefined && { replicas }),
  }));
}

/** By name of the class. Throws a PlanError that names object and field. */
export function tierRatesOf(written: readonly Written[]): Map<string, TierRates> {
  return new Map(
    readAs(machineClassKind, written).map(({ name, from, spec }): [string, TierRates] => {
      const of = (tier: Tier): Rates | undefined => {
        const at = spec.prices.findIndex((each) => each.tier === tier);
        const entry = spec.prices[at];
        if (!entry) return undefined;
        const amount = (text: string | undefined) => parseQuantity(text ?? '');
        const [hour, month, oneOff] = [amount(entry.hour), amount(entry.month), amount(entry.oneOff)];
        if (tier === 'Promotion' && hour === undefined && month === undefined)
          throw fault(
            from,
            `spec.prices[${at}].hour`,
            'what is rented needs a price by hour or month; write hour: "12.50"',
          );
        if (hour === undefined && month === undefined && oneOff === undefined)
          throw fault(from, `spec.prices[${at}].hour`, 'the price is missing; write hour: "12.50"');
        return {
          ...(hour !== undefined && { hour }),
          ...(month !== undefined && { month }),
          ...(oneOff !== undefined && { oneOff }),
        };
      };
      const [daily, promotion] = [of('Daily'), of('Promotion')];
      if (!daily && !promotion && spec.quota !== 0)
        throw fault(
          from,
          'spec.prices',
          'there is no price of any tier; write { tier: Daily, hour: "12.50" }',
        );
      return [name, { ...(daily && { daily }), ...(promotion && { promotion }) }];
    }),
  );
}
