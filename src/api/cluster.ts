import { z } from 'zod';
import { conditions, objectName, text, time } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';

/** The cluster that holds Drover's objects. It exists without a Cluster object. */
export const HOME_CLUSTER = 'home';

const spec = z.object({
  kubeconfigSecret: z
    .object({
      namespace: objectName(),
      name: objectName(),
      key: text(253).min(1).default('kubeconfig'),
    })
    .describe('The Secret in the home cluster that holds the member’s kubeconfig.'),
});

const status = z.object({
  observedGeneration: z.int().min(0).optional(),
  conditions: conditions(),
  nodes: z.int().min(0).optional(),
  lastSeenAt: time().optional().describe('When the cluster last told us anything.'),
});

export const clusterKind = {
  resource: resourceOf('Cluster', 'clusters'),
  shortNames: ['cl'],
  description: 'A member cluster: where its kubeconfig is, whether it answers and how old its data is.',
  spec,
  status,
  columns: [
    { name: 'Connected', type: 'string', jsonPath: '.status.conditions[?(@.type=="Connected")].status' },
    { name: 'Nodes', type: 'integer', jsonPath: '.status.nodes' },
    { name: 'Last-Seen', type: 'date', jsonPath: '.status.lastSeenAt' },
    AGE,
  ],
} satisfies Kind;

export type Cluster = ObjectOf<typeof clusterKind>;
