import { z } from 'zod';
import { cause, remedy, service } from './diagnosis.ts';
import { conditions, MESSAGE_LENGTH_MAX, objectName, reason, text, time } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';

const spec = z.object({
  cluster: objectName().default('home'),
  machine: objectName(),
  node: objectName(),
  policy: objectName().optional(),
});

export const symptom = z.object({
  name: text(64).min(1),
  source: z.enum(['Node', 'Patrol', 'Lease', 'Provider', 'Boot', 'Rule']),
  message: text(MESSAGE_LENGTH_MAX),
  since: time().describe('When Drover first saw it.'),
});

export const diagnosis = z.object({
  cause,
  confidence: z.enum(['Low', 'Medium', 'High']),
  message: text(MESSAGE_LENGTH_MAX),
  evidence: z.array(text(256)).max(16),
  domain: text(128).optional().describe('The rack, zone or cluster that is out, as key/name.'),
  at: time(),
});

export const attempt = z.object({
  remedy,
  service: service.optional(),
  operation: text(253).optional(),
  at: time(),
  endedAt: time().optional(),
  outcome: z.enum(['Running', 'Worked', 'Failed', 'NotNeeded']),
  message: text(512).default(''),
});

export const STAGES = [
  'Detected',
  'Located',
  'Healing',
  'Verifying',
  'Healed',
  'Recovered',
  'Escalated',
] as const;
export type Stage = (typeof STAGES)[number];

const status = z.object({
  observedGeneration: z.int().min(0).optional(),
  conditions: conditions().describe('Located, Healed, Escalated.'),
  stage: z
    .enum(STAGES)
    .optional()
    .describe(
      'Worked out from the rest, for people. Healed: by Drover; Recovered: by itself or another’s hand.',
    ),
  symptoms: z.array(symptom).max(24).optional(),
  diagnosis: diagnosis.optional(),
  firstSymptomAt: time().optional(),
  detectedAt: time().optional(),
  locatedAt: time().optional(),
  healingAt: time().optional(),
  verifyingAt: time().optional(),
  healedAt: time().optional(),
  escalatedAt: time().optional(),
  endedAt: time().optional().describe('No more is to be done or seen: the machine is well.'),
  bootIDBefore: text(64).optional(),
  attempts: z.array(attempt).max(16).optional(),
  waiting: reason.optional(),
});

export const incidentKind = {
  resource: resourceOf('Incident', 'incidents'),
  shortNames: ['inc'],
  description: 'One machine’s trouble, from the first symptom until it is healed or a person was called.',
  spec,
  status,
  columns: [
    { name: 'Machine', type: 'string', jsonPath: '.spec.machine' },
    { name: 'Stage', type: 'string', jsonPath: '.status.stage' },
    { name: 'Cause', type: 'string', jsonPath: '.status.diagnosis.cause' },
    { name: 'Domain', type: 'string', jsonPath: '.status.diagnosis.domain', priority: 1 },
    { name: 'Waits-For', type: 'string', jsonPath: '.status.waiting.reason' },
    { name: 'Message', type: 'string', jsonPath: '.status.waiting.message', priority: 1 },
    { name: 'Detected', type: 'date', jsonPath: '.status.detectedAt', priority: 1 },
    { name: 'Ended', type: 'date', jsonPath: '.status.endedAt', priority: 1 },
    AGE,
  ],
} satisfies Kind;

export type Incident = ObjectOf<typeof incidentKind>;
export type IncidentStatus = NonNullable<Incident['status']>;
export type Symptom = z.infer<typeof symptom>;
export type Diagnosis = z.infer<typeof diagnosis>;
export type Attempt = z.infer<typeof attempt>;
