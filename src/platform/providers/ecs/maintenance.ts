// System events: what Alibaba Cloud will do to an instance, or has done. An open one is closed by a reboot or redeploy
// through the API only, never by one from within the operating system: so it must be known before anybody reboots.
import type { DescribeInstanceHistoryEventsResponseBodyInstanceSystemEventSetInstanceSystemEventType as SystemEvent } from '@alicloud/ecs20140526';
import { MINUTE, SECOND } from '../../clock/clock.ts';
import {
  type LogEntry,
  type Maintenance,
  type MaintenanceEvent,
  type MaintenanceState,
  ProviderError,
  type Reading,
} from '../provider.ts';
import type { EcsApi } from './api.ts';

/** Without these in the filter the API tells of what is over only. */
const OPEN = ['Inquiring', 'Scheduled', 'Executing'] as const;
const OVER = ['Executed', 'Avoided', 'Canceled', 'Failed'] as const;
const STATES: readonly MaintenanceState[] = [...OPEN, ...OVER];
const PAGE = 100;
/** 50,000 open events are a region that burns. */
const PAGES_MAX = 500;
const KNOWN_MS_MAX = MINUTE;
/** A failed reading is tried again after this. */
const FAILED_MS = 10 * SECOND;
/** The first look at a machine waits for events no longer than this. */
const FIRST_MS_MAX = 3 * SECOND;

interface Filter {
  states?: readonly string[];
  machine?: string;
}

/** Every page of them, or it throws. */
async function systemEvents(api: EcsApi, filter: Filter, signal?: AbortSignal): Promise<MaintenanceEvent[]> {
  const events = new Map<string, MaintenanceEvent>();
  let nextToken: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const request = {
      regionId: api.regionId,
      maxResults: PAGE,
      ...(filter.states && { instanceEventCycleStatus: [...filter.states] }),
      ...(filter.machine && { resourceType: 'instance', resourceId: [filter.machine] }),
      ...(nextToken && { nextToken }),
    };
    const body = await api.call(
      'DescribeInstanceHistoryEvents',
      'Read',
      (client, sdk) =>
        client.describeInstanceHistoryEvents(new sdk.DescribeInstanceHistoryEventsRequest(request)),
      signal,
    );
    const page = body.instanceSystemEventSet?.instanceSystemEventType;
    if (!page)
      throw new ProviderError(
        'Broken',
        'ECS DescribeInstanceHistoryEvents: the answer holds no InstanceSystemEventSet',
      );
    for (const event of page.flatMap(maintenanceEvent)) events.set(event.id, event);
    nextToken = body.nextToken;
    if (!nextToken) return [...events.values()];
  }
  throw new ProviderError('Broken', `ECS DescribeInstanceHistoryEvents: more than ${PAGES_MAX} pages`);
}

function maintenanceEvent(event: SystemEvent): MaintenanceEvent[] {
  const {
    eventId: id,
    instanceId: machine,
    eventType,
    eventCycleStatus,
    extendedAttribute,
    reason,
    notBefore,
  } = event;
  const type = eventType?.name;
  const state = STATES.find((state) => state === eventCycleStatus?.name);
  // Of a kind that this version does not know: it is told of nothing.
  if (!id || !machine || !type || !state) return [];
  const canAccept = state === 'Inquiring' && extendedAttribute?.canAccept !== 'false';
  const at = notBefore ?? event.eventPublishTime;
  return [
    {
      id,
      machine,
      type,
      state,
      does: doesOf(type),
      reason: reason ?? '',
      canAccept,
      ...(at && { notBefore: at }),
    },
  ];
}

function doesOf(type: string): MaintenanceEvent['does'] {
  const does = type.split('.')[1];
  if (does === 'Reboot' || does === 'Stop' || does === 'Redeploy') return does;
  return does === 'Delete' ? 'Release' : 'Other';
}

export function maintenanceOf(api: EcsApi): Maintenance {
  const { regionId } = api;
  const open = (signal?: AbortSignal) => systemEvents(api, { states: OPEN }, signal);
  return {
    open,
    async accept(eventId, signal) {
      try {
        await api.call(
          'AcceptInquiredSystemEvent',
          'Act',
          (client, sdk) =>
            client.acceptInquiredSystemEvent(new sdk.AcceptInquiredSystemEventRequest({ regionId, eventId })),
          signal,
        );
      } catch (error) {
        if (!(error instanceof ProviderError) || error.failure !== 'Refused') throw error;
        // It may have been accepted before, by us or by a person: then it goes on by itself.
        const event = (await open(signal)).find(({ id }) => id === eventId);
        if (!event || event.state === 'Inquiring') throw error;
      }
    },
    async simulate(machine, eventType, notBefore, signal) {
      const request = {
        regionId,
        eventType,
        instanceId: [machine],
        notBefore: `${notBefore.toISOString().slice(0, 19)}Z`,
        triggerRealOps: false,
      };
      await api.call(
        'CreateSimulatedSystemEvents',
        'Act',
        (client, sdk) =>
          client.createSimulatedSystemEvents(new sdk.CreateSimulatedSystemEventsRequest(request)),
        signal,
      );
    },
    async report(machine, what, signal) {
      const request = { regionId, instanceId: [machine], reason: 'others', description: what.slice(0, 512) };
      await api.call(
        'ReportInstancesStatus',
        'Act',
        (client, sdk) => client.reportInstancesStatus(new sdk.ReportInstancesStatusRequest(request)),
        signal,
      );
    },
  };
}

/** The machine's events of the last 30 days, those that are over included, oldest first. */
export async function eventLogOf(api: EcsApi, machine: string, signal?: AbortSignal): Promise<LogEntry[]> {
  const events = await systemEvents(api, { machine, states: STATES }, signal);
  return events.map(logEntry).sort((a, b) => (a.at ?? '').localeCompare(b.at ?? ''));
}

function logEntry({ id, type, state, reason, notBefore }: MaintenanceEvent): LogEntry {
  const message = `${type} ${state}${reason && `: ${reason}`}`;
  const severity = /^(System|Instance)Failure\./.test(type) ? 'Critical' : 'Warning';
  return { id, severity, sensor: type, message, ...(notBefore && { at: notBefore }) };
}

/** Open events of all machines, read at most once a minute, for whoever looks at one machine. */
export class OpenEvents {
  readonly #api: EcsApi;
  #byMachine: ReadonlyMap<string, Pick<Reading, 'maintenance' | 'announced'>> | undefined;
  #reading: Promise<void> | undefined;
  #nextAt = 0;

  constructor(api: EcsApi) {
    this.#api = api;
  }

  /** Lines for people; none where there is no event, or where events could not be read yet. Never throws. */
  async of(machine: string): Promise<Pick<Reading, 'maintenance' | 'announced'>> {
    const { clock } = this.#api;
    if (clock.now() >= this.#nextAt) this.#reading ??= this.#read();
    // What is known from a minute ago is not waited for.
    if (!this.#byMachine && this.#reading) await this.#first(this.#reading);
    return this.#byMachine?.get(machine) ?? {};
  }

  async #first(reading: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#api.clock.timer(FIRST_MS_MAX, late.resolve);
    await Promise.race([reading, late.promise]);
    timer.cancel();
  }

  async #read(): Promise<void> {
    const { clock } = this.#api;
    try {
      const events = await systemEvents(this.#api, { states: OPEN });
      const byMachine = new Map<string, Pick<Reading, 'maintenance' | 'announced'>>();
      for (const event of events) {
        const kind = event.state === 'Executing' ? 'maintenance' : 'announced';
        byMachine.set(event.machine, { ...byMachine.get(event.machine), [kind]: lineOf(event) });
      }
      this.#byMachine = byMachine;
      this.#nextAt = clock.now() + KNOWN_MS_MAX;
    } catch {
      // Who asks for the events themselves is told why.
      this.#nextAt = clock.now() + FAILED_MS;
    } finally {
      this.#reading = undefined;
    }
  }
}

function lineOf({ id, type, state, reason, notBefore }: MaintenanceEvent): string {
  const from = notBefore ? `, not before ${notBefore}` : '';
  return `${type} ${state}${from} (${id})${reason && `: ${reason}`}`.slice(0, 256);
}
