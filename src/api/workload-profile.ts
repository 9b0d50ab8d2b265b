import { z } from 'zod';
import { amounts, quantity } from './amounts.ts';
import { date, objectName, text } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';

export const WORKLOAD_KINDS = ['Ingress', 'Core', 'Middleware', 'Database', 'Cache', 'Offline'] as const;
export type WorkloadKind = (typeof WORKLOAD_KINDS)[number];

export const CONTAINER_ROLES = ['Main', 'Operations', 'Helper'] as const;
export type ContainerRole = (typeof CONTAINER_ROLES)[number];

/** A Pod needs one of each, where machines have them and it says nothing else. */
export const ONE_EACH = ['pods', 'network-interfaces', 'cloud-disks'] as const;

const replicas = () => z.int().min(0).max(10_000_000);

export const NO_REPLICAS = 'say replicas, or a series of them by date';
export const NO_NEED = 'say what the Pod needs: containers, or resources of the Pod as a whole';

// Strict, since what is misspelt in a file would make another plan without a word.
const spec = z
  .strictObject({
    kind: z
      .enum(WORKLOAD_KINDS)
      .describe('Classes name the kinds that suit them. Offline Pods live in the offline part of a machine.'),
    containers: z
      .array(
        z.strictObject({
          name: text(63).min(1),
          role: z.enum(CONTAINER_ROLES).default('Main'),
          resources: amounts(),
        }),
      )
      .max(32)
      .default([])
      .describe('Their resources are summed to the Pod’s outer size.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
    resources: amounts()
      .default({})
      .describe(
        `What the Pod as a whole needs, beside its containers: pps, bandwidth, data-disk, nvme, nvme-storage, and any other that classes name. ${ONE_EACH.join(', ')}: 1 each by default, where any class has them.`,
      ),
    cloudDiskSize: quantity()
      .optional()
      .describe('Of each of its cloud disks. Shown; it takes nothing from a machine.'),
    classes: z
      .array(objectName())
      .max(64)
      .default([])
      .describe('MachineClasses that it may be on; empty means all that suit its kind.')
      .meta({ 'x-kubernetes-list-type': 'set' }),
    spread: z.boolean().default(false).describe('Evenly over the zones.'),
    perMachine: z.int().min(1).max(100_000).optional().describe('At most so many on one machine.'),
    apart: z
      .array(objectName())
      .max(64)
      .default([])
      .describe('WorkloadProfiles that it must not share a machine with. One of the two naming it is enough.')
      .meta({ 'x-kubernetes-list-type': 'set' }),
    replicas: replicas()
      .optional()
      .describe('How many Pods there are; with a series, before its first date (none by default).'),
    series: z
      .array(z.strictObject({ date: date(), replicas: replicas() }))
      .max(400)
      .default([])
      .describe('How many from each date on, until the next: daily load and events.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['date'] }),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: 'has(self.replicas) || self.series.size() > 0',
        message: NO_REPLICAS,
        fieldPath: '.replicas',
      },
      {
        rule: 'self.containers.size() > 0 || self.resources.size() > 0',
        message: NO_NEED,
        fieldPath: '.containers',
      },
    ],
  });

export const workloadProfileKind = {
  resource: resourceOf('WorkloadProfile', 'workloadprofiles'),
  shortNames: ['wp'],
  description:
    'The form of Pods that are all equal: what they need, where they may be, and how many there are. `drover plan` finds machines for them.',
  spec,
  status: z.object({}),
  columns: [
    { name: 'Kind', type: 'string', jsonPath: '.spec.kind' },
    { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
    { name: 'Spread', type: 'boolean', jsonPath: '.spec.spread', priority: 1 },
    { name: 'Per-Machine', type: 'integer', jsonPath: '.spec.perMachine', priority: 1 },
    AGE,
  ],
} satisfies Kind;

export type WorkloadProfile = ObjectOf<typeof workloadProfileKind>;
