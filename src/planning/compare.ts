// What two plans differ in.
import { machinesOf, type Plan } from './plan.ts';

export interface Difference {
  what: string;
  a: number;
  b: number;
  /** Shares are told in percent, the others as they are. */
  unit?: 'share';
}

/** Cost and machines first, then machines by class, Pods without a place, and use by resource over all machines. */
export function differences(a: Plan, b: Plan): Difference[] {
  const both = (what: string, of: (plan: Plan) => number): Difference => ({ what, a: of(a), b: of(b) });
  const classes = names([a, b], (plan) => plan.machines.map((each) => each.class));
  const left = names([a, b], (plan) => Object.keys(plan.unplaced));
  const resources = names([a, b], (plan) => plan.waste.map(({ resource }) => resource));
  return [
    both('cost', ({ cost }) => cost),
    both('no plan costs less', ({ bound }) => bound),
    both('machines', (plan) => machinesOf(plan)),
    ...classes.map((name) => both(`machines of ${name}`, (plan) => machinesOf(plan, name))),
    ...left.map((name) => both(`without a place: ${name}`, ({ unplaced }) => unplaced[name] ?? 0)),
    ...resources.map((name) => ({
      ...both(`${name} used`, (plan) => usedOf(plan, name)),
      unit: 'share' as const,
    })),
  ];
}

function names(plans: readonly Plan[], of: (plan: Plan) => string[]): string[] {
  return [...new Set(plans.flatMap(of))];
}

/** Of all that machines have that have it. */
function usedOf({ waste }: Plan, resource: string): number {
  const rows = waste.filter((row) => row.resource === resource);
  const has = rows.reduce((sum, row) => sum + row.has * row.machines, 0);
  return has > 0 ? rows.reduce((sum, row) => sum + row.used * row.has * row.machines, 0) / has : 0;
}
