// What a BMC's EventService says while it happens (DSP0266, "Server-sent events"). Subscriptions would need a listener that
// every BMC can reach; a stream needs nothing.
import type { IncomingMessage } from 'node:http';
import { type Clock, MINUTE } from '../../clock/clock.ts';
import { messageOf } from '../../kube/errors.ts';
import { type LogEntry, ProviderError } from '../provider.ts';
import type { Bmc } from './bmc.ts';
import { severityOf, timeOf } from './event-log.ts';
import { isResource, linkOf, type Resource, textOf } from './resource.ts';
import { serverSent } from './server-sent.ts';

/** Some send a comment each 10 to 30 s, some nothing at all while nothing happens. */
export const SILENT_MS_MAX = 5 * MINUTE;
/** Without it iDRACs send measurements by the second on the same stream. */
const FILTER = '$filter=EventFormatType%20eq%20Event';
/** Records of one event; some BMCs gather them. */
const RECORDS_MAX = 100;

/** Opens the stream. Throws Refused where the BMC has none. */
export async function openEvents(bmc: Bmc, signal: AbortSignal): Promise<IncomingMessage> {
  const none = (why: string) =>
    new ProviderError('Refused', `the BMC ${bmc.name} ${why}`, { reason: 'NotImplemented' });
  const place = linkOf(await bmc.root(signal), 'EventService');
  if (!place) throw none('has no EventService');
  const service = await bmc.get(place, signal);
  if (service.ServiceEnabled === false) throw none('has its EventService switched off');
  const path = textOf(service, 'ServerSentEventUri');
  if (!path || !/^\/(?!\/)[!-~]*$/.test(path)) throw none('has no stream of events (ServerSentEventUri)');
  const filters = service.SSEFilterPropertiesSupported;
  if (!isResource(filters) || filters.EventFormatType !== true) return bmc.stream(path, signal);
  try {
    return await bmc.stream(`${path}${path.includes('?') ? '&' : '?'}${FILTER}`, signal);
  } catch (error) {
    // Some want the value in quotes, some list what they have not implemented.
    if (!(error instanceof ProviderError) || error.failure !== 'Refused') throw error;
    return bmc.stream(path, signal);
  }
}

export interface EntriesOptions {
  bmc: Bmc;
  clock: Clock;
  /** Path of the system, where the BMC has several. */
  only: string | undefined;
  signal: AbortSignal;
}

/** Entries of the log of one system, as they come. What cannot be read is passed over: the log will show it. */
export async function* entriesOf(
  stream: IncomingMessage,
  { bmc, clock, only, signal }: EntriesOptions,
): AsyncIterable<LogEntry> {
  try {
    for await (const data of serverSent(awake(stream, clock))) yield* entriesIn(data, only);
  } catch (error) {
    if (signal.aborted) return;
    throw new ProviderError('TryAgain', `the BMC ${bmc.name}: ${messageOf(error)}`, { cause: error });
  } finally {
    stream.destroy();
  }
}

/** Breaks it when nothing at all has come for long: the other side may be gone. */
async function* awake(stream: IncomingMessage, clock: Clock): AsyncIterable<Uint8Array> {
  const silent = () =>
    stream.destroy(new Error(`its stream said nothing for ${SILENT_MS_MAX / MINUTE} minutes`));
  let timer = clock.timer(SILENT_MS_MAX, silent);
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      timer.cancel();
      timer = clock.timer(SILENT_MS_MAX, silent);
      yield chunk;
    }
  } finally {
    timer.cancel();
  }
}

function entriesIn(data: string, only: string | undefined): LogEntry[] {
  let event: unknown;
  try {
    event = JSON.parse(data);
  } catch {
    return [];
  }
  const records = isResource(event) && Array.isArray(event.Events) ? event.Events : [];
  return records.slice(0, RECORDS_MAX).flatMap((record) => (isResource(record) ? entryOf(record, only) : []));
}

/** About a resource's own life: no entry of a log. */
const NO_ENTRY =
  /(^|\.)(Resource(Changed|Created|Removed|StatusChanged\w*|PoweredOn|PoweredOff)|TestMessage)$/;

function entryOf(record: Resource, only: string | undefined): LogEntry[] {
  const messageId = textOf(record, 'MessageId') ?? '';
  const message = textOf(record, 'Message') ?? messageId;
  if (message === '' || NO_ENTRY.test(messageId) || !isOf(record, only)) return [];
  const inLog = linkOf(record, 'LogEntry')?.split('/').at(-1);
  const at = timeOf(record, 'EventTimestamp');
  const isOver = /ResourceErrorsCorrected$/.test(messageId);
  return [
    {
      id: (inLog ?? textOf(record, 'EventId') ?? textOf(record, 'MemberId') ?? '').slice(0, 256),
      ...(at && { at }),
      severity: severityOf(record),
      sensor: '',
      message: `${message.slice(0, 1000)}${isOver ? ' | Resolved' : ''}`,
    },
  ];
}

/** Of one of several systems only what names it; of a single one all. */
function isOf(record: Resource, only: string | undefined): boolean {
  if (only === undefined) return true;
  const origin = linkOf(record, 'OriginOfCondition') ?? textOf(record, 'OriginOfCondition') ?? '';
  const place = only.replace(/\/$/, '');
  return origin === place || origin.startsWith(`${place}/`);
}
