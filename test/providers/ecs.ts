// Our stand-in for the ECS API, on loopback.
import { systemClock } from '../../src/platform/clock/system.ts';
import type { Act } from '../../src/platform/providers/provider.ts';
import { type EcsService, serveEcs } from '../../src/simulation/ecs/index.ts';
import { eventually, opened, type Stage } from './stage.ts';

export const ZONES = ['cn-beijing-a', 'cn-beijing-b'];
export const TYPES = ['ecs.ebmg7.32xlarge', 'ecs.ebmc7.32xlarge'].map((name) => ({
  name,
  vcpus: 128,
  memory_gib: 512,
  enis: 32,
  disks: 17,
  pps: 24_000_000,
  bandwidth_kbps: 64_000_000,
}));
export const KEY = { accessKeyId: 'AKID', accessKeySecret: 'secret' };

/** The call that each act comes to, and what of it tells it from others. */
const SENT: Readonly<Partial<Record<Act, { action: string; with?: [string, string] }>>> = {
  Reboot: { action: 'RebootInstances', with: ['ForceReboot', 'false'] },
  ForceReboot: { action: 'RebootInstances', with: ['ForceReboot', 'true'] },
  PowerOn: { action: 'StartInstances' },
  PowerOff: { action: 'StopInstances' },
  PowerCycle: { action: 'StopInstances' },
  Redeploy: { action: 'RedeployInstance' },
};

export const specOf = (endpoint: string, rest: object = {}) => ({
  ecs: {
    regionId: 'cn-beijing',
    endpoint: `http://${endpoint}`,
    credentials: { secretRef: { namespace: 'drover', name: 'ecs' } },
    launch: { imageId: 'img-1', vSwitches: ZONES.map((zone) => ({ zone, id: `vsw-${zone}` })) },
    ...rest,
  },
});

/** Machines that were there before Drover, and run. */
export function seeded(ecs: EcsService, count = 1, tags: Readonly<Record<string, string>> = {}): string[] {
  return Array.from({ length: count }, (_, at) => {
    const of = { owner: 'main', type: 'ecs.ebmg7.32xlarge', zone: 'cn-beijing-a', token: undefined };
    const made = {
      ...of,
      name: `node-${at + 1}`,
      tags: new Map(Object.entries(tags)),
      deletionProtection: false,
    };
    return ecs.cloud.adopt(made).id;
  });
}

export async function ecsStage(): Promise<Stage> {
  const durations = {
    visible_ms: 0,
    pending_ms: 10,
    starting_ms: 300,
    stopping_ms: 400,
    rebooting_ms: 500,
    redeploying_ms: 600,
    executing_ms: 50,
  };
  const ecs = await serveEcs({
    clock: systemClock,
    region: 'cn-beijing',
    zones: ZONES,
    types: TYPES,
    accounts: [KEY],
    durations,
  });
  const [machine] = seeded(ecs) as [string];
  // Its history: a failure that is over.
  ecs.announce({
    instance: machine,
    type: 'InstanceFailure.Reboot',
    reason: 'The operating system crashed.',
  });
  const status = () => ecs.instances()[0]?.status;
  await eventually('the event is over', () =>
    [...ecs.cloud.events.values()].every(({ state }) => state === 'Executed'),
  );
  await eventually('it runs again', () => status() === 'Running');
  return {
    provider: opened(specOf(ecs.endpoint), KEY),
    wrongPassword: opened(specOf(ecs.endpoint), { ...KEY, accessKeySecret: 'wrong' }),
    machine,
    unknown: 'i-00000000000000000000',
    hasPower: (power) =>
      eventually(`power ${power}`, () => status() === (power === 'On' ? 'Running' : 'Stopped')),
    seen: async (act) => {
      const sent = SENT[act];
      return ecs.calls.filter(
        ({ action, answer, parameters }) =>
          action === sent?.action &&
          answer === 'OK' &&
          (!sent.with || parameters.get(sent.with[0]) === sent.with[1]),
      ).length;
    },
    goAway: ecs.goAway,
    comeBack: ecs.comeBack,
    [Symbol.asyncDispose]: ecs.close,
  };
}
