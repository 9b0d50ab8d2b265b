// EventService: subscriptions by POST to a listener, and server-sent events.

import { SECOND } from '../../platform/clock/clock.ts';
import { ATTEMPT_EVERY_MS, ATTEMPTS_MAX, SUBSCRIPTIONS_MAX, type Subscription } from './deliver.ts';
import { created, done } from './done.ts';
import { HttpRefusal, message, messageAbout, notFound } from './messages.ts';
import { take } from './properties.ts';
import { type Answer, type Call, callerOf, type Json, orNotFound, type Route } from './route.ts';
import { collection, link, typed } from './schemas.ts';

const SERVICE = '/redfish/v1/EventService';
const PATH = `${SERVICE}/Subscriptions`;
export const SSE_PATH = `${SERVICE}/SSE`;
const TEST_ACTION = `${SERVICE}/Actions/EventService.SubmitTestEvent`;

export const eventRoutes: readonly Route[] = [
  { path: SERVICE, read: serviceResource },
  {
    path: PATH,
    isCollection: true,
    read: ({ service }) =>
      collection('EventDestinationCollection', PATH, 'Event Subscriptions', [
        ...service.subscriptions.byId.keys(),
      ]),
    post: { needs: ['ConfigureManager', 'ConfigureComponents'], do: subscribe },
  },
  {
    path: `${PATH}/{subscription}`,
    read: (call) => resource(subscriptionOf(call)),
    delete: { needs: ['ConfigureManager', 'ConfigureComponents'], do: unsubscribe },
  },
  { path: SSE_PATH, get: stream, queries: ['$filter'] },
  { path: TEST_ACTION, post: { needs: ['ConfigureManager'], do: sendTest } },
];

function serviceResource({ service }: Call): Json {
  return {
    ...typed('EventService', SERVICE, 'EventService', 'Event Service'),
    ServiceEnabled: true,
    Status: { State: 'Enabled', Health: 'OK' },
    DeliveryRetryAttempts: ATTEMPTS_MAX,
    DeliveryRetryIntervalSeconds: ATTEMPT_EVERY_MS / SECOND,
    EventFormatTypes: ['Event'],
    RegistryPrefixes: ['ResourceEvent'],
    ...(service.vendor.streams.uri && {
      ServerSentEventUri: SSE_PATH,
      SSEFilterPropertiesSupported: filters(service.vendor.streams.filter),
    }),
    Subscriptions: link(PATH),
    Actions: { '#EventService.SubmitTestEvent': { target: TEST_ACTION } },
  };
}

/** All that the schema knows; one that a client may use, or none. */
const FILTERS = [
  'EventFormatType',
  'MessageId',
  'MetricReportDefinition',
  'OriginResource',
  'RegistryPrefix',
  'ResourceType',
  'SubordinateResources',
];

function filters(hasFilter: boolean): Json {
  return Object.fromEntries(FILTERS.map((name) => [name, hasFilter && name === 'EventFormatType']));
}

function subscriptionOf(call: Call): Subscription {
  return orNotFound(call.service.subscriptions.byId.get(call.params.subscription ?? ''), call);
}

function resource({ id, context, destination }: Subscription): Json {
  return {
    ...typed('EventDestination', `${PATH}/${id}`, id, 'Event Subscription'),
    Context: context,
    Protocol: 'Redfish',
    SubscriptionType: destination === undefined ? 'SSE' : 'RedfishEvent',
    EventFormatType: 'Event',
    ...(destination === undefined ? {} : { Destination: destination }),
    Status: { State: 'Enabled', Health: 'OK' },
  };
}

function subscribe(call: Call): Answer {
  const { Destination, Context } = take(call.body, {
    Destination: { kind: 'string', required: true },
    Protocol: { kind: ['Redfish'], required: true },
    Context: { kind: 'string' },
  });
  const destination = String(Destination);
  if (!/^https?:$/.test(protocolOf(destination))) {
    throw new HttpRefusal(400, [
      messageAbout('Destination', 'PropertyValueFormatError', destination, 'Destination'),
    ]);
  }
  const { subscriptions } = call.service;
  checkRoom(call);
  return created(resource(subscriptions.add(typeof Context === 'string' ? Context : '', { destination })));
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}

function checkRoom({ service }: Call): void {
  if (service.subscriptions.byId.size < SUBSCRIPTIONS_MAX) return;
  throw new HttpRefusal(503, [message('CreateLimitReachedForResource')]);
}

function unsubscribe(call: Call): Answer {
  call.service.subscriptions.remove(subscriptionOf(call).id);
  return done(call);
}

function stream(call: Call): Answer {
  const { streams } = call.service.vendor;
  const filter = call.ask.query.get('$filter');
  if (!streams.uri) throw notFound(call.ask.path);
  if (filter !== null && (!streams.filter || streams.refusesFilter))
    throw new HttpRefusal(501, [message('QueryNotSupported')]);
  if (filter !== null && filter !== 'EventFormatType eq Event')
    throw new HttpRefusal(400, [message('QueryParameterValueTypeError', filter, '$filter')]);
  checkRoom(call);
  if (call.service.subscriptions.streams >= streams.streams_max)
    throw new HttpRefusal(503, [message('CreateLimitReachedForResource')]);
  const { user } = callerOf(call);
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    stream: (response) => call.service.subscriptions.add(`SSE of ${user}`, { stream: response }),
  };
}

function sendTest(call: Call): Answer {
  const text = call.body.Message;
  call.service.subscriptions.send(call.service, {
    severity: 'OK',
    messageId:
      typeof call.body.MessageId === 'string' ? call.body.MessageId : 'ResourceEvent.1.3.TestMessage',
    text: typeof text === 'string' ? text : 'A test event.',
    args: [],
  });
  return { status: 204 };
}
