import { z } from 'zod';
import { cleanRules, service } from './diagnosis.ts';
import { conditions, duration, objectName, reason, text, time } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';

export const OPERATION_TYPES = [
  'Reboot',
  'PowerCycle',
  'PowerOn',
  'Nmi',
  'Evict',
  'RestartService',
  'CleanDisk',
  'Redeploy',
] as const;
export type OperationType = (typeof OPERATION_TYPES)[number];

/** Who may ask for an operation. */
export const ASKERS = ['Incident', 'Machine', 'Person', 'Rollout', 'Remediation'] as const;

const spec = z
  .object({
    cluster: objectName().default('home'),
    machine: objectName(),
    node: objectName(),
    type: z.enum(OPERATION_TYPES),
    service: service.optional().describe('What RestartService restarts.'),
    cleanRules: cleanRules(),
    consent: z
      .object({ by: text(128).min(1), why: text(512).min(1) })
      .optional()
      .describe(
        'For Redeploy: who has agreed that the local disks are lost. Apart from what allows a reboot.',
      ),
    reason: z.object({
      kind: z.enum(ASKERS).describe('Who asks.'),
      name: text(253).min(1),
      message: text(512).default(''),
    }),
    expectBootID: text(64)
      .optional()
      .describe('The boot that shall end. If the machine has booted since, there is nothing left to do.'),
    drain: z
      .object({
        timeout: duration().default('5m').describe('How long evictions may be refused or take.'),
        onTimeout: z.enum(['Fail', 'Proceed']).default('Fail'),
      })
      .prefault({}),
    deadline: duration().default('30m').describe('The whole operation, from its admission.'),
    bootTimeout: duration().default('10m'),
    dumpTimeout: duration()
      .default('15m')
      .describe('How long a crash dump that is being written is waited for.'),
    verifyFor: duration().default('15s'),
    force: z
      .object({ by: text(128).min(1), why: text(512).min(1) })
      .optional()
      .describe(
        'Passes budgets, freezes, windows and the brake; never a stop switch, a lock nor another operation on the machine.',
      ),
    cancelled: z.boolean().default(false).describe('Give up before the next step that cannot be undone.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "(self.type == 'RestartService') == has(self.service)",
        message: 'RestartService needs a service, and only RestartService takes one',
        fieldPath: '.service',
      },
      {
        rule: "(self.type == 'Redeploy') == has(self.consent)",
        message: 'Redeploy loses the local disks and needs consent; nothing else takes one',
        fieldPath: '.consent',
      },
      {
        rule: "!has(self.cleanRules) || self.type == 'CleanDisk'",
        message: 'only CleanDisk takes rules of what to remove',
        fieldPath: '.cleanRules',
      },
      {
        rule: 'self.machine == oldSelf.machine && self.type == oldSelf.type && self.node == oldSelf.node && self.cluster == oldSelf.cluster',
        message: 'what an operation does and to which machine never changes: make a new one',
      },
    ],
  });

export const step = z.object({
  name: text(32),
  startedAt: time(),
  endedAt: time().optional(),
  outcome: z.enum(['Running', 'Done', 'Skipped', 'Failed']),
  message: text(512).default(''),
});

const status = z.object({
  observedGeneration: z.int().min(0).optional(),
  conditions: conditions().describe('Admitted, Succeeded, Failed.'),
  state: z
    .enum(['Waiting', 'Running', 'Succeeded', 'Failed', 'Cancelled'])
    .optional()
    .describe('Worked out from the conditions, for people.'),
  waiting: reason.optional().describe('What it waits for now.'),
  costsBudget: z.boolean().optional().describe('The node took Pods when this was admitted.'),
  admittedAt: time().optional(),
  endedAt: time().optional(),
  steps: z.array(step).max(16).optional(),
  intent: z
    .object({
      key: text(128).describe('Idempotency key of the one outside act.'),
      at: time(),
      answer: z.enum(['Accepted', 'Refused', 'Unknown']).optional(),
    })
    .optional()
    .describe(
      'Written before the machine is touched: its presence forbids a second try, whatever dies in between.',
    ),
  evidence: z
    .object({
      bootIDBefore: text(64).optional(),
      bootIDAfter: text(64).optional(),
      powerSeenOff: z.boolean().optional(),
    })
    .optional(),
});

export const nodeOperationKind = {
  resource: resourceOf('NodeOperation', 'nodeoperations'),
  shortNames: ['op'],
  description: 'One repairing or disruptive act on one machine: durable, resumable, done at most once.',
  spec,
  status,
  columns: [
    { name: 'Machine', type: 'string', jsonPath: '.spec.machine' },
    { name: 'Type', type: 'string', jsonPath: '.spec.type' },
    { name: 'State', type: 'string', jsonPath: '.status.state' },
    { name: 'Waits-For', type: 'string', jsonPath: '.status.waiting.reason' },
    { name: 'Asked-By', type: 'string', jsonPath: '.spec.reason.name', priority: 1 },
    { name: 'Message', type: 'string', jsonPath: '.status.waiting.message', priority: 1 },
    AGE,
  ],
} satisfies Kind;

export type NodeOperation = ObjectOf<typeof nodeOperationKind>;
export type NodeOperationStatus = NonNullable<NodeOperation['status']>;
export type OperationStep = z.infer<typeof step>;
