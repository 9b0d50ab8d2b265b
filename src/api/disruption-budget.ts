import { z } from 'zod';
import { conditions, countOrShare, duration, labelSelector, text, time } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';
import { ASKERS } from './node-operation.ts';

export const TOPOLOGY_KEYS = [
  'region',
  'zone',
  'room',
  'rack',
  'powerFeed',
  'unit',
  'environment',
  'group',
  'model',
  'cluster',
] as const;
export type TopologyKey = (typeof TOPOLOGY_KEYS)[number];

const timeOfDay = () =>
  z
    .string()
    .max(5)
    .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/);

const spec = z.object({
  selector: labelSelector().prefault({}).describe('Machines by their labels; empty means all.'),
  maxDisrupted: countOrShare()
    .default('2%')
    .describe('Serving machines that may be disrupted at once. One that is down costs nothing.'),
  per: z
    .array(z.object({ key: z.enum(TOPOLOGY_KEYS), maxDisrupted: countOrShare() }))
    .max(10)
    .default([{ key: 'rack', maxDisrupted: '1' }])
    .describe('The same limit within one rack, zone …')
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['key'] }),
  minSchedulable: z
    .string()
    .max(7)
    .regex(/^[0-9]{1,3}(\.[0-9]{1,2})?%$/)
    .default('98%')
    .describe('Least share of selected nodes that must take Pods after a disruption.'),
  maxInFlight: countOrShare()
    .default('10%')
    .describe('Operations of any cost at once, repairs of dead machines too.'),
  rate: z
    .object({ count: z.int().min(0).max(100000), per: duration().default('1h') })
    .optional()
    .describe('Disruptions of serving machines within a time.'),
  windows: z
    .array(
      z.object({
        days: z
          .array(z.enum(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']))
          .max(7)
          .default([]),
        from: timeOfDay(),
        to: timeOfDay(),
        timeZone: text(64).default('UTC').describe('IANA name: Asia/Shanghai.'),
      }),
    )
    .max(16)
    .default([])
    .describe('When disruption is allowed; always, where there is none.'),
  freezes: z
    .array(z.object({ from: time(), to: time(), why: text(256).min(1) }))
    .max(32)
    .default([])
    .describe('When it is not, for example the days of an event (封网).')
    .meta({
      'x-kubernetes-validations': [
        {
          rule: 'self.all(f, f.from < f.to)',
          message: 'a freeze must begin before it ends',
        },
      ],
    }),
  stop: z
    .object({ by: text(128).min(1), why: text(512).min(1) })
    .optional()
    .describe('The stop switch: while it is here nothing that this budget selects is disrupted.'),
  exempt: z
    .array(z.enum(ASKERS))
    .max(ASKERS.length)
    .default([])
    .describe('Who may disrupt outside windows and within freezes. The stop switch exempts nobody.')
    .meta({ 'x-kubernetes-list-type': 'set' }),
});

const status = z.object({
  observedGeneration: z.int().min(0).optional(),
  conditions: conditions(),
  selected: z.int().min(0).optional(),
  schedulable: z.int().min(0).optional(),
  disrupted: z.int().min(0).optional(),
  allowed: z.int().min(0).optional(),
  inFlight: z.int().min(0).optional(),
});

export const disruptionBudgetKind = {
  resource: resourceOf('DisruptionBudget', 'disruptionbudgets'),
  shortNames: ['db'],
  description:
    'What may be disrupted at once, how fast and when. Every disruption passes all budgets that select its machine.',
  spec,
  status,
  columns: [
    { name: 'Selected', type: 'integer', jsonPath: '.status.selected' },
    { name: 'Schedulable', type: 'integer', jsonPath: '.status.schedulable' },
    { name: 'Disrupted', type: 'integer', jsonPath: '.status.disrupted' },
    { name: 'Allowed', type: 'integer', jsonPath: '.status.allowed' },
    { name: 'In-Flight', type: 'integer', jsonPath: '.status.inFlight' },
    { name: 'Stopped-By', type: 'string', jsonPath: '.spec.stop.by', priority: 1 },
    AGE,
  ],
} satisfies Kind;

export type DisruptionBudget = ObjectOf<typeof disruptionBudgetKind>;
