import { z } from 'zod';
import { conditions, objectName, text } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';

const secretRef = (holds: string) =>
  z.object({ namespace: objectName(), name: objectName() }).describe(holds);

const BMC_SECRET =
  'A Secret with `username` and `password`. `HOST.username`, `HOST.password` and `HOST.sha256` (fingerprint of its certificate) are for one BMC and go before them; a colon in HOST is written as `_`.';

const redfish = z.object({
  secretRef: secretRef(BMC_SECRET),
  scheme: z
    .enum(['HTTPS', 'HTTP'])
    .default('HTTPS')
    .describe('HTTP sends the password in clear, and is used with loopback addresses only.'),
  caBundle: text(65_536)
    .optional()
    .describe(
      'PEM certificates of the authorities that signed the BMCs’. A BMC that has a fingerprint in the Secret needs none; one that has neither is not talked to.',
    ),
});

const ipmi = z.object({
  secretRef: secretRef(BMC_SECRET),
  cipherSuite: z
    .int()
    .min(1)
    .max(17)
    .default(17)
    .describe('RMCP+ cipher suite: 17 (SHA-256) for newer BMCs, 3 (SHA-1) for older ones.'),
  privilege: z
    .enum(['Operator', 'Administrator'])
    .default('Operator')
    .describe('Operator is enough for power, NMI and logs.'),
});

const KINDS = ['simulated', 'watchOnly', 'redfish', 'ipmi'] as const;

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
    redfish: redfish
      .optional()
      .describe(
        'BMCs that speak Redfish. A Machine’s id is the BMC’s `host[:port]`, or `host[:port]/redfish/v1/Systems/NAME` where one BMC has several systems.',
      ),
    ipmi: ipmi
      .optional()
      .describe('BMCs that speak IPMI 2.0 over LAN. A Machine’s id is the BMC’s `host[:port]`.'),
    limits: z
      .object({
        callsPerSecond: z.int().min(1).max(1000).optional(),
        concurrentCalls: z.int().min(1).max(256).optional(),
      })
      .prefault({})
      .describe(
        'Shared by all callers of this provider. By default 50 calls a second and 16 at once; 500 and 256 for Redfish, 100 and 64 for IPMI, where each machine’s own BMC takes two at once and one that is away holds its place for seconds.',
      ),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: `[${KINDS.map((kind) => `has(self.${kind})`).join(', ')}].filter(named, named).size() == 1`,
        message: `name one kind of provider: ${KINDS.join(', ')}`,
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
export type RedfishSettings = z.output<typeof redfish>;
export type IpmiSettings = z.output<typeof ipmi>;

const LIMITS: Readonly<Record<string, { perSecond: number; concurrent: number }>> = {
  redfish: { perSecond: 500, concurrent: 256 },
  // A process a call.
  ipmi: { perSecond: 100, concurrent: 64 },
};
const LIMITS_ELSEWHERE = { perSecond: 50, concurrent: 16 };

/** How often a provider is called, as its spec says or its kind bears. */
export function limitsOf(provider: MachineProvider): { perSecond: number; concurrent: number } {
  const { callsPerSecond, concurrentCalls } = provider.spec.limits;
  const usual = LIMITS[providerType(provider)] ?? LIMITS_ELSEWHERE;
  return { perSecond: callsPerSecond ?? usual.perSecond, concurrent: concurrentCalls ?? usual.concurrent };
}

/** `redfish`, `ipmi` …: which kind of provider its spec names. */
export function providerType({ spec }: MachineProvider): string {
  return KINDS.find((kind) => spec[kind]) ?? 'unknown';
}
