import type { DisruptionBudget } from '../../api/disruption-budget.ts';
import { allowanceOf } from '../../api/fields.ts';
import { frozen, outsideWindows } from '../../budget/calendar.ts';
import { labelsOf } from '../../fleet/labels.ts';
import { matches } from '../../platform/kube/labels.ts';
import type { Tree } from '../tree.ts';
import type { Facts } from './facts.ts';
import { shortTimes } from './times.ts';

/** Every DisruptionBudget that a disruption of this machine has to pass. */
export function budgets({ machine, budgets }: Facts, now: number): Tree {
  const labels = labelsOf(machine);
  const mine = budgets.filter(({ spec }) => matches(spec.selector, labels));
  if (mine.length === 0)
    return {
      label: 'budgets',
      text: 'no DisruptionBudget selects this machine, so nothing disruptive is done to it',
      tone: 'bad',
    };
  return {
    label: 'budgets',
    text: 'a disruption has to pass all of these',
    children: mine.map((budget) => one(budget, now)),
  };
}

function one(budget: DisruptionBudget, now: number): Tree {
  const { spec, status = {} } = budget;
  const label = budget.metadata.name;
  if (spec.stop) return { label, text: `stopped by ${spec.stop.by}: ${spec.stop.why}`, tone: 'bad' };
  const closed = frozen(budget, now) ?? outsideWindows(budget, now);
  const exempt = spec.exempt.length > 0 ? ` (not for ${spec.exempt.join(', ')})` : '';
  if (closed) return { label, text: `${shortTimes(closed.message, now)}${exempt}`, tone: 'wait' };
  if (status.selected === undefined) return { label, text: 'not counted yet' };
  const { selected, schedulable = 0, disrupted = 0, inFlight = 0 } = status;
  const allowed = allowanceOf(spec.maxDisrupted, selected);
  const share = selected > 0 ? ((schedulable / selected) * 100).toFixed(1) : '0';
  const text =
    `${disrupted} of at most ${allowed} disrupted, ${inFlight} of at most ${allowanceOf(spec.maxInFlight, selected)} operations under way, ` +
    `${schedulable} of ${selected} nodes take Pods (${share} %, at least ${spec.minSchedulable})`;
  return { label, text, ...(disrupted >= allowed && { tone: 'wait' as const }) };
}
