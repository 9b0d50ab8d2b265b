import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { MINUTE } from '../../platform/clock/clock.ts';
import { listen } from '../../platform/kube/kubeconfig/test-server.ts';
import type { Json } from './route.ts';
import { linkOf, moveUntil, type Scene, scene } from './test-client.ts';

const MEMORY = {
  severity: 'Critical',
  message: 'Uncorrectable error, DIMM 3',
  sensorType: 'Memory',
} as const;

/** A listener that takes events, after it has refused so many. */
async function listener(refusals = 0) {
  const events: Json[] = [];
  const waiting: (() => void)[] = [];
  let refused = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const isRefused = refused < refusals;
    if (isRefused) refused++;
    else events.push(JSON.parse(Buffer.concat(chunks).toString()) as Json);
    response.writeHead(isRefused ? 500 : 204).end();
    for (const wake of waiting.splice(0)) wake();
  });
  const { url, close } = await listen(server, 'http');
  return {
    url,
    events,
    /** The next request. */
    next: () => new Promise<void>((resolve) => waiting.push(resolve)),
    [Symbol.dispose]: close,
  };
}

/** Lines of an event stream as they come. */
async function openStream({ service }: Scene) {
  const stop = new AbortController();
  const response = await fetch(`${service.url}/redfish/v1/EventService/SSE`, {
    headers: { authorization: `Basic ${btoa('root:secret')}`, accept: 'text/event-stream' },
    signal: stop.signal,
  });
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = '';
  return {
    /** The next event's id and data; undefined at the end. */
    async next(): Promise<{ id: string; data: Json } | undefined> {
      for (;;) {
        const found = /id: (\d+)\ndata: (.*)\n\n/.exec(text);
        if (found) {
          text = text.slice(found.index + found[0].length);
          return { id: String(found[1]), data: JSON.parse(String(found[2])) as Json };
        }
        const { value, done } = await reader.read();
        if (done) return undefined;
        text += decoder.decode(value, { stream: true });
      }
    },
    close: () => stop.abort(),
  };
}

describe('a subscription', () => {
  it('has what happens sent to its listener, in order, until it is deleted', async () => {
    await using dell = await scene('Dell');
    using sink = await listener();
    const body = { Destination: sink.url, Protocol: 'Redfish', Context: 'drover' };
    const made = await dell.post('/EventService/Subscriptions', body);
    assert.equal(made.status, 201);
    dell.board.addLog(MEMORY);
    await sink.next();
    dell.board.setHealth('Critical');
    await sink.next();
    const [first, second] = sink.events;
    assert.equal(first?.Context, 'drover');
    const [record] = (first?.Events ?? []) as Json[];
    assert.equal(record?.Message, MEMORY.message);
    assert.equal(linkOf(record ?? {}, 'OriginOfCondition'), '/Systems/System.Embedded.1');
    assert.match(JSON.stringify(second), /ResourceStatusChangedCritical/);
    const path = linkOf(made.json);
    assert.equal((await dell.send(path, { method: 'DELETE' })).status, 204);
    dell.board.addLog(MEMORY);
    assert.equal((await dell.send(path)).status, 404);
    assert.equal(sink.events.length, 2);
  });

  it('has an event sent again when the listener did not take it', async () => {
    await using dell = await scene('Dell');
    using sink = await listener(1);
    await dell.post('/EventService/Subscriptions', { Destination: sink.url, Protocol: 'Redfish' });
    dell.board.addLog(MEMORY);
    await sink.next();
    assert.equal(sink.events.length, 0);
    const again = sink.next();
    assert.ok(await dell.clock.advanceUntil(() => sink.events.length > 0, 600_000, 100));
    await again;
    assert.equal(sink.events.length, 1);
  });

  it('hears nothing of what happens while the BMC is away, and outlives it', async () => {
    await using dell = await scene('Dell');
    using sink = await listener();
    await dell.post('/EventService/Subscriptions', { Destination: sink.url, Protocol: 'Redfish' });
    const back = dell.service.restart(MINUTE);
    dell.board.addLog({ ...MEMORY, message: 'unheard' });
    await moveUntil(dell.clock, back);
    const next = sink.next();
    dell.board.addLog({ ...MEMORY, message: 'heard' });
    await next;
    assert.equal(sink.events.length, 1);
    assert.match(JSON.stringify(sink.events), /"heard"/);
  });

  it('to a protocol or place that cannot be is refused', async () => {
    await using dell = await scene('Dell');
    const path = '/EventService/Subscriptions';
    const to = (Destination: string, Protocol: string) => dell.post(path, { Destination, Protocol });
    assert.equal((await to('http://127.0.0.1:1/', 'SNMPv2c')).status, 400);
    assert.equal((await to('not a url', 'Redfish')).status, 400);
    assert.equal((await to('ftp://127.0.0.1/', 'Redfish')).status, 400);
  });
});

describe('server-sent events', () => {
  it('come on an open stream, each with an id, and a test event as well', async () => {
    await using bmc = await scene('OpenBMC');
    const stream = await openStream(bmc);
    bmc.board.addLog(MEMORY);
    const first = await stream.next();
    assert.match(JSON.stringify(first?.data), /DIMM 3/);
    await bmc.post('/EventService/Actions/EventService.SubmitTestEvent', { Message: 'hello' });
    const second = await stream.next();
    assert.match(JSON.stringify(second?.data), /hello/);
    assert.notEqual(first?.id, second?.id);
    stream.close();
  });

  it('are a subscription while they are open, and end when that is deleted', async () => {
    await using bmc = await scene('OpenBMC');
    const stream = await openStream(bmc);
    const path = '/EventService/Subscriptions/1';
    assert.equal((await bmc.get(path)).SubscriptionType, 'SSE');
    await bmc.send(path, { method: 'DELETE' });
    assert.equal(await stream.next(), undefined);
    assert.equal(bmc.service.concurrentMost, 1, 'a stream is no request under way');
  });
});
