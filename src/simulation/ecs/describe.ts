// What there is, and what can be had.

import type { Action } from './action.ts';
import { ApiError } from './api-error.ts';
import { type Instance, minuteOf, type TypeFacts } from './cloud.ts';
import { pageOf } from './page.ts';

/** @param overlap as in pageOf */
export const describeInstances =
  (overlap: () => number): Action =>
  (cloud, { account, parameters }) => {
    if (parameters.flag('DryRun'))
      throw new ApiError('DryRunOperation', 'Request validation has been passed with DryRun flag set.');
    const ids = parameters.text('InstanceIds');
    const tags = parameters.tags();
    const wanted = function* () {
      for (const instance of ids === undefined ? cloud.instances.values() : named(idsOf(ids)))
        if (
          cloud.sees(account, instance) &&
          [...tags].every(([key, value]) => instance.tags.get(key) === value)
        )
          yield instance;
    };
    function* named(ids: readonly string[]) {
      const found = ids.flatMap((id) => cloud.instances.get(id) ?? []);
      yield* found.sort((a, b) => a.number - b.number);
    }
    const { items, next } = pageOf(wanted(), parameters, overlap());
    return { NextToken: next, Instances: { Instance: items.map((item) => shown(item, cloud.region)) } };
  };

function idsOf(text: string): string[] {
  let ids: unknown;
  try {
    ids = JSON.parse(text);
  } catch {
    // Refused below.
  }
  if (!Array.isArray(ids) || ids.length > 100 || !ids.every((id) => typeof id === 'string'))
    throw new ApiError(
      'InvalidInstanceIds.Malformed',
      'The specified InstanceIds is no JSON array of up to 100 ids.',
    );
  return [...new Set(ids as string[])];
}

function shown(instance: Instance, region: string): object {
  return {
    InstanceId: instance.id,
    InstanceName: instance.name,
    HostName: instance.name,
    RegionId: region,
    ZoneId: instance.zone,
    InstanceType: instance.type,
    Status: instance.status,
    CreationTime: minuteOf(instance.createdAt),
    StartTime: minuteOf(instance.startedAt),
    SerialNumber: instance.serial,
    DeletionProtection: instance.deletionProtection,
    OperationLocks: { LockReason: instance.isLocked ? [{ LockReason: 'security' }] : [] },
    Tags: { Tag: [...instance.tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue })) },
    VpcAttributes: { PrivateIpAddress: { IpAddress: [instance.address] } },
  };
}

export const describeInstanceTypes: Action = (cloud, { parameters }) => {
  const names = parameters.list('InstanceTypes', 10);
  const wanted = [...cloud.types.values()].filter(({ name }) => names.length === 0 || names.includes(name));
  return { NextToken: '', InstanceTypes: { InstanceType: wanted.map(shownType) } };
};

function shownType(type: TypeFacts): object {
  return {
    InstanceTypeId: type.name,
    InstanceTypeFamily: type.name.split('.').slice(0, 2).join('.'),
    InstanceCategory: 'ECS Bare Metal',
    CpuCoreCount: type.vcpus,
    MemorySize: type.memory_gib,
    CpuArchitecture: type.architecture ?? 'X86',
    EniQuantity: type.enis,
    DiskQuantity: type.disks,
    InstancePpsRx: type.pps,
    InstancePpsTx: type.pps,
    InstanceBandwidthRx: type.bandwidth_kbps,
    InstanceBandwidthTx: type.bandwidth_kbps,
    GPUAmount: type.gpus ?? 0,
    LocalStorageAmount: type.localDisks?.count,
    LocalStorageCapacity: type.localDisks?.size_gib,
  };
}

/** Fewer than these are few. */
const SCARCE = 20;

export const describeAvailableResource: Action = (cloud, { parameters }) => {
  if (parameters.needed('DestinationResource') !== 'InstanceType')
    throw new ApiError('InvalidParameter', 'The stand-in knows DestinationResource=InstanceType only.');
  const only = parameters.text('InstanceType');
  const zone = parameters.text('ZoneId');
  const types = [...cloud.types.keys()].filter((type) => only === undefined || type === only);
  const zones = cloud.zones.filter((each) => zone === undefined || each === zone);
  return {
    AvailableZones: {
      AvailableZone: zones.map((ZoneId) => ({
        RegionId: cloud.region,
        ZoneId,
        ...statusOf(Math.max(0, ...types.map((type) => cloud.stock(ZoneId, type)))),
        AvailableResources: {
          AvailableResource: [
            {
              Type: 'InstanceType',
              SupportedResources: {
                SupportedResource: types.map((Value) => ({ Value, ...statusOf(cloud.stock(ZoneId, Value)) })),
              },
            },
          ],
        },
      })),
    },
  };
};

function statusOf(left: number): { Status: string; StatusCategory: string } {
  if (left <= 0) return { Status: 'SoldOut', StatusCategory: 'WithoutStock' };
  return { Status: 'Available', StatusCategory: left < SCARCE ? 'ClosedWithStock' : 'WithStock' };
}
