import { z } from 'zod';
import { CAUSES, type Cause, cause, cleanRules, remedy, service } from './diagnosis.ts';
import { conditions, countOrShare, duration, labelSelector, text } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';

export const rung = z
  .object({
    remedy,
    service: service.optional(),
    cleanRules: cleanRules(),
    after: duration()
      .default('0s')
      .describe('How long after the diagnosis, or after the rung before, it may begin.'),
    timeout: duration().default('10m').describe('How long it may take until the machine is well again.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "(self.remedy == 'RestartService') == has(self.service)",
        message: 'RestartService needs a service, and only RestartService takes one',
        fieldPath: '.service',
      },
      {
        rule: "!has(self.cleanRules) || self.remedy == 'CleanDisk'",
        message: 'only CleanDisk takes rules of what to remove',
        fieldPath: '.cleanRules',
      },
    ],
  });

/** One optional ladder a cause: a closed set of keys, so that a misspelt cause is an error at the API. */
const ladders = Object.fromEntries(
  Object.keys(CAUSES).map((name) => [name, z.array(rung).min(1).max(8).optional()]),
) as Record<Cause, z.ZodOptional<z.ZodArray<typeof rung>>>;

const spec = z.object({
  selector: labelSelector().prefault({}).describe('Machines by their labels; empty means all.'),
  priority: z
    .int()
    .min(-1000)
    .max(1000)
    .default(0)
    .describe('Where several select a machine the highest counts, then the first by name.'),
  mode: z
    .enum(['Heal', 'Observe'])
    .default('Heal')
    .describe('Observe finds and locates, and says what it would do, but does nothing.'),
  rules: z
    .array(
      z.object({
        name: text(64).min(1),
        when: text(1024)
          .min(1)
          .describe(
            'CEL: node.{exists,ready,reason,message,kernel,cordoned,conditions[TYPE]}, patrol.{ssh,kubelet}, lease, power, console, machine.{model,labels[KEY]}. True means the symptom is there; a key that is missing is not.',
          ),
        for: duration().default('30s').describe('How long it must have been true.'),
        diagnosis: cause.describe('The cause it stands for where Drover’s own witnesses name none.'),
      }),
    )
    .max(64)
    .default([])
    .describe('Symptoms of the site’s own, beside the built-in ones.')
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  ladders: z
    .object(ladders)
    .prefault({})
    .describe('Remedies in order for a diagnosis; what is not named here has Drover’s own ladder.'),
  confirmFor: duration().default('8s').describe('How long a symptom must last before it is an incident.'),
  dumpTimeout: duration().default('15m').describe('How long a machine may write its crash dump undisturbed.'),
  bootTimeout: duration().default('10m').describe('How long a boot may take until its node is ready.'),
  verifyFor: duration()
    .default('15s')
    .describe('How long a repaired node must stay well before it takes Pods again.'),
  redeploy: z
    .enum(['Never', 'Allowed'])
    .default('Never')
    .describe('Whether a machine may be moved to other hardware: its local disks are lost then.'),
  maxRebootsPerDay: z
    .int()
    .min(0)
    .max(24)
    .default(3)
    .describe('More on one machine within a day calls a person.'),
  domain: z
    .object({
      share: z
        .int()
        .min(10)
        .max(100)
        .default(50)
        .describe('Percent of a rack or zone lost together that makes it one outage.'),
      atLeast: z.int().min(2).max(1000).default(4),
    })
    .prefault({}),
  brake: z
    .object({
      limit: countOrShare()
        .default('5%')
        .describe('So many machines of one cluster in trouble together hold all reboots.'),
      atLeast: z
        .int()
        .min(1)
        .max(10000)
        .default(5)
        .describe('Never brakes below this many, however small the fleet.'),
      window: duration().default('10m'),
    })
    .prefault({}),
});

const status = z.object({
  observedGeneration: z.int().min(0).optional(),
  conditions: conditions(),
});

export const healingPolicyKind = {
  resource: resourceOf('HealingPolicy', 'healingpolicies'),
  shortNames: ['hp'],
  description: 'Which machines are healed, by which remedies in which order, and when Drover holds back.',
  spec,
  status,
  columns: [
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
    { name: 'Priority', type: 'integer', jsonPath: '.spec.priority' },
    { name: 'Accepted', type: 'string', jsonPath: '.status.conditions[?(@.type=="Accepted")].status' },
    { name: 'Brake', type: 'string', jsonPath: '.status.conditions[?(@.type=="Braked")].status' },
    AGE,
  ],
} satisfies Kind;

export type HealingPolicy = ObjectOf<typeof healingPolicyKind>;
export type Rung = z.infer<typeof rung>;
