import type { HealingPolicy } from '../api/healing-policy.ts';
import type { Machine } from '../api/machine.ts';
import { matches } from '../platform/kube/labels.ts';
import { labelsOf } from './labels.ts';

/** The HealingPolicy that counts for a machine: the highest priority, then the first by name. */
export function policyFor(machine: Machine, policies: Iterable<HealingPolicy>): HealingPolicy | undefined {
  return policyForLabels(labelsOf(machine), policies);
}

/** @param labels as `labelsOf` gives them. */
export function policyForLabels(
  labels: Readonly<Record<string, string>>,
  policies: Iterable<HealingPolicy>,
): HealingPolicy | undefined {
  let best: HealingPolicy | undefined;
  for (const policy of policies) {
    if (!matches(policy.spec.selector, labels)) continue;
    if (!best || comesBefore(policy, best)) best = policy;
  }
  return best;
}

function comesBefore(a: HealingPolicy, b: HealingPolicy): boolean {
  if (a.spec.priority !== b.spec.priority) return a.spec.priority > b.spec.priority;
  return a.metadata.name < b.metadata.name;
}
