// What users write, one file a resource. zod is the source: CRDs, types and the reference page come from it.
import { clusterKind } from './cluster.ts';
import { disruptionBudgetKind } from './disruption-budget.ts';
import { healingPolicyKind } from './healing-policy.ts';
import { incidentKind } from './incident.ts';
import type { Kind } from './kind.ts';
import { machineKind } from './machine.ts';
import { machineClassKind } from './machine-class.ts';
import { machineProviderKind } from './machine-provider.ts';
import { nodeOperationKind } from './node-operation.ts';
import { remediationKind, remediationTemplateKind } from './remediation.ts';
import { workloadProfileKind } from './workload-profile.ts';

export const KINDS: readonly Kind[] = [
  clusterKind,
  machineProviderKind,
  machineKind,
  healingPolicyKind,
  incidentKind,
  nodeOperationKind,
  disruptionBudgetKind,
  remediationTemplateKind,
  remediationKind,
  machineClassKind,
  workloadProfileKind,
];
