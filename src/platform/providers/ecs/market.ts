// Instance types, stock, and orders of up to 100 instances; larger ones are in provisioning-group.ts.
import type { DescribeInstanceTypesResponseBodyInstanceTypesInstanceType as TypeFacts } from '@alicloud/ecs20140526';
import type { EcsSettings } from '../../../api/machine-provider.ts';
import {
  type MachineType,
  type Market,
  type Offer,
  ORDER_MAX,
  type Order,
  ProviderError,
} from '../provider.ts';
import type { EcsApi } from './api.ts';
import { OWNED_TAG } from './instance.ts';
import { instancesOf } from './list.ts';
import type { LookUp } from './look-up.ts';
import { bulkOf, createGroup, takesGroups } from './provisioning-group.ts';

/** As many names as DescribeInstanceTypes takes. */
const TYPES_MAX = 10;
const GIB = 2 ** 30;

type Launch = NonNullable<EcsSettings['launch']>;

export function marketOf(api: EcsApi, lookUp: LookUp, launch: Launch): Market {
  const market: Market = {
    async types(names, signal) {
      const found: MachineType[] = [];
      for (let at = 0; at < names.length; at += TYPES_MAX) {
        const request = { instanceTypes: names.slice(at, at + TYPES_MAX) };
        const body = await api.call(
          'DescribeInstanceTypes',
          'Read',
          (client, sdk) => client.describeInstanceTypes(new sdk.DescribeInstanceTypesRequest(request)),
          signal,
        );
        found.push(...(body.instanceTypes?.instanceType ?? []).flatMap(machineType));
      }
      return found;
    },
    async offers(types, signal) {
      const offers: Offer[] = [];
      for (const type of types) offers.push(...(await offersOf(api, type, signal)));
      return offers;
    },
    async create(order, signal) {
      if (order.orElse) return createGroup(api, lookUp, launch, order, signal);
      const request = requestOf(order, launch, api.regionId);
      const body = await api.call(
        'RunInstances',
        'Act',
        (client, sdk) => client.runInstances(new sdk.RunInstancesRequest(request)),
        signal,
      );
      const ids = body.instanceIdSets?.instanceIdSet ?? [];
      // Something was made, and we do not know what: its token says it again.
      if (ids.length === 0)
        throw new ProviderError('Unknown', `ECS RunInstances: the answer names no instance`);
      lookUp.made(ids);
      return ids;
    },
    async find(labels, signal) {
      const pages = await Array.fromAsync(instancesOf(api, labels, signal));
      return pages.flat().map(({ id }) => id);
    },
    ...(takesGroups(launch) && {
      bulk: async (names, signal) => bulkOf(await market.types(names, signal)),
    }),
  };
  return market;
}

/** The wire's RunInstances of one order. Pure, so that the same order is the same request: a token stands for one only. */
export function requestOf(order: Order, launch: Launch, regionId: string) {
  if (order.count < 1 || order.count > ORDER_MAX)
    throw new ProviderError('Refused', `an order is for 1 to ${ORDER_MAX} machines, not ${order.count}`);
  const vSwitch = launch.vSwitches.find(({ zone }) => zone === order.zone);
  if (!vSwitch)
    throw new ProviderError('NoStock', `spec.ecs.launch.vSwitches has none in the zone ${order.zone}`, {
      reason: 'ZoneNotSetUp',
    });
  const { template, systemDisk, userData } = launch;
  const tags = { ...order.labels, [OWNED_TAG]: 'true' };
  return {
    regionId,
    clientToken: order.token,
    instanceType: order.type,
    zoneId: order.zone,
    vSwitchId: vSwitch.id,
    amount: order.count,
    minAmount: order.least,
    instanceName: order.name,
    uniqueSuffix: true,
    tag: Object.entries(tags).map(([key, value]) => ({ key, value })),
    ...(template && { launchTemplateId: template.id }),
    ...(template?.version !== undefined && { launchTemplateVersion: template.version }),
    ...(launch.imageId && { imageId: launch.imageId }),
    ...(launch.securityGroupIds && { securityGroupIds: launch.securityGroupIds }),
    ...(launch.keyPairName && { keyPairName: launch.keyPairName }),
    ...(launch.ramRoleName && { ramRoleName: launch.ramRoleName }),
    ...(launch.deploymentSetId && { deploymentSetId: launch.deploymentSetId }),
    ...(launch.resourceGroupId && { resourceGroupId: launch.resourceGroupId }),
    ...(userData && { userData: Buffer.from(userData).toString('base64') }),
    ...(systemDisk && {
      systemDisk: {
        ...(systemDisk.category && { category: systemDisk.category }),
        ...(systemDisk.sizeGib !== undefined && { size: String(systemDisk.sizeGib) }),
        ...(systemDisk.performanceLevel && { performanceLevel: systemDisk.performanceLevel }),
      },
    }),
  };
}

async function offersOf(api: EcsApi, type: string, signal: AbortSignal | undefined): Promise<Offer[]> {
  const request = {
    regionId: api.regionId,
    destinationResource: 'InstanceType',
    instanceChargeType: 'PostPaid',
    instanceType: type,
  };
  const body = await api.call(
    'DescribeAvailableResource',
    'Read',
    (client, sdk) => client.describeAvailableResource(new sdk.DescribeAvailableResourceRequest(request)),
    signal,
  );
  return (body.availableZones?.availableZone ?? []).flatMap(({ zoneId, availableResources }) => {
    const resources = availableResources?.availableResource ?? [];
    const one = resources
      .flatMap(({ supportedResources }) => supportedResources?.supportedResource ?? [])
      .find(({ value }) => value === type);
    return zoneId && one ? [{ type, zone: zoneId, stock: stockOf(one.statusCategory, one.status) }] : [];
  });
}

function stockOf(category: string | undefined, status: string | undefined): Offer['stock'] {
  switch (category) {
    case 'WithStock':
      return 'Enough';
    case 'ClosedWithStock':
      return 'Scarce';
    case 'WithoutStock':
    case 'ClosedWithoutStock':
      return 'None';
    default:
      return status === 'SoldOut' ? 'None' : 'Unknown';
  }
}

function machineType(facts: TypeFacts): MachineType[] {
  const { instanceTypeId: name, cpuCoreCount: vcpus, memorySize } = facts;
  if (!name || vcpus === undefined || memorySize === undefined) return [];
  return [
    {
      name,
      vcpus,
      memory_bytes: memorySize * GIB,
      architecture: facts.cpuArchitecture === 'ARM' ? 'arm64' : 'amd64',
      enis: facts.eniQuantity ?? 1,
      disks: facts.diskQuantity ?? 1,
      pps: { receive: facts.instancePpsRx ?? 0, send: facts.instancePpsTx ?? 0 },
      bandwidth_bps: {
        receive: (facts.instanceBandwidthRx ?? 0) * 1000,
        send: (facts.instanceBandwidthTx ?? 0) * 1000,
      },
      localDisks: {
        count: facts.localStorageAmount ?? 0,
        size_bytes: (facts.localStorageCapacity ?? 0) * GIB,
      },
      gpus: facts.GPUAmount ?? 0,
    },
  ];
}
