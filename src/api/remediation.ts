// What Cluster API's MachineHealthCheck and medik8s' NodeHealthCheck make where they are told that Drover repairs.
// Both want a kind whose name ends in Template, and one of that name without it, in one group and version.
import { z } from 'zod';
import { conditions, objectName, text } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';

/** Cluster API looks here for the version of a kind that keeps its contract. */
const CONTRACTS = { 'cluster.x-k8s.io/v1beta1': 'v1alpha1', 'cluster.x-k8s.io/v1beta2': 'v1alpha1' };

const spec = z.object({
  strategy: z
    .enum(['Observe', 'Reboot'])
    .default('Observe')
    .describe(
      'Where none of Drover’s witnesses sees anything wrong: nothing is done, or the machine is rebooted, within all limits. What they do see is healed as always.',
    ),
});

const templateSpec = z.object({
  template: z
    .object({ spec: spec.prefault({}).describe('What each request made from this begins with.') })
    .prefault({}),
});

const status = z.object({
  observedGeneration: z.int().min(0).optional(),
  conditions: conditions().describe(
    'Processing, Succeeded and PermanentNodeDeletionExpected, as medik8s names them.',
  ),
  machine: objectName().optional().describe('The Machine that is meant.'),
  incident: text(253).optional().describe('The Incident that is followed, or was.'),
  operation: text(253)
    .optional()
    .describe('The NodeOperation that was asked for. There is never a second one.'),
});

const condition = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

export const remediationTemplateKind = {
  resource: resourceOf('DroverRemediationTemplate', 'droverremediationtemplates', true),
  shortNames: ['drt'],
  description:
    'Named by a MachineHealthCheck of Cluster API or a NodeHealthCheck of medik8s, so that Drover repairs what they find.',
  spec: templateSpec,
  status: z.object({}),
  columns: [{ name: 'Strategy', type: 'string', jsonPath: '.spec.template.spec.strategy' }, AGE],
  labels: CONTRACTS,
} satisfies Kind;

export const remediationKind = {
  resource: resourceOf('DroverRemediation', 'droverremediations', true),
  shortNames: ['dr'],
  description:
    'One machine that a health check wants repaired. Made and deleted by that health check, never by Drover.',
  spec,
  status,
  columns: [
    { name: 'Machine', type: 'string', jsonPath: '.status.machine' },
    { name: 'Processing', type: 'string', jsonPath: condition('Processing', 'status') },
    { name: 'Succeeded', type: 'string', jsonPath: condition('Succeeded', 'status') },
    { name: 'Reason', type: 'string', jsonPath: condition('Succeeded', 'reason') },
    { name: 'Message', type: 'string', jsonPath: condition('Succeeded', 'message'), priority: 1 },
    AGE,
  ],
  labels: CONTRACTS,
} satisfies Kind;

export type Remediation = ObjectOf<typeof remediationKind>;
export type RemediationStatus = NonNullable<Remediation['status']>;
