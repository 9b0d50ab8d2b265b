// Events on their way out: who gets them, and sending them by POST or on an open stream.

import { request as httpRequest, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Clock, SECOND, type Timer } from '../../platform/clock/clock.ts';
import type { BoardEvent, Health } from './board.ts';
import type { Json } from './route.ts';
import { redfishTime, SCHEMAS } from './schemas.ts';
import type { Service, Unit } from './service.ts';
import { systemPath } from './systems.ts';

export const SUBSCRIPTIONS_MAX = 20;
export const ATTEMPTS_MAX = 3;
export const ATTEMPT_EVERY_MS = 2 * SECOND;
const POST_MS_MAX = 5 * SECOND;
/** Of one subscription; what comes then is lost, as on real BMCs. */
const WAITING_MAX = 200;
/** Unread on a stream; a reader that is further behind is cut off. */
const STREAM_WAITING_BYTES_MAX = 1024 * 1024;
/** Keeps proxies and readers awake. */
const COMMENT_EVERY_MS = 30 * SECOND;

export interface Subscription {
  readonly id: string;
  readonly context: string;
  /** A URL, or undefined for a stream. */
  readonly destination: string | undefined;
  readonly stream?: ServerResponse;
  waiting: number;
  queue: Promise<void>;
  timer?: Timer;
}

export class Subscriptions {
  readonly byId = new Map<string, Subscription>();
  readonly #clock: Clock;
  #lastId = 0;
  readonly #ended = new AbortController();
  #lastEvent = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(context: string, to: { destination: string } | { stream: ServerResponse }): Subscription {
    const subscription: Subscription = {
      id: String(++this.#lastId),
      context,
      destination: undefined,
      waiting: 0,
      queue: Promise.resolve(),
      ...to,
    };
    this.byId.set(subscription.id, subscription);
    if (subscription.stream) this.#open(subscription, subscription.stream);
    return subscription;
  }

  #open(subscription: Subscription, stream: ServerResponse): void {
    const comment = () => {
      stream.write(': still here\n\n');
      subscription.timer = this.#clock.timer(COMMENT_EVERY_MS, comment);
    };
    comment();
    stream.once('close', () => this.remove(subscription.id));
    if (stream.destroyed) this.remove(subscription.id);
  }

  /** Those that are open. */
  get streams(): number {
    return [...this.byId.values()].filter(({ stream }) => stream).length;
  }

  remove(id: string): void {
    const subscription = this.byId.get(id);
    this.byId.delete(id);
    subscription?.timer?.cancel();
    subscription?.stream?.end();
  }

  closeStreams(): void {
    for (const { id, stream } of this.byId.values()) if (stream) this.remove(id);
  }

  end(): void {
    this.#ended.abort();
    for (const id of this.byId.keys()) this.remove(id);
  }

  /** Sends what happened to a board to everybody. What happens while the BMC is away, nobody hears of. */
  tell(service: Service, unit: Unit, event: BoardEvent): void {
    if (!service.isAway) this.send(service, recordOf(unit, event));
  }

  send(service: Service, record: EventRecord): void {
    const id = String(++this.#lastEvent);
    for (const subscription of this.byId.values()) {
      const body = eventBody(service, id, record, subscription.context);
      if (subscription.stream)
        this.#write(subscription.id, subscription.stream, `id: ${id}\ndata: ${JSON.stringify(body)}\n\n`);
      else this.#enqueue(subscription, JSON.stringify(body));
    }
  }

  #write(id: string, stream: ServerResponse, text: string): void {
    stream.write(text);
    if (stream.writableLength <= STREAM_WAITING_BYTES_MAX) return;
    this.remove(id);
    stream.destroy();
  }

  #enqueue(subscription: Subscription, text: string): void {
    const { destination } = subscription;
    if (destination === undefined || !isLoopback(destination) || subscription.waiting >= WAITING_MAX) return;
    subscription.waiting++;
    subscription.queue = subscription.queue.then(async () => {
      await this.#deliver(subscription.id, destination, text);
      subscription.waiting--;
    });
  }

  async #deliver(id: string, destination: string, text: string): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX && this.byId.has(id); attempt++) {
      if (await post(destination, text)) return;
      if (attempt < ATTEMPTS_MAX)
        await this.#clock.sleep(ATTEMPT_EVERY_MS, this.#ended.signal).catch(() => {});
    }
  }
}

/** Nothing of a test may leave this host: events for others are taken and not sent. */
function isLoopback(destination: string): boolean {
  const { hostname } = new URL(destination);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

function post(destination: string, text: string): Promise<boolean> {
  const request = destination.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    // A BMC checks nobody's certificate unless it was told to (EventDestination VerifyCertificate).
    const options = {
      method: 'POST',
      headers,
      timeout: POST_MS_MAX,
      rejectUnauthorized: false,
      agent: false,
    };
    const sent = request(destination, options, (response) => {
      response.resume();
      resolve((response.statusCode ?? 500) < 300);
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(false));
    sent.end(text);
  });
}

export interface EventRecord {
  severity: Health;
  messageId: string;
  text: string;
  args: readonly string[];
  origin?: string;
}

function recordOf(unit: Unit, event: BoardEvent): EventRecord {
  const origin = systemPath(unit);
  switch (event.kind) {
    case 'power':
      // The client reads what changed: the registry has no message for a power state.
      return said(
        'OK',
        'ResourceEvent.1.3.ResourceChanged',
        'One or more resource properties have changed.',
        [],
        origin,
      );
    case 'health': {
      const text = `The health of resource '${origin}' has changed to ${event.health}.`;
      return said(
        event.health,
        `ResourceEvent.1.3.ResourceStatusChanged${event.health}`,
        text,
        [origin, event.health],
        origin,
      );
    }
    case 'log': {
      const { severity, message, sensorType = 'System Event' } = event.entry;
      return said(
        severity,
        'ResourceEvent.1.3.ResourceErrorsDetected',
        message,
        [origin, sensorType],
        origin,
      );
    }
  }
}

function said(
  severity: Health,
  messageId: string,
  text: string,
  args: readonly string[],
  origin: string,
): EventRecord {
  return { severity, messageId, text, args, origin };
}

function eventBody({ clock }: Service, id: string, record: EventRecord, context: string): Json {
  const { severity, messageId, text, args, origin } = record;
  return {
    '@odata.type': `#Event.${SCHEMAS.Event}.Event`,
    Id: id,
    Name: 'Event Array',
    Context: context,
    Events: [
      {
        EventType: 'Alert',
        EventId: id,
        MemberId: '0',
        EventTimestamp: redfishTime(clock.now()),
        Severity: severity,
        MessageSeverity: severity,
        Message: text,
        MessageId: messageId,
        MessageArgs: args,
        ...(origin === undefined ? {} : { OriginOfCondition: { '@odata.id': origin } }),
      },
    ],
  };
}
