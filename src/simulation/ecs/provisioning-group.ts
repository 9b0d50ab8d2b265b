// CreateAutoProvisioningGroup of the kind `instant`: one order over several pools, by their priority. Groups that last are not here.

import type { Action, Ask } from './action.ts';
import { ApiError } from './api-error.ts';
import { type Cloud, ownerOf } from './cloud.ts';
import { once, roomFor, zoneOf } from './run-instances.ts';

const INSTANCES_MAX = 1000;
const VCPUS_MAX = 10_000;
const POOLS_MAX = 20;

export const createAutoProvisioningGroup: Action = (cloud, ask) =>
  once(cloud, 'CreateAutoProvisioningGroup', ask, () => made(cloud, ask));

interface Pool {
  type: string;
  zone: string;
  priority: number;
}

async function made(cloud: Cloud, ask: Ask): Promise<object> {
  const { account, parameters } = ask;
  if (parameters.text('AutoProvisioningGroupType') !== 'instant')
    throw new ApiError('InvalidParameter', 'The stand-in knows the AutoProvisioningGroupType instant only.');
  parameters.needed('TotalTargetCapacity');
  const total = parameters.count('TotalTargetCapacity', 1, INSTANCES_MAX, 1);
  const least = parameters.count('MinTargetCapacity', 1, total, 1);
  if (parameters.count('PayAsYouGoTargetCapacity', 0, total, 0) !== total)
    throw new ApiError('InvalidParameter', 'The stand-in sells by pay-as-you-go only.');
  const template = parameters.text('LaunchTemplateId');
  if (!template && !parameters.text('LaunchConfiguration.ImageId'))
    throw new ApiError(
      'MissingParameter',
      'Neither a launch template nor LaunchConfiguration.ImageId is there.',
    );
  const pools = poolsOf(cloud, ask);
  const vcpus = Math.max(...pools.map(({ type }) => cloud.types.get(type)?.vcpus ?? 0));
  if (vcpus * total > VCPUS_MAX)
    throw new ApiError('InvalidParameter', `The group is for more than ${VCPUS_MAX} vCPUs.`);
  // The template's, whatever stands beside it.
  const tags = template ? new Map<string, string>() : parameters.tags('LaunchConfiguration.');
  if (cloud.durations.order_ms > 0) await cloud.clock.sleep(cloud.durations.order_ms);

  const owner = ownerOf(account);
  const room = roomFor(cloud, account, least);
  const stock = pools.reduce((sum, { zone, type }) => sum + cloud.stock(zone, type), 0);
  if (stock < least)
    throw new ApiError('OperationDenied.NoStock', 'The stock is less than MinTargetCapacity.');
  const token = parameters.text('ClientToken');
  const name = parameters.text('LaunchConfiguration.InstanceName') ?? 'instance';
  let wanted = Math.min(total, room);
  let number = 0;
  const results = pools.map(({ type, zone }) => {
    const left = cloud.stock(zone, type);
    const count = Math.min(wanted, left);
    const ids = Array.from(
      { length: count },
      () =>
        cloud.add({
          owner,
          name: numbered(name, ++number),
          type,
          zone,
          tags: new Map(tags),
          token,
          deletionProtection: false,
        }).id,
    );
    if (Number.isFinite(left)) cloud.setStock(zone, type, left - count);
    const isShort = count < wanted;
    if (wanted > 0) cloud.orders.push({ token, type, zone, asked: wanted, ids, at: cloud.clock.now() });
    wanted -= count;
    return {
      InstanceType: type,
      ZoneId: zone,
      Amount: count,
      InstanceIds: { InstanceId: ids },
      ...(isShort && {
        ErrorCode: 'OperationDenied.NoStock',
        ErrorMsg: `The requested resource is sold out in the specified zone ${zone}.`,
      }),
    };
  });
  return {
    AutoProvisioningGroupId: `apg-${cloud.orders.length}`,
    LaunchResults: { LaunchResult: results.filter(({ Amount, ErrorCode }) => Amount > 0 || ErrorCode) },
  };
}

function poolsOf(cloud: Cloud, { parameters }: Ask): Pool[] {
  const pools: Pool[] = [];
  for (let at = 1; parameters.text(`LaunchTemplateConfig.${at}.VSwitchId`); at++) {
    const of = `LaunchTemplateConfig.${at}`;
    const type = parameters.needed(`${of}.InstanceType`);
    if (at > POOLS_MAX)
      throw new ApiError('InvalidParameter', `More than ${POOLS_MAX} LaunchTemplateConfig.`);
    if (!cloud.types.has(type))
      throw new ApiError(
        'InvalidInstanceType.ValueNotSupported',
        `The specified InstanceType ${type} does not exist.`,
      );
    const zone = zoneOf(cloud, parameters.text(`${of}.VSwitchId`), undefined);
    pools.push({ type, zone, priority: parameters.count(`${of}.Priority`, 0, 1000, 1000) });
  }
  if (pools.length === 0)
    throw new ApiError('MissingParameter', 'The input parameter "LaunchTemplateConfig" is not supplied.');
  return pools.sort((a, b) => a.priority - b.priority);
}

/** `web-[1,4]` is web-0001, web-0002 … */
function numbered(name: string, number: number): string {
  return name.replace(/\[(\d+),(\d+)\]/, (_, from: string, digits: string) =>
    String(Number(from) + number - 1).padStart(Number(digits), '0'),
  );
}
