// System events: what the cloud itself will do to an instance, and how such an event lives and ends.
import type { Timer } from '../../platform/clock/clock.ts';
import type { Action } from './action.ts';
import { ApiError } from './api-error.ts';
import type { Cloud, Instance } from './cloud.ts';
import { pageOf } from './page.ts';
import { rebooted, redeployed, stopped } from './power-changes.ts';

export const OPEN_STATES = ['Inquiring', 'Scheduled', 'Executing'] as const;
export type EventState = (typeof OPEN_STATES)[number] | 'Executed' | 'Avoided' | 'Canceled' | 'Failed';

export interface SystemEvent {
  id: string;
  number: number;
  instance: string;
  owner: string;
  /** `SystemMaintenance.Reboot` … */
  type: string;
  state: EventState;
  reason: string;
  publishedAt: number;
  notBefore: number;
  finishedAt: number | undefined;
  /** It is told of and does nothing to the instance. */
  isSimulated: boolean;
  pending: Timer | undefined;
}

export interface Announcement {
  instance: string;
  type: string;
  /** Scheduled without. An Inquiring one waits for consent, for ever. */
  state?: 'Inquiring' | 'Scheduled';
  /** Epoch milliseconds; now without. */
  notBefore?: number;
  reason?: string;
  isSimulated?: boolean;
}

/** The cloud has found a reason to touch this instance. */
export function announce(cloud: Cloud, announcement: Announcement): SystemEvent {
  const instance = cloud.instances.get(announcement.instance);
  if (!instance) throw new Error(`there is no instance ${announcement.instance}`);
  const number = cloud.nextNumber();
  const now = cloud.clock.now();
  const event: SystemEvent = {
    id: `e-${number.toString(36).padStart(14, '0')}`,
    number,
    instance: instance.id,
    owner: instance.owner,
    type: announcement.type,
    state: announcement.state ?? 'Scheduled',
    reason: announcement.reason ?? 'System maintenance is scheduled due to a risk of the underlying host.',
    publishedAt: now,
    notBefore: announcement.notBefore ?? now,
    finishedAt: undefined,
    isSimulated: announcement.isSimulated ?? false,
    pending: undefined,
  };
  cloud.events.set(event.id, event);
  if (event.state === 'Scheduled') schedule(cloud, event);
  return event;
}

function schedule(cloud: Cloud, event: SystemEvent): void {
  event.state = 'Scheduled';
  event.pending?.cancel();
  event.pending = cloud.clock.timer(event.notBefore - cloud.clock.now(), () => execute(cloud, event));
}

function execute(cloud: Cloud, event: SystemEvent): void {
  const instance = cloud.instances.get(event.instance);
  if (!instance || event.isSimulated) {
    finish(cloud, event, instance ? 'Executed' : 'Canceled');
    return;
  }
  event.state = 'Executing';
  happen(cloud, event, instance);
  event.pending = cloud.clock.timer(cloud.durations.executing_ms, () => finish(cloud, event, 'Executed'));
}

function happen(cloud: Cloud, { type }: SystemEvent, instance: Instance): void {
  const what = type.split('.')[1];
  if (what === 'Reboot') rebooted(cloud, instance, true);
  else if (what === 'Redeploy') redeployed(cloud, instance);
  else if (what === 'Stop') stopped(cloud, instance, true);
  else if (what === 'Delete') cloud.remove(instance);
}

/** It ends: also for tests, as Canceled or Failed. */
export function finish(cloud: Cloud, event: SystemEvent, state: EventState): void {
  event.pending?.cancel();
  event.state = state;
  event.finishedAt = cloud.clock.now();
}

/** A reboot or redeploy through the API closes what was announced; one from within the operating system does not. */
export function avoidEvents(cloud: Cloud, instance: string, by: 'Reboot' | 'Redeploy'): void {
  for (const event of cloud.events.values()) {
    if (event.instance !== instance || (event.state !== 'Inquiring' && event.state !== 'Scheduled')) continue;
    const isClosed =
      event.type === 'SystemMaintenance.Reboot' ||
      (by === 'Redeploy' && /^System(Maintenance|Failure)\./.test(event.type) && !event.isSimulated);
    if (isClosed) finish(cloud, event, 'Avoided');
  }
}

export const describeInstanceHistoryEvents: Action = (cloud, { account, parameters }) => {
  const states = parameters.list('InstanceEventCycleStatus', 7);
  const one = parameters.text('EventCycleStatus');
  if (one) states.push(one);
  const resources = parameters.list('ResourceId', 100);
  const instance = parameters.text('InstanceId');
  if (resources.length === 0 && instance) resources.push(instance);
  const types = parameters.list('InstanceEventType', 30);
  const wanted = [...cloud.events.values()].filter(
    (event) =>
      event.owner === (account.owner ?? 'main') &&
      // Without a filter only what is over, as documented.
      (states.length > 0
        ? states.includes(event.state)
        : !(OPEN_STATES as readonly string[]).includes(event.state)) &&
      (resources.length === 0 || resources.includes(event.instance)) &&
      (types.length === 0 || types.includes(event.type)),
  );
  const { items, next } = pageOf(wanted, parameters, 0);
  return { NextToken: next, InstanceSystemEventSet: { InstanceSystemEventType: items.map(shown) } };
};

function shown(event: SystemEvent): object {
  return {
    EventId: event.id,
    InstanceId: event.instance,
    ResourceType: 'instance',
    EventType: { Code: 0, Name: event.type },
    EventCycleStatus: { Code: 0, Name: event.state },
    EventPublishTime: secondOf(event.publishedAt),
    NotBefore: secondOf(event.notBefore),
    ...(event.finishedAt !== undefined && { EventFinishTime: secondOf(event.finishedAt) }),
    Reason: event.reason,
    ImpactLevel: '3',
    ExtendedAttribute: { CanAccept: event.state === 'Inquiring' ? 'true' : 'false' },
  };
}

export const acceptInquiredSystemEvent: Action = (cloud, { account, parameters }) => {
  const event = cloud.events.get(parameters.needed('EventId'));
  if (!event || event.owner !== (account.owner ?? 'main'))
    throw new ApiError('InvalidParameter.EventIdNotFound', 'The specified EventId does not exist.');
  if (event.state !== 'Inquiring')
    throw new ApiError('IncorrectEventStatus', `The specified event is not Inquiring but ${event.state}.`);
  schedule(cloud, event);
  return {};
};

export const createSimulatedSystemEvents: Action = (cloud, { account, parameters }) => {
  const type = parameters.needed('EventType');
  if (!/^(SystemMaintenance|SystemFailure|InstanceFailure)\.\w+$/.test(type))
    throw new ApiError('InvalidParameter', 'The specified parameter "EventType" is not valid.');
  const notBefore = Date.parse(parameters.needed('NotBefore'));
  if (Number.isNaN(notBefore))
    throw new ApiError('InvalidParameter', 'The specified parameter "NotBefore" is not valid.');
  const instances = parameters.instances().map((id) => cloud.instance(account, id));
  const isSimulated = !parameters.flag('TriggerRealOps');
  const ids = instances.map(({ id }) => announce(cloud, { instance: id, type, notBefore, isSimulated }).id);
  return { EventIdSet: { EventId: ids } };
};

export const reportInstancesStatus: Action = (cloud, { account, parameters }) => {
  const reason = parameters.needed('Reason');
  const description = parameters.needed('Description');
  for (const id of parameters.instances())
    cloud.reports.push({ instance: cloud.instance(account, id).id, reason, description });
  return {};
};

const secondOf = (epoch_ms: number) => `${new Date(epoch_ms).toISOString().slice(0, 19)}Z`;
