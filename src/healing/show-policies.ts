import type { Reason } from '../api/fields.ts';
import { type HealingPolicy, healingPolicyKind } from '../api/healing-policy.ts';
import { setConditions } from '../fleet/acceptance.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import type { Condition } from '../platform/kube/objects.ts';

const CALM = 'few machines are in trouble; repairs that reboot are let through';

/** Shows on each policy whether its rules are understood and whether its brake holds. One pass. */
export async function showPolicies(
  client: KubeClient,
  policies: Iterable<HealingPolicy>,
  about: {
    wrongRules(policy: string): readonly string[];
    brakeOf(policy: HealingPolicy): Reason | undefined;
  },
  now: number,
): Promise<void> {
  for (const policy of policies) {
    const wrong = about.wrongRules(policy.metadata.name);
    const braked = about.brakeOf(policy);
    const wanted: Omit<Condition, 'lastTransitionTime'>[] = [
      wrong.length > 0
        ? { type: 'Accepted', status: 'False', reason: 'InvalidRule', message: invalid(wrong) }
        : { type: 'Accepted', status: 'True', reason: 'Valid', message: 'the spec is understood' },
      braked
        ? { type: 'Braked', status: 'True', reason: braked.reason, message: braked.message }
        : { type: 'Braked', status: 'False', reason: 'Calm', message: CALM },
    ];
    await setConditions(client, { resource: healingPolicyKind.resource }, policy, wanted, now);
  }
}

function invalid(wrong: readonly string[]): string {
  return `${wrong.join('; ')}. The other rules and the ladders are in force`.slice(0, 1000);
}
