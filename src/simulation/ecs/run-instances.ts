// RunInstances and the ClientTokens that make its repeats harmless.

import type { Action, Ask } from './action.ts';
import { ApiError } from './api-error.ts';
import { type Cloud, ownerOf } from './cloud.ts';
import type { Account } from './signature.ts';

const TOKEN_LENGTH_MAX = 64;
const USER_DATA_BYTES_MAX = 32 * 1024;

export const runInstances: Action = (cloud, ask) => once(cloud, 'RunInstances', ask, () => made(cloud, ask));

/**
 * The answer to the first call with this token is that to all of them. One that failed is forgotten: nothing was made,
 * and the same token may be tried again.
 */
export async function once(
  cloud: Cloud,
  action: string,
  ask: Ask,
  act: () => Promise<object>,
): Promise<object> {
  const token = ask.parameters.text('ClientToken');
  if (token === undefined) return act();
  if (token.length > TOKEN_LENGTH_MAX || !/^[\x20-\x7e]+$/.test(token))
    throw new ApiError(
      'InvalidClientToken.ValueNotSupported',
      'The ClientToken is longer than 64 ASCII characters.',
    );
  const key = `${ownerOf(ask.account)}/${action}/${token}`;
  const print = ask.parameters.print();
  const known = cloud.answers.get(key);
  if (known) {
    if (known.print !== print)
      throw new ApiError(
        'IdempotentParameterMismatch',
        'The request uses the same client token as a previous, but non-identical request.',
      );
    if (!known.isDone)
      throw new ApiError(
        'LastTokenProcessing',
        'The last token request is processing, please try again later.',
      );
    return (await known.answer) as object;
  }
  const answer = act();
  const entry = { print, answer, isDone: false };
  cloud.answers.set(key, entry);
  try {
    return await answer;
  } catch (error) {
    cloud.answers.delete(key);
    throw error;
  } finally {
    entry.isDone = true;
  }
}

async function made(cloud: Cloud, { account, parameters }: Ask): Promise<object> {
  const amount = parameters.count('Amount', 1, 100, 1);
  const least = parameters.count('MinAmount', 1, 100, amount);
  if (least > amount) throw new ApiError('InvalidParameter', 'MinAmount is larger than Amount.');
  if (!parameters.text('ImageId') && !parameters.text('LaunchTemplateId'))
    throw new ApiError(
      'MissingParameter',
      'The input parameter "ImageId" that is mandatory is not supplied.',
    );
  const type = parameters.needed('InstanceType');
  if (!cloud.types.has(type))
    throw new ApiError(
      'InvalidInstanceType.ValueNotSupported',
      `The specified InstanceType ${type} does not exist.`,
    );
  const zone = zoneOf(cloud, parameters.text('VSwitchId'), parameters.text('ZoneId'));
  const userData = parameters.text('UserData');
  if (userData && Buffer.from(userData, 'base64').length > USER_DATA_BYTES_MAX)
    throw new ApiError('InvalidUserData.SizeExceeded', 'The specified UserData exceeds the size limit.');
  const tags = parameters.tags();
  if (cloud.durations.order_ms > 0) await cloud.clock.sleep(cloud.durations.order_ms);

  const owner = ownerOf(account);
  const room = roomFor(cloud, account, least);
  const left = cloud.stock(zone, type);
  if (left < least)
    throw new ApiError(
      'OperationDenied.NoStock',
      `The requested resource is sold out in the specified zone ${zone}.`,
    );
  const count = Math.min(amount, room, left);
  if (parameters.flag('DryRun'))
    throw new ApiError('DryRunOperation', 'Request validation has been passed with DryRun flag set.');
  const name = parameters.text('InstanceName') ?? 'instance';
  const token = parameters.text('ClientToken');
  const ids = Array.from({ length: count }, (_, at) => {
    const suffix = parameters.flag('UniqueSuffix') && amount > 1 ? String(at + 1).padStart(3, '0') : '';
    const protection = parameters.flag('DeletionProtection');
    return cloud.add({
      owner,
      name: name + suffix,
      type,
      zone,
      tags: new Map(tags),
      token,
      deletionProtection: protection,
    }).id;
  });
  if (Number.isFinite(left)) cloud.setStock(zone, type, left - count);
  cloud.orders.push({ token, type, zone, asked: amount, ids, at: cloud.clock.now() });
  return { OrderId: `${cloud.orders.length}`, InstanceIdSets: { InstanceIdSet: ids } };
}

/** How many more the account may have. */
export function roomFor(cloud: Cloud, account: Account, least: number): number {
  const room = (account.instancesMax ?? Number.POSITIVE_INFINITY) - cloud.countOf(ownerOf(account));
  if (room >= least) return room;
  throw new ApiError(
    'QuotaExceed.ElasticQuota',
    'The number of instances exceeds the quota of your account.',
  );
}

export function zoneOf(cloud: Cloud, vSwitch: string | undefined, zone: string | undefined): string {
  const of = vSwitch === undefined ? undefined : cloud.vSwitches.get(vSwitch);
  if (vSwitch !== undefined && of === undefined)
    throw new ApiError('InvalidVSwitchId.NotFound', `The specified VSwitchId ${vSwitch} does not exist.`);
  if (zone !== undefined && of !== undefined && zone !== of)
    throw new ApiError('InvalidParameter.Conflict', 'The vSwitch is not in the specified zone.');
  const found = of ?? zone;
  if (found === undefined)
    throw new ApiError(
      'MissingParameter',
      'The input parameter "VSwitchId" that is mandatory is not supplied.',
    );
  if (!cloud.zones.includes(found))
    throw new ApiError('InvalidZoneId.NotFound', `The specified zone ${found} does not exist.`);
  return found;
}
