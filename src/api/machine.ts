import { z } from 'zod';
import { conditions, labelValue, objectName, reason, text, time } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';

const address = () =>
  text(262)
    .regex(/^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/)
    .describe('Host or address, with a port where it is not the usual one.');

export const location = z.object({
  region: labelValue().optional(),
  zone: labelValue().optional(),
  room: labelValue().optional(),
  rack: labelValue().optional().describe('What shares one top-of-rack switch. Unique in its zone.'),
  powerFeed: labelValue().optional(),
  unit: labelValue().optional().describe('Business unit cell (单元).'),
  environment: labelValue().optional(),
  group: labelValue().optional(),
});

const spec = z.object({
  cluster: objectName().default('home').describe('The Cluster whose Node this machine is.'),
  nodeName: objectName().optional().describe('Name of its Node; the Machine’s own name by default.'),
  provider: z
    .object({
      name: objectName().describe('The MachineProvider that reaches it.'),
      id: text(253).min(1).describe('What the provider calls it: instance id, Redfish system, BMC address.'),
    })
    .meta({
      'x-kubernetes-validations': [
        {
          rule: 'self == oldSelf',
          message: 'a Machine stays with its provider and id: delete it and make a new one',
        },
      ],
    }),
  location: location.prefault({}),
  model: labelValue().optional().describe('Hardware model, as correlation and selectors use it.'),
  addresses: z
    .object({
      ssh: address().optional(),
      kubelet: address().optional(),
    })
    .prefault({})
    .describe('What patrol probes; the Node’s InternalIP with ports 22 and 10250 by default.'),
  desired: z
    .object({
      locked: z
        .object({
          by: text(128).min(1),
          why: text(512).min(1),
          until: time().optional(),
        })
        .optional()
        .describe('While locked, Drover disrupts this machine in no way.'),
      rebootedAfter: time()
        .optional()
        .describe(
          'The machine shall have booted after this time: reboot it once if it has not. A boot that Drover first saw after it counts.',
        ),
    })
    .prefault({})
    .describe('The end state that Drover brings about and keeps.'),
});

const status = z.object({
  observedGeneration: z.int().min(0).optional(),
  conditions: conditions(),
  bootID: text(64).optional(),
  bootSeenAt: time().optional().describe('When Drover first saw this boot id: by Drover’s clock.'),
  kernelVersion: text(128).optional(),
  state: text(32).optional().describe('Worked out from the conditions, for people.'),
  incident: text(253).optional(),
  operation: text(253).optional(),
  evidence: z
    .array(text(256))
    .max(16)
    .optional()
    .describe('What is held true of the machine, and since when.'),
  decisions: z
    .array(
      reason.extend({
        at: time(),
        actor: text(32),
        kind: z.enum(['Act', 'Refusal', 'Note']),
        subject: text(253),
      }),
    )
    .max(5)
    .optional()
    .describe('The last five, newest first; all of them are in the history.'),
});

export const machineKind = {
  resource: resourceOf('Machine', 'machines'),
  shortNames: ['m'],
  description:
    'One physical server or bare-metal instance: how it is reached, where it stands, what it shall be.',
  spec,
  status,
  columns: [
    { name: 'State', type: 'string', jsonPath: '.status.state' },
    { name: 'Cluster', type: 'string', jsonPath: '.spec.cluster', priority: 1 },
    { name: 'Zone', type: 'string', jsonPath: '.spec.location.zone' },
    { name: 'Rack', type: 'string', jsonPath: '.spec.location.rack' },
    { name: 'Model', type: 'string', jsonPath: '.spec.model', priority: 1 },
    { name: 'Kernel', type: 'string', jsonPath: '.status.kernelVersion', priority: 1 },
    { name: 'Incident', type: 'string', jsonPath: '.status.incident', priority: 1 },
    { name: 'Operation', type: 'string', jsonPath: '.status.operation', priority: 1 },
    AGE,
  ],
} satisfies Kind;

export type Machine = ObjectOf<typeof machineKind>;
export type MachineStatus = NonNullable<Machine['status']>;

/** Whether the host had a crash kernel loaded when it was last asked: a panic of it then writes a dump. */
export function crashDumpOf({ status }: Machine): 'Armed' | 'NotArmed' | 'Unknown' {
  const told = status?.conditions?.find(({ type }) => type === 'CrashDumpArmed')?.status;
  return told === 'True' ? 'Armed' : told === 'False' ? 'NotArmed' : 'Unknown';
}

/** The lock that holds now; one whose time is over holds nothing. */
export function lockOf({ spec }: Machine, now: number): Machine['spec']['desired']['locked'] {
  const { locked } = spec.desired;
  return locked?.until && Date.parse(locked.until) <= now ? undefined : locked;
}

export type Location = z.infer<typeof location>;
