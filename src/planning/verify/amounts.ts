// Amounts of the planner's problem as Kubernetes writes them.
import { formatQuantity, NANO, type Quantity } from '../../platform/kube/quantity.ts';
import type { Modelled } from '../problem-of.ts';

export type ResourceList = Readonly<Record<string, string>>;

/** An extended resource, integers only: one of it is `unit` of what the plan calls `resource`. */
export interface ExtendedResource {
  resource: string;
  as: string;
  unit: string;
}

/** Resources that every kubelet reports; all others are extended ones, `drover.dev/resource-1` and on. */
const NATIVE: Readonly<Record<string, { step: Quantity; suffix: string }>> = {
  cpu: { step: NANO / 1000n, suffix: 'm' },
  memory: { step: NANO, suffix: '' },
  pods: { step: NANO, suffix: '' },
};

/** By resource of the problem, as Kubernetes is told of it. */
export function namesOf({ resources, steps, problem }: Modelled): string[] {
  let extended = 0;
  return resources.map((name, at) => {
    const step = steps[at] as Quantity;
    // Every Pod counts as one Pod; where the plan counts otherwise, they are two things.
    const asKubernetes =
      name !== 'pods' || problem.items.every(({ need }) => BigInt(need[at] as number) * step === NANO);
    return NATIVE[name] && asKubernetes ? name : `drover.dev/resource-${++extended}`;
  });
}

/** What a machine has is rounded down, what a Pod needs is rounded up. */
export function listOf(
  amounts: readonly number[],
  { steps }: Modelled,
  names: readonly string[],
  round: 'Down' | 'Up',
): Record<string, string> {
  const entries = names.flatMap((name, at): [string, string][] => {
    const amount = BigInt(amounts[at] as number);
    if (amount === 0n) return [];
    const native = NATIVE[name];
    if (!native) return [[name, String(amount)]];
    const exact = amount * (steps[at] as Quantity);
    const whole = (round === 'Up' ? exact + native.step - 1n : exact) / native.step;
    return [[name, `${whole}${native.suffix}`]];
  });
  return Object.fromEntries(entries);
}

export function extendedOf({ resources, steps }: Modelled, names: readonly string[]): ExtendedResource[] {
  return resources.flatMap((resource, at) => {
    const as = names[at] as string;
    return NATIVE[as] ? [] : [{ resource, as, unit: formatQuantity(steps[at] as Quantity) }];
  });
}
