import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../clock/system.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { type HttpsTransportOptions, httpsTransport, jsonLines, REQUEST_SOCKETS_MAX } from './https.ts';
import {
  type Listening,
  listen,
  makeCertificates,
  sendJson,
  serveProxy,
  serveTls,
} from './kubeconfig/test-server.ts';
import { type Transport, TransportError } from './transport.ts';

const certificates = makeCertificates();
const opened: { close(): void }[] = [];
after(() => {
  for (const each of opened) each.close();
  certificates.remove();
});

async function serve(handler: RequestListener): Promise<Listening> {
  const server = await serveTls(certificates, handler);
  opened.push(server);
  return server;
}

function transportTo(server: string, options: Partial<HttpsTransportOptions> = {}): Transport {
  const transport = httpsTransport({ server, clock: systemClock, ca: certificates.ca, ...options });
  opened.push(transport);
  return transport;
}

const GET = { method: 'GET', path: '/api/v1/nodes' } as const;
const WATCH = { ...GET, query: { watch: '1' } };

function failsWith(sent: boolean, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof TransportError, String(error));
    assert.match(error.message, message);
    assert.equal(error.sent, sent, error.message);
    return true;
  };
}

async function collect(events: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const event of events) all.push(event);
  return all;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  return text;
}

test('a request carries method, path under the prefix, query, headers and body', async () => {
  const server = await serve(async (request, response) => {
    const { method, url, headers } = request;
    sendJson(response, { method, url, headers, body: await textOf(request) }, 201);
  });
  const transport = transportTo(`${server.url}/k8s/one/`, { headers: { 'Impersonate-Group': ['a', 'b'] } });
  const response = await transport.send({
    method: 'PATCH',
    path: '/api/v1/nodes/n1',
    query: { fieldManager: 'drover labels', force: 'true' },
    accept: 'application/json;as=Table',
    contentType: 'application/apply-patch+yaml',
    body: { spec: { unschedulable: true, name: '机器' } },
  });
  assert.equal(response.status, 201);
  assert.equal(response.headers['content-type'], 'application/json');
  const seen = response.body as {
    method: string;
    url: string;
    headers: Record<string, string>;
    body: string;
  };
  assert.equal(seen.method, 'PATCH');
  assert.equal(seen.url, '/k8s/one/api/v1/nodes/n1?fieldManager=drover+labels&force=true');
  assert.equal(seen.headers.accept, 'application/json;as=Table');
  assert.equal(seen.headers['content-type'], 'application/apply-patch+yaml');
  assert.equal(seen.headers['impersonate-group'], 'a, b');
  assert.equal(seen.headers['user-agent'], 'drover');
  assert.deepEqual(JSON.parse(seen.body), { spec: { unschedulable: true, name: '机器' } });
});

test('refusals are answers, text stays text, gzip is inflated', async () => {
  const server = await serve((request, response) => {
    if (request.url === '/readyz') return response.end('ok');
    if (request.url === '/missing') return sendJson(response, { kind: 'Status', code: 404 }, 404);
    assert.equal(request.headers['accept-encoding'], 'gzip');
    const packed = gzipSync(JSON.stringify({ kind: 'NodeList' }));
    return response
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      .end(packed);
  });
  const transport = transportTo(server.url);
  assert.equal((await transport.send({ method: 'GET', path: '/readyz' })).body, 'ok');
  const missing = await transport.send({ method: 'GET', path: '/missing' });
  assert.equal(missing.status, 404);
  assert.deepEqual(missing.body, { kind: 'Status', code: 404 });
  assert.deepEqual((await transport.send(GET)).body, { kind: 'NodeList' });
});

test('an answer over the size limit is refused, also when it is small on the wire', async () => {
  const server = await serve((_request, response) => {
    const packed = gzipSync(JSON.stringify('x'.repeat(100_000)));
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(packed);
  });
  const transport = transportTo(server.url, { bodySize_bytes_max: 50_000 });
  await assert.rejects(transport.send(GET), failsWith(true, /larger than 50000 bytes; ask for it in pages/));
});

test('what fails before the server saw anything says so', async (t) => {
  const server = await serve((_request, response) => sendJson(response, {}));
  await t.test('nobody listens', async () => {
    const { url, close } = await listen(createServer());
    close();
    await assert.rejects(
      transportTo(url).send(GET),
      failsWith(false, /GET .*\/api\/v1\/nodes: .*ECONNREFUSED/),
    );
  });
  await t.test('no such host', async () => {
    await assert.rejects(
      transportTo('https://no-such-host.invalid').send(GET),
      failsWith(false, /no-such-host/),
    );
  });
  await t.test('a certificate of a stranger', async () => {
    const transport = httpsTransport({ server: server.url, clock: systemClock });
    await assert.rejects(transport.send(GET), failsWith(false, /certificate/));
  });
  await t.test('a certificate for another name', async () => {
    const transport = transportTo(server.url, { tlsServerName: 'other.test' });
    await assert.rejects(transport.send(GET), failsWith(false, /other\.test/));
  });
  await t.test('a server that hangs in the handshake', async () => {
    const { url, close } = await listen(createServer(() => {}));
    opened.push({ close });
    await assert.rejects(
      transportTo(url, { timeout_ms: 50 }).send(GET),
      failsWith(false, /no answer within 50 ms/),
    );
  });
  await t.test('no credentials to be had', async () => {
    const credentials = () => Promise.reject(new Error('the plugin is ill'));
    await assert.rejects(
      transportTo(server.url, { credentials }).send(GET),
      failsWith(false, /the plugin is ill/),
    );
  });
});

test('the right server name and skipped verification both get through', async () => {
  const server = await serve((_request, response) => sendJson(response, {}));
  assert.equal((await transportTo(server.url, { tlsServerName: 'api.test' }).send(GET)).status, 200);
  const careless = httpsTransport({ server: server.url, clock: systemClock, insecureSkipTlsVerify: true });
  opened.push(careless);
  assert.equal((await careless.send(GET)).status, 200);
});

test('what fails after the request was written is unknown', async () => {
  const caller = new AbortController();
  const server = await serve((request, response) => {
    if (request.url?.startsWith('/abort')) caller.abort();
    if (request.url?.startsWith('/hang') || request.url?.startsWith('/abort')) return;
    if (request.url?.startsWith('/half')) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
      response.write('{"kind":', () => request.socket.destroy());
      return;
    }
    request.socket.destroy();
  });
  const transport = transportTo(server.url, { timeout_ms: 2000 });
  const POST = { method: 'POST', path: '/cut', body: {} } as const;
  await assert.rejects(transport.send(POST), failsWith(true, /socket hang up|ECONNRESET/));
  await assert.rejects(transport.send({ ...POST, path: '/half' }), failsWith(true, /aborted/));
  await assert.rejects(
    transport.send({ ...POST, path: '/hang' }),
    failsWith(true, /no answer within 2000 ms/),
  );
  // Aborted once the server has it: sooner, the connection might not even stand.
  const soon = { ...POST, path: '/abort', signal: caller.signal };
  await assert.rejects(transport.send(soon), failsWith(true, /aborted by the caller/));
  const before = { ...POST, signal: AbortSignal.abort() };
  await assert.rejects(transport.send(before), failsWith(false, /aborted by the caller/));
});

test('time is the given clock', async () => {
  const clock = new VirtualClock();
  const arrived = Promise.withResolvers<void>();
  const server = await serve(() => arrived.resolve());
  const failed = assert.rejects(
    transportTo(server.url, { clock }).send(GET),
    failsWith(true, /within 30000 ms/),
  );
  await arrived.promise;
  await clock.advance(30_000);
  await failed;
});

test('a read on an idle connection that the server has just closed is tried once more', async () => {
  let requests = 0;
  const server = await serve((request, response) => {
    requests++;
    if (requests === 2) request.socket.destroy();
    else sendJson(response, { requests });
  });
  const transport = transportTo(server.url);
  await transport.send(GET);
  assert.deepEqual((await transport.send(GET)).body, { requests: 3 });
});

test('connections are kept and bounded; a watch takes none from requests', async () => {
  const sockets = new Set<unknown>();
  let inFlight = 0;
  let most = 0;
  const server = await serve((request, response) => {
    if (request.url?.includes('watch')) return response.writeHead(200).flushHeaders();
    sockets.add(request.socket);
    most = Math.max(most, ++inFlight);
    setTimeout(() => {
      inFlight--;
      sendJson(response, {});
    }, 200);
    return undefined;
  });
  const transport = transportTo(server.url);
  const control = new AbortController();
  await transport.stream({ ...WATCH, signal: control.signal });
  await Promise.all(Array.from({ length: REQUEST_SOCKETS_MAX * 2 }, () => transport.send(GET)));
  assert.equal(most, REQUEST_SOCKETS_MAX);
  assert.equal(sockets.size, REQUEST_SOCKETS_MAX);
  control.abort();
});

test('a refused token is renewed once and the request sent again', async () => {
  let tokens = 1;
  let renewals = 0;
  const server = await serve((request, response) => {
    const good = request.headers.authorization === `Bearer t${tokens}`;
    sendJson(response, good ? { ok: true } : { kind: 'Status' }, good ? 200 : 401);
  });
  let token = 'Bearer t1';
  const credentials = async (refused?: { authorization?: string }) => {
    if (refused) {
      renewals++;
      token = 'Bearer t2';
    }
    return { authorization: token };
  };
  const transport = transportTo(server.url, { credentials });
  assert.equal((await transport.send(GET)).status, 200);
  tokens = 2;
  assert.equal((await transport.send(GET)).status, 200);
  assert.equal(renewals, 1);
  tokens = 3; // renewing gives the same again: the 401 is the answer
  assert.equal((await transport.send(GET)).status, 401);
  const stream = await transport.stream(WATCH);
  assert.equal(stream.status, 401);
  assert.deepEqual(stream.refusal, { kind: 'Status' });
});

test('a client certificate is shown', async () => {
  const server = await serve((request, response) => {
    sendJson(response, (request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? null);
  });
  const transport = transportTo(server.url, { credentials: async () => certificates.client });
  assert.equal((await transport.send(GET)).body, 'client');
});

test('a stream gives one value per line, however the bytes are cut', async () => {
  const events = [{ type: 'ADDED', name: '机器一号' }, { type: 'BOOKMARK', text: '🐑' }, { n: 3 }];
  const bytes = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const server = await serve(async (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    for (let at = 0; at < bytes.length; at += 3) {
      response.write(bytes.subarray(at, at + 3));
      await new Promise(setImmediate);
    }
    response.end();
  });
  assert.deepEqual(await collect((await transportTo(server.url).stream(WATCH)).events), events);
});

test('each event of a compressed stream comes at once', async () => {
  const next = Promise.withResolvers<void>();
  const { createGzip } = await import('node:zlib');
  const server = await serve(async (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' });
    const gzip = createGzip();
    gzip.pipe(response);
    gzip.write('{"n":1}\n');
    gzip.flush();
    await next.promise;
    gzip.end('{"n":2}\n');
  });
  const { events } = await transportTo(server.url).stream(WATCH);
  const seen: unknown[] = [];
  for await (const event of events) {
    seen.push(event);
    next.resolve();
  }
  assert.deepEqual(seen, [{ n: 1 }, { n: 2 }]);
});

test('a stream ends with an error when the connection breaks, quietly when the caller ends it', async () => {
  let watch: ServerResponse | undefined;
  const closed = Promise.withResolvers<void>();
  const server = await serve((request, response) => {
    watch = response;
    request.socket.once('close', () => closed.resolve());
    response.writeHead(200).write('{"n":1}\n');
  });
  const transport = transportTo(server.url, { timeout_ms: 30 });
  const broken = (await transport.stream(WATCH)).events[Symbol.asyncIterator]();
  assert.deepEqual((await broken.next()).value, { n: 1 });
  await systemClock.sleep(60); // the time limit is only for the first byte
  watch?.socket?.destroy();
  await assert.rejects(broken.next(), failsWith(true, /aborted|ECONNRESET/));

  const control = new AbortController();
  const ended = (await transport.stream({ ...WATCH, signal: control.signal })).events[Symbol.asyncIterator]();
  await ended.next();
  const last = ended.next();
  control.abort();
  assert.deepEqual(await last, { done: true, value: undefined });
  await closed.promise;

  for await (const _ of (await transport.stream(WATCH)).events) break;
  await closed.promise;
});

test('a stream without a first byte is given up; an unread one may break without harm', async () => {
  const server = await serve((request, response) => {
    if (request.url?.includes('silent')) return;
    response.writeHead(200).write('{"n":1}\n', () => request.socket.destroy());
  });
  const transport = transportTo(server.url, { timeout_ms: 50 });
  const silent = { ...WATCH, query: { silent: '1' } };
  await assert.rejects(transport.stream(silent), failsWith(true, /no answer within 50 ms/));
  await transport.stream(WATCH);
  await systemClock.sleep(30);
});

test('a line that is no JSON or too long breaks the stream', async () => {
  const from = async function* (...parts: string[]) {
    for (const part of parts) yield Buffer.from(part);
  };
  await assert.rejects(collect(jsonLines(from('{"a":1}\n{"b"', ':\n'))), /not JSON: "\{\\"b\\":"/);
  await assert.rejects(collect(jsonLines(from('"12345', '6789"\n'), 8)), /longer than 8 bytes/);
  await assert.rejects(collect(jsonLines(from('"123456789'), 8)), /longer than 8 bytes/);
  await assert.rejects(collect(jsonLines(from('{"cut":'))), /not JSON/);
  assert.deepEqual(await collect(jsonLines(from('1\n\n2\r\n', '3'))), [1, 2, 3]);
});

test('a proxy is asked for a tunnel', async (t) => {
  const server = await serve((_request, response) => sendJson(response, { ok: true }));
  await t.test('and verification still is of the server', async () => {
    const proxy = await serveProxy(server.port);
    opened.push(proxy);
    const transport = transportTo('https://api.test:6443', {
      proxyUrl: proxy.url.replace('//', '//me:a%40b@'),
    });
    assert.deepEqual((await transport.send(GET)).body, { ok: true });
    assert.deepEqual((await transport.send(GET)).body, { ok: true });
    assert.deepEqual(proxy.asked, [`api.test:6443 Basic ${Buffer.from('me:a@b').toString('base64')}`]);
    const wrong = transportTo('https://else.test:6443', { proxyUrl: proxy.url });
    await assert.rejects(wrong.send(GET), failsWith(false, /else\.test/));
  });
  await t.test('which it may refuse', async () => {
    const proxy = await serveProxy(server.port, 407);
    opened.push(proxy);
    const transport = transportTo(server.url, { proxyUrl: proxy.url });
    await assert.rejects(transport.send(GET), failsWith(false, /proxy 127.*CONNECT was answered with 407/));
  });
  await t.test('unless it is of a kind we do not speak', () => {
    assert.throws(
      () => transportTo(server.url, { proxyUrl: 'socks5://h:1' }),
      /socks5 proxies are not supported/,
    );
    assert.throws(() => transportTo(server.url, { proxyUrl: 'h:1' }), /not a proxy URL/);
  });
});
