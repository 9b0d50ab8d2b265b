import { z } from 'zod';
import { conditions, duration, objectName, text } from './fields.ts';
import { AGE, type Kind, type ObjectOf, resourceOf } from './kind.ts';

const secretRef = (holds: string) =>
  z.object({ namespace: objectName(), name: objectName() }).describe(holds);

const BMC_SECRET =
  'A Secret with `username` and `password`. `HOST.username`, `HOST.password` and `HOST.sha256` (fingerprint of its certificate) are for one BMC and go before them; a colon in HOST is written as `_`.';

/** HTTP goes to loopback only: it is for tests. */
const LOOPBACK_URL = /^http:\/\/(127\.[0-9.]+|localhost)(:[0-9]{1,5})?$/;
/** A host name, by HTTPS; or HTTP to loopback. */
const ENDPOINT =
  /^(https:\/\/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?$|^http:\/\/(127\.[0-9.]+|localhost)(:[0-9]{1,5})?$/;

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

/** Exactly one of these fields. */
const oneOf = (fields: readonly string[], message: string) => ({
  'x-kubernetes-validations': [
    {
      rule: `[${fields.map((field) => `has(self.${field})`).join(', ')}].filter(named, named).size() == 1`,
      message,
    },
  ],
});

const CREDENTIALS = ['secretRef', 'ramRole', 'oidc'];

const ecsCredentials = z
  .object({
    secretRef: secretRef(
      'A Secret with `accessKeyId` and `accessKeySecret`, and `securityToken` where they are temporary.',
    ).optional(),
    ramRole: z
      .object({
        name: text(64).optional().describe('The instance’s own role by default.'),
        endpoint: text(253)
          .regex(LOOPBACK_URL)
          .optional()
          .describe('A metadata service on loopback, for tests.'),
      })
      .optional()
      .describe('The RAM role of the ECS instance that Drover runs on.'),
    oidc: z
      .object({
        roleArn: text(256).regex(/^acs:ram::/),
        oidcProviderArn: text(256).regex(/^acs:ram::/),
        tokenFile: text(512)
          .default('/var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token')
          .describe('Where the service account’s token stands.'),
        stsEndpoint: text(253)
          .regex(ENDPOINT)
          .optional()
          .describe('`sts-vpc.REGION.aliyuncs.com` by default, which is reached from inside the VPC.'),
      })
      .optional()
      .describe('RRSA: the token of Drover’s service account is exchanged for a RAM role.'),
  })
  .meta(oneOf(CREDENTIALS, `name one source of credentials: ${CREDENTIALS.join(', ')}`));

const ecsLaunch = z.object({
  template: z
    .object({ id: text(64).min(1), version: z.int().min(1).optional() })
    .optional()
    .describe('A launch template; what is said here goes before what it says.'),
  imageId: text(128).optional(),
  securityGroupIds: z.array(text(64).min(1)).max(5).optional(),
  vSwitches: z
    .array(z.object({ zone: text(64).min(1), id: text(64).min(1) }))
    .min(1)
    .max(32)
    .describe('One for each zone in which machines may be bought.'),
  keyPairName: text(128).optional(),
  ramRoleName: text(64).optional().describe('Of the machines themselves.'),
  systemDisk: z
    .object({
      category: text(32).optional(),
      sizeGib: z.int().min(20).max(2048).optional(),
      performanceLevel: z.enum(['PL0', 'PL1', 'PL2', 'PL3']).optional(),
    })
    .optional(),
  userData: text(32_768).optional().describe('In clear: a script or cloud-config, 32 KB at most.'),
  deploymentSetId: text(64).optional(),
  resourceGroupId: text(64).optional(),
});

const ecs = z.object({
  regionId: text(64).regex(/^[a-z]{2,}(-[a-z0-9]+)+$/),
  endpoint: text(253)
    .regex(ENDPOINT)
    .optional()
    .describe('The public one of the region by default; `ecs-vpc.REGION.aliyuncs.com` from inside a VPC.'),
  credentials: ecsCredentials,
  launch: ecsLaunch.optional().describe('How machines are made; without it none are bought.'),
});

const metal3 = z.object({
  cluster: objectName().default('home').describe('The Cluster that holds the BareMetalHosts.'),
  namespace: objectName().optional().describe('Only of this namespace, where machines are listed.'),
});

const userName = () => text(32).regex(/^[a-z_][a-z0-9_-]*$/);

const WAYS = ['ssh', 'job', 'agent'] as const;

const sshWay = z
  .object({
    secretRef: secretRef(
      'A Secret with `ssh-privatekey` and `known_hosts` (lines of hosts, or of `@cert-authority`), and `ssh-certificate` where a user CA signed the key.',
    ),
    user: userName().default('drover').describe('Has the sudoers file that `drover host sudoers` prints.'),
    knownAs: z
      .enum(['Address', 'Id'])
      .default('Address')
      .describe(
        'What a host is called in known_hosts and in host certificates: its address, or the Machine’s id.',
      ),
    jump: z
      .object({
        host: text(253).min(1),
        port: z.int().min(1).max(65_535).optional(),
        user: userName().default('drover'),
      })
      .optional()
      .describe('A host through which all others are reached, with the same key.'),
    reuse: duration()
      .default('0s')
      .describe('How long a connection is kept after its last use; 0s: one for each action.'),
    concurrent: z
      .int()
      .min(1)
      .max(1000)
      .default(64)
      .describe('Sessions at once, all hosts together; two at most to one.'),
    keyExchange: z
      .enum(['Usual', 'Quick'])
      .default('Usual')
      .describe('Quick takes curve25519 first: a fifth of the CPU.'),
  })
  .describe('By the OpenSSH client.');

const jobWay = z
  .object({
    namespace: objectName().describe('In the cluster of the machine; it must allow privileged Pods.'),
    image: text(512)
      .min(1)
      .describe('Needs nothing but `chroot`: busybox does. Best by digest, and present on every node.'),
    priorityClassName: objectName().default('system-node-critical'),
    imagePullSecrets: z.array(objectName()).max(10).default([]),
  })
  .describe('By a Kubernetes Job on the node, as root in a chroot to the host: for sites without SSH.');

const hosts = z
  .object({
    ssh: sshWay.optional(),
    job: jobWay.optional(),
    agent: z
      .object({})
      .optional()
      .describe('By the provider’s own agent: Cloud Assistant, for machines of `ecs`. It runs as root.'),
    units: z
      .array(text(64).regex(/^[a-z][a-z0-9@._-]*$/))
      .max(50)
      .default([])
      .describe('Units of the site’s own, beside kubelet and containerd, that may be restarted and read.'),
  })
  .meta(oneOf(WAYS, `name one way onto the hosts: ${WAYS.join(', ')}`));

const KINDS = ['simulated', 'watchOnly', 'redfish', 'ipmi', 'ecs', 'metal3'] as const;

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
    ecs: ecs
      .optional()
      .describe(
        'Instances of one Alibaba Cloud account in one region. A Machine’s id is the instance’s: `i-…`.',
      ),
    hosts: hosts
      .optional()
      .describe('How Drover gets onto the hosts: to restart services, clean disks, fetch what a crash left.'),
    metal3: metal3
      .optional()
      .describe(
        'BareMetalHosts of Metal3: its operator is asked by annotations. A Machine’s id is `namespace/name` of its BareMetalHost.',
      ),
    limits: z
      .object({
        callsPerSecond: z.int().min(1).max(1000).optional(),
        concurrentCalls: z.int().min(1).max(256).optional(),
      })
      .prefault({})
      .describe(
        'Shared by all callers of this provider. By default 50 calls a second and 16 at once; 500 and 256 for Redfish, 100 and 64 for IPMI, where each machine’s own BMC takes two at once and one that is away holds its place for seconds; 10 and 16 for ECS, whose own limits are by API and minute.',
      ),
  })
  .meta({
    'x-kubernetes-validations': [
      ...oneOf(KINDS, `name one kind of provider: ${KINDS.join(', ')}`)['x-kubernetes-validations'],
      {
        rule: '!has(self.hosts) || !(has(self.simulated) || has(self.watchOnly))',
        message: 'simulated machines have hosts of their own, and those of watchOnly are not touched',
        fieldPath: '.hosts',
      },
      {
        rule: '!has(self.hosts) || !has(self.hosts.agent) || has(self.ecs)',
        message: 'only machines of ecs have an agent',
        fieldPath: '.hosts.agent',
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
export type HostSettings = z.output<typeof hosts>;
export type SshSettings = z.output<typeof sshWay>;
export type JobSettings = z.output<typeof jobWay>;
export type Metal3Settings = z.output<typeof metal3>;
export type EcsSettings = z.output<typeof ecs>;
export type EcsCredentials = z.output<typeof ecsCredentials>;

const LIMITS: Readonly<Record<string, { perSecond: number; concurrent: number }>> = {
  redfish: { perSecond: 500, concurrent: 256 },
  // A process a call.
  ipmi: { perSecond: 100, concurrent: 64 },
  // DescribeInstances takes 1,000 a minute, most others 200, and consoles and autoscalers take theirs from the same.
  ecs: { perSecond: 10, concurrent: 16 },
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
