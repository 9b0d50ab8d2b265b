import { z } from 'zod';
import { conditions, text } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';

const spec = z
  .object({
    simulated: z
      .object({
        endpoint: z
          .string()
          .max(512)
          .regex(/^http:\/\/(127\.[0-9.]+|localhost|\[::1\])(:[0-9]{1,5})?(\/.*)?$/)
          .describe('Where the simulated fleet answers; loopback only, since it asks for no password.'),
      })
      .optional()
      .describe('Simulated machines, for trials and tests.'),
    watchOnly: z
      .object({})
      .optional()
      .describe('Machines that Drover may look at by patrol and through their Nodes, but has no hands on.'),
    limits: z
      .object({
        callsPerSecond: z.int().min(1).max(1000).default(50),
        concurrentCalls: z.int().min(1).max(256).default(16),
      })
      .prefault({})
      .describe('Shared by all callers of this provider.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: 'has(self.simulated) != has(self.watchOnly)',
        message: 'name one kind of provider: simulated or watchOnly',
      },
    ],
  });

const status = z.object({
  observedGeneration: z.int().min(0).optional(),
  conditions: conditions(),
  machines: z.int().min(0).optional(),
  type: text(32).optional(),
});

export const machineProviderKind = {
  resource: resourceOf('MachineProvider', 'machineproviders'),
  shortNames: ['mp'],
  description: 'How to reach one provider of machines, with its rate limits.',
  spec,
  status,
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.status.type' },
    { name: 'Reachable', type: 'string', jsonPath: '.status.conditions[?(@.type=="Reachable")].status' },
    { name: 'Machines', type: 'integer', jsonPath: '.status.machines' },
    AGE,
  ],
} satisfies Kind;

export type MachineProvider = ObjectOf<typeof machineProviderKind>;
