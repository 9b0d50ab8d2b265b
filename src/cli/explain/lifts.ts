import type { Reason } from '../../api/fields.ts';
import type { HealingPolicy } from '../../api/healing-policy.ts';
import type { Machine } from '../../api/machine.ts';
import type { NodeOperation } from '../../api/node-operation.ts';
import { nodeNameOf } from '../../fleet/labels.ts';

interface Around {
  machine: Machine;
  policy: HealingPolicy | undefined;
  operation: NodeOperation | undefined;
}

/** Who can lift what is waited for, each with the exact command where there is one; what lifts by itself says so. */
export function liftsOf({ reason, evidence = {} }: Reason, { machine, policy, operation }: Around): string[] {
  const { name } = machine.metadata;
  const budget = evidence.budget ?? 'NAME';
  const policyName = policy?.metadata.name ?? 'NAME';
  switch (reason) {
    case 'Locked':
      return [
        `${machine.spec.desired.locked?.by ?? 'whoever locked it'} decides; unlock: ${patch('machine', name, { desired: { locked: null } })}`,
      ];
    case 'Stopped':
      return [
        `${evidence.by ?? 'whoever stopped it'} decides; lift the stop: ${patch('disruptionbudget', budget, { stop: null })}`,
      ];
    case 'Frozen':
    case 'OutsideWindow':
      return [
        `by itself then; see or change it: kubectl edit disruptionbudget ${budget}`,
        ...force(operation),
      ];
    case 'BudgetSpent':
    case 'TopologySpent':
    case 'TooManyInFlight':
    case 'RateSpent':
    case 'TooFewSchedulable':
      return [
        `by itself when others have ended (drover get operations); raise it: kubectl edit disruptionbudget ${budget}`,
        ...force(operation),
      ];
    case 'NoBudget':
      return ["a DisruptionBudget has to select this machine: 'drover install' puts one there for all"];
    case 'Braked':
      return [
        'first find what the machines have in common: drover get incidents -o wide',
        `by itself when fewer are in trouble; raise it: kubectl edit healingpolicy ${policyName} (spec.brake)`,
        ...force(operation),
      ];
    case 'PodDisruptionBudget':
    case 'EvictionRefused':
      return [
        `the owner of the Pods: kubectl get pdb -A; kubectl get pods -A --field-selector spec.nodeName=${nodeNameOf(machine)}`,
      ];
    case 'MachineBusy':
      return [`by itself when it has ended: kubectl describe nodeoperation ${evidence.operation ?? ''}`];
    case 'ObserveOnly':
      return [`let Drover heal: ${patch('healingpolicy', policyName, { mode: 'Heal' })}`];
    case 'NoPolicy':
      return ["a HealingPolicy has to select this machine: 'drover install' puts one there for all"];
    case 'NoProvider':
    case 'ProviderBusy':
    case 'ProviderBadCredentials':
      return [`see what the provider says: kubectl describe machineprovider ${machine.spec.provider.name}`];
    case 'NoCluster':
      return [`see why: kubectl describe cluster.drover.dev ${machine.spec.cluster}`];
    case 'NotConfirmed':
      return [
        'by itself when the witnesses agree, or a person is called then',
        `what power and console say comes from: kubectl describe machineprovider ${machine.spec.provider.name}`,
      ];
    case 'HeldTooLong':
      return ['what holds the operation is named in it; it goes on by itself when that is lifted'];
    case 'StaleData':
    case 'NotLeader':
      return ['by itself when Drover reaches the API again'];
    case 'LadderEnded':
    case 'RepeatOffender':
    case 'TooManyTries':
      return [
        `a person has to look at the machine (console, BMC); the incident ends by itself when the machine is well for some seconds`,
      ];
    default:
      // The rest is time: a dump, a boot, a wait before the next remedy.
      return [];
  }
}

function patch(kind: string, name: string, spec: unknown): string {
  return `kubectl patch ${kind} ${name} --type=merge -p '${JSON.stringify({ spec })}'`;
}

/** Force passes budgets, freezes, windows and the brake. It names its author, so it is written by hand. */
function force(operation: NodeOperation | undefined): string[] {
  if (!operation) return [];
  const spec = { force: { by: 'YOU', why: 'WHY' } };
  return [`past all limits, at your own risk: ${patch('nodeoperation', operation.metadata.name, spec)}`];
}
