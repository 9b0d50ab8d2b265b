import { z } from 'zod';
import { amounts, boundedMap, price, quantity } from './amounts.ts';
import { labelValue, text } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';
import { WORKLOAD_KINDS } from './workload-profile.ts';

/** When machines are held: always, or for an event. */
export const TIERS = ['Daily', 'Promotion'] as const;
export type Tier = (typeof TIERS)[number];

export const PRICES = ['hour', 'month', 'oneOff'] as const;
export type PriceOf = (typeof PRICES)[number];

/** Resources that have a field of their own, and are counted by these names. */
export const FIELD_RESOURCES = [
  { field: 'systemDisk', resource: 'system-disk' },
  { field: 'dataDisk', resource: 'data-disk' },
  { field: 'localNvme', resource: 'nvme' },
  { field: 'localNvme', resource: 'nvme-storage' },
] as const;

export const writtenTwice = ({ field, resource }: (typeof FIELD_RESOURCES)[number]) =>
  `${resource} is written in ${field}; leave it out of resources`;

// Strict, since what is misspelt in a file would make another plan without a word.
const disk = z.strictObject({ size: quantity(), category: text(64).optional() });

const spec = z
  .strictObject({
    resources: amounts().describe(
      'What a machine has, by name: cpu, memory, pods, network-interfaces, cloud-disks, pps, bandwidth, gpus, and any other that Pods name. What is not named is not there.',
    ),
    systemDisk: disk.optional().describe('Counted as `system-disk`.'),
    dataDisk: disk.optional().describe('Counted as `data-disk`.'),
    localNvme: z
      .strictObject({
        count: z.int().min(0).max(256),
        size: quantity().describe('Of each.'),
      })
      .optional()
      .describe('Counted as `nvme`, and as `nvme-storage`: the size of all together.'),
    prices: z
      .array(
        z.strictObject({
          tier: z.enum(TIERS),
          hour: price().optional(),
          month: price().optional(),
          oneOff: price().optional(),
        }),
      )
      .max(TIERS.length)
      .default([])
      .describe(
        'What one machine costs, all in one currency, as decimal text. Asked for by plans that need it.',
      )
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['tier'] }),
    stock: z
      .array(
        z.strictObject({
          zone: labelValue().min(1),
          machines: z
            .int()
            .min(0)
            .max(10_000_000)
            .optional()
            .describe('So many at most; any number by default.'),
        }),
      )
      .max(64)
      .default([])
      .describe('Zones where it can be had; everywhere, where none is named.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['zone'] }),
    quota: z.int().min(0).max(10_000_000).optional().describe('Machines at most in all zones together.'),
    partition: z
      .strictObject({
        system: amounts().optional().describe('What the host keeps. Taken off first.'),
        kube: amounts().optional().describe('What kubelet and its kin keep. Taken off first.'),
        online: amounts().optional().describe('Of the rest, what online Pods may use; all by default.'),
        offline: amounts().optional().describe('Of the rest, what offline Pods may use; all by default.'),
      })
      .prefault({})
      .describe('The node’s resource partition.'),
    offload: z
      .array(
        z.strictObject({
          name: labelValue().min(1),
          cpus: z
            .strictObject({ network: z.int().min(0).max(1024), storage: z.int().min(0).max(1024) })
            .describe('The split of the card’s CPUs.'),
          resources: amounts().describe(
            'What the card gives with it, such as pps and iops. Goes before the resources of the machine.',
          ),
        }),
      )
      .max(16)
      .default([])
      .describe('Profiles of the offload card; each machine is configured with one.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
    kinds: z
      .array(z.enum(WORKLOAD_KINDS))
      .max(WORKLOAD_KINDS.length)
      .default([])
      .describe('Kinds of workloads that it suits; empty means all.')
      .meta({ 'x-kubernetes-list-type': 'set' }),
    parameters: boundedMap(z.string().min(1).max(63), text(1024), 32)
      .default({})
      .describe('What the provider needs to make one, such as `instanceType`.'),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: 'self.resources.size() > 0',
        message: 'say what a machine has',
        fieldPath: '.resources',
      },
      ...FIELD_RESOURCES.map((each) => ({
        rule: `!has(self.${each.field}) || !('${each.resource}' in self.resources)`,
        message: writtenTwice(each),
        fieldPath: '.resources',
      })),
    ],
  });

export const machineClassKind = {
  resource: resourceOf('MachineClass', 'machineclasses'),
  shortNames: ['mc'],
  description:
    'A type of machine that can be had: what it has, what its host keeps of that, what it costs, and how many there are. `drover plan` chooses among them.',
  spec,
  status: z.object({}),
  columns: [
    { name: 'CPU', type: 'string', jsonPath: '.spec.resources.cpu' },
    { name: 'Memory', type: 'string', jsonPath: '.spec.resources.memory' },
    { name: 'Interfaces', type: 'string', jsonPath: '.spec.resources.network-interfaces' },
    { name: 'Cloud-Disks', type: 'string', jsonPath: '.spec.resources.cloud-disks' },
    { name: 'Quota', type: 'integer', jsonPath: '.spec.quota', priority: 1 },
    { name: 'Hour', type: 'string', jsonPath: '.spec.prices[?(@.tier=="Daily")].hour', priority: 1 },
    AGE,
  ],
} satisfies Kind;

export type MachineClass = ObjectOf<typeof machineClassKind>;
