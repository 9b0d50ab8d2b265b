// Orders for more instances than RunInstances takes, from several types and zones at once: an auto-provisioning group of
// the kind `instant`, which answers with what it made and is nothing more after that.
import type { CreateAutoProvisioningGroupResponseBody } from '@alicloud/ecs20140526';
import type { EcsSettings } from '../../../api/machine-provider.ts';
import {
  BULK_MAX,
  type Failure,
  type MachineType,
  ORDER_MAX,
  type Order,
  ProviderError,
} from '../provider.ts';
import type { EcsApi } from './api.ts';
import { meaningOf } from './errors.ts';
import { OWNED_TAG } from './instance.ts';
import type { LookUp } from './look-up.ts';

/** What one group may hold beside 1,000 instances. https://help.aliyun.com/en/ecs/user-guide/use-auto-provisioning-group-related-api-operations-to-create-multiple-ecs-instances-at-the-same-time */
const VCPUS_MAX = 10_000;

type Launch = NonNullable<EcsSettings['launch']>;
type Results = NonNullable<CreateAutoProvisioningGroupResponseBody['launchResults']>['launchResult'];

/** Of a template and tags of our own a group keeps the template's: machines that can't be found again are not made. */
export function takesGroups(launch: Launch): boolean {
  return launch.template === undefined;
}

/** Of the large types of bare metal a group takes fewer than RunInstances does. */
export function bulkOf(types: readonly MachineType[]): number | undefined {
  const vcpus = Math.max(...types.map((type) => type.vcpus));
  const count = Math.min(BULK_MAX, Math.floor(VCPUS_MAX / vcpus));
  return count > ORDER_MAX ? count : undefined;
}

export async function createGroup(
  api: EcsApi,
  lookUp: LookUp,
  launch: Launch,
  order: Order,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const request = groupRequestOf(order, launch, api.regionId);
  const body = await api.call(
    'CreateAutoProvisioningGroup',
    'Act',
    (client, sdk) => client.createAutoProvisioningGroup(new sdk.CreateAutoProvisioningGroupRequest(request)),
    signal,
  );
  const ids = idsOf(body.launchResults?.launchResult);
  lookUp.made(ids);
  return ids;
}

/** It answers 200 whatever came of it. What some pools gave is had, whatever the others said. */
export function idsOf(results: Results = []): string[] {
  const ids = results.flatMap(({ instanceIds }) => instanceIds?.instanceId ?? []);
  if (ids.length > 0) return ids;
  const failed = results.filter(({ errorCode }) => errorCode);
  // Something was made, or not, and we do not know what: its token says it again.
  if (failed.length === 0)
    throw new ProviderError('Unknown', 'ECS CreateAutoProvisioningGroup: the answer names no instance');
  const [worst] = failed.toSorted((a, b) => rank(a.errorCode) - rank(b.errorCode));
  const { errorCode, errorMsg, instanceType, zoneId } = worst ?? {};
  const reason = meaningOf(errorCode ?? '')?.reason;
  throw new ProviderError(
    failureFor(errorCode),
    `ECS CreateAutoProvisioningGroup: ${instanceType} in ${zoneId}: ${errorCode}: ${errorMsg}`.slice(0, 512),
    reason === undefined ? {} : { reason },
  );
}

/** The token stands for this answer now, so what might work later is another order: as where there is no stock. */
function failureFor(code = ''): Failure {
  const failure = meaningOf(code)?.failure;
  if (failure === 'NoStock' || failure === 'Throttled' || failure === 'TryAgain') return 'NoStock';
  return failure === 'Quota' ? 'Quota' : 'Refused';
}

/** What ends a purchase is told before what another pool, or a later order, may mend. */
const rank = (code: string | undefined) => ['Refused', 'Quota', 'NoStock'].indexOf(failureFor(code));

/** Pure, as RunInstances' is. */
export function groupRequestOf(order: Order, launch: Launch, regionId: string) {
  if (order.count < 1 || order.count > BULK_MAX)
    throw new ProviderError('Refused', `a bulk order is for 1 to ${BULK_MAX} machines, not ${order.count}`);
  const pools = [order, ...(order.orElse ?? [])].flatMap(({ type, zone }) => {
    const vSwitch = launch.vSwitches.find((one) => one.zone === zone);
    return vSwitch ? [{ instanceType: type, vSwitchId: vSwitch.id }] : [];
  });
  if (pools.length === 0)
    throw new ProviderError('NoStock', 'spec.ecs.launch.vSwitches has none in the zones of the order', {
      reason: 'ZoneNotSetUp',
    });
  const { systemDisk, userData, securityGroupIds = [] } = launch;
  const tags = { ...order.labels, [OWNED_TAG]: 'true' };
  const [group, ...moreGroups] = securityGroupIds;
  return {
    regionId,
    clientToken: order.token,
    autoProvisioningGroupType: 'instant',
    totalTargetCapacity: String(order.count),
    payAsYouGoTargetCapacity: String(order.count),
    spotTargetCapacity: '0',
    defaultTargetCapacityType: 'PayAsYouGo',
    minTargetCapacity: String(order.least),
    payAsYouGoAllocationStrategy: 'prioritized',
    // Who tidies groups away shall not take machines with them.
    terminateInstances: false,
    terminateInstancesWithExpiration: false,
    excessCapacityTerminationPolicy: 'no-termination',
    launchTemplateConfig: pools.map((pool, priority) => ({ ...pool, priority, weightedCapacity: 1 })),
    launchConfiguration: {
      // Sequential names: from 1, with four digits.
      instanceName: `${order.name}[1,4]`,
      tag: Object.entries(tags).map(([key, value]) => ({ key, value })),
      ...(launch.imageId && { imageId: launch.imageId }),
      ...(group && moreGroups.length === 0 && { securityGroupId: group }),
      ...(moreGroups.length > 0 && { securityGroupIds }),
      ...(launch.keyPairName && { keyPairName: launch.keyPairName }),
      ...(launch.ramRoleName && { ramRoleName: launch.ramRoleName }),
      ...(launch.deploymentSetId && { deploymentSetId: launch.deploymentSetId }),
      ...(launch.resourceGroupId && { resourceGroupId: launch.resourceGroupId }),
      ...(userData && { userData: Buffer.from(userData).toString('base64') }),
      ...(systemDisk?.category && { systemDiskCategory: systemDisk.category }),
      ...(systemDisk?.sizeGib !== undefined && { systemDiskSize: systemDisk.sizeGib }),
      ...(systemDisk?.performanceLevel && { systemDiskPerformanceLevel: systemDisk.performanceLevel }),
    },
  };
}
