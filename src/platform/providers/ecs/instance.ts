// What an instance looks like to the API, in our words.
import type { DescribeInstancesResponseBodyInstancesInstance as Instance } from '@alicloud/ecs20140526';
import { type Abilities, type Ability, abilities, type Listed, type Power } from '../provider.ts';

export type { Instance };

/** Says that a machine is Drover's to give back. Put on what Drover buys; a person puts it on what was there before. */
export const OWNED_TAG = 'drover.dev/owned';

const STATES = ['Pending', 'Starting', 'Running', 'Stopping', 'Stopped'] as const;
export type State = (typeof STATES)[number] | 'Unknown';

export function stateOf({ status }: Instance): State {
  return STATES.find((state) => state === status) ?? 'Unknown';
}

export function powerOf(instance: Instance): Power {
  const state = stateOf(instance);
  return state === 'Running' ? 'On' : state === 'Stopped' ? 'Off' : 'Unknown';
}

export function tagsOf({ tags }: Instance): Record<string, string> {
  const all = tags?.tag ?? [];
  return Object.fromEntries(
    all.flatMap(({ tagKey, tagValue }) => (tagKey ? [[tagKey, tagValue ?? '']] : [])),
  );
}

export function listed(instance: Instance, id: string): Listed {
  const address = instance.vpcAttributes?.privateIpAddress?.ipAddress?.[0];
  const createdAt = Date.parse(instance.creationTime ?? '');
  const { instanceName, instanceType, serialNumber, zoneId } = instance;
  return {
    id,
    power: powerOf(instance),
    labels: tagsOf(instance),
    ...(instanceName && { name: instanceName }),
    ...(instanceType && { model: instanceType }),
    ...(serialNumber && { serial: serialNumber }),
    ...(zoneId && { zone: zoneId }),
    ...(address && { address }),
    ...(!Number.isNaN(createdAt) && { createdAt }),
  };
}

export const lockOf = ({ operationLocks }: Instance): string | undefined =>
  operationLocks?.lockReason?.[0]?.lockReason;

const NO_NMI =
  'ECS has no NMI for bare-metal instances (SendDiagnosticInterrupt refuses them): while its system answers, write c to /proc/sysrq-trigger';

/** What can be done to this one, or why not. */
export function abilitiesOf(instance: Instance): Abilities {
  const lock = lockOf(instance);
  const power = lock ? `Alibaba Cloud has locked the instance (${lock})` : true;
  const acts: Partial<Record<Ability, true | string>> = {
    Reboot: power,
    ForceReboot: power,
    PowerOn: power,
    PowerOff: power,
    PowerCycle: power,
    Nmi: isBareMetal(instance) ? NO_NMI : power,
    Redeploy: onDedicatedHost(instance) ? 'an instance on a dedicated host is not redeployed' : power,
    Release: releaseOf(instance),
  };
  return abilities(true, acts);
}

function releaseOf(instance: Instance): true | string {
  if (tagsOf(instance)[OWNED_TAG] !== 'true')
    return `it has no tag ${OWNED_TAG}=true, which says that it is Drover’s to give back`;
  return instance.deletionProtection ? 'it has deletion protection' : true;
}

/** Shenlong (`ecs.ebm…`) and super computing clusters (`ecs.scc…`). */
const isBareMetal = ({ instanceType }: Instance) => /^ecs\.(ebm|scc)/.test(instanceType ?? 'ecs.ebm');

const onDedicatedHost = ({ dedicatedHostAttribute }: Instance) =>
  Boolean(dedicatedHostAttribute?.dedicatedHostId);
