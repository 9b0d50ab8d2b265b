import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MINUTE, SECOND } from '../../platform/clock/clock.ts';
import { VirtualClock } from '../../platform/clock/virtual.ts';
import { TransportError } from '../../platform/kube/transport.ts';
import { EmbeddedApi, type EmbeddedApiOptions, Faults } from './index.ts';

const NODES = '/api/v1/nodes';

function setUp(options: Partial<EmbeddedApiOptions> = {}) {
  const clock = new VirtualClock(7);
  const api = new EmbeddedApi({ clock, ...options });
  const faults = new Faults();
  const drover = api.transport({ user: 'drover', faults });
  const kubelet = api.transport({ user: 'kubelet' });
  const addNode = (name: string) =>
    kubelet.send({ method: 'POST', path: NODES, body: { metadata: { name } } });
  const list = () => drover.send({ method: 'GET', path: NODES });
  return { clock, api, faults, drover, kubelet, addNode, list };
}

type Setting = ReturnType<typeof setUp>;

async function watch({ drover }: Setting, query: Record<string, string> = {}) {
  const stream = await drover.stream({ method: 'GET', path: NODES, query: { watch: 'true', ...query } });
  const told: string[] = [];
  const ended = (async () => {
    for await (const event of stream.events) {
      const { type, object } = event as {
        type: string;
        object: { metadata: { name?: string }; code?: number };
      };
      told.push(`${type} ${object.metadata.name ?? object.code ?? ''}`.trim());
    }
    return 'closed';
  })().catch((error: unknown) => (error instanceof TransportError ? 'broken' : Promise.reject(error)));
  return { told, ended };
}

describe('the embedded API under a virtual clock', () => {
  it('tells a bookmark each minute, and one before the watch times out', async () => {
    const setting = setUp();
    const { told, ended } = await watch(setting, { allowWatchBookmarks: 'true', timeoutSeconds: '90' });
    await setting.clock.advance(61 * SECOND);
    assert.deepEqual(told, ['BOOKMARK']);
    await setting.clock.advance(30 * SECOND);
    assert.deepEqual(told, ['BOOKMARK', 'BOOKMARK']);
    assert.equal(await ended, 'closed');
  });

  it('cuts one client off and not the others', async () => {
    const setting = setUp();
    const { told, ended } = await watch(setting);
    setting.faults.unreachable = true;
    assert.equal(await ended, 'broken');
    await assert.rejects(setting.list(), (error) => error instanceof TransportError && !error.sent);
    assert.equal((await setting.addNode('n1')).status, 201);
    setting.faults.unreachable = false;
    assert.equal((await setting.list()).status, 200);
    assert.deepEqual(told, []);
  });

  it('freezes watches while requests go through, and tells the rest after', async () => {
    const setting = setUp();
    const { told } = await watch(setting);
    setting.faults.frozenWatches = true;
    await setting.addNode('n1');
    await setting.clock.advance(MINUTE);
    assert.deepEqual(told, []);
    assert.equal((await setting.list()).status, 200);
    setting.faults.frozenWatches = false;
    await setting.clock.advance(0);
    assert.deepEqual(told, ['ADDED n1']);
  });

  it('answers late by the latency, or not in time', async () => {
    const setting = setUp();
    setting.faults.latency_ms = 200;
    const slow = setting.list().then(() => setting.clock.now());
    const start = setting.clock.now();
    await setting.clock.advance(SECOND);
    assert.equal((await slow) - start, 200);
    const late = assert.rejects(
      setting.drover.send({ method: 'GET', path: NODES, timeout_ms: 100 }),
      TransportError,
    );
    await setting.clock.advance(SECOND);
    await late;
  });

  it('loses answers of writes that were carried out', async () => {
    const setting = setUp();
    setting.faults.errorRate = 1;
    let lost = 0;
    for (let i = 0; i < 20; i++) {
      const sent = setting.drover.send({
        method: 'POST',
        path: NODES,
        body: { metadata: { name: `n${i}` } },
      });
      await sent.catch((error: unknown) => {
        assert.ok(error instanceof TransportError && error.sent);
        lost++;
      });
    }
    setting.faults.errorRate = 0;
    const { items } = (await setting.list()).body as { items: unknown[] };
    assert.equal(lost, 20);
    assert.ok(items.length > 0 && items.length < 20);
  });

  it('answers 410 to a watch older than its history', async () => {
    const setting = setUp({ historySize: 3 });
    const from = String(setting.api.resourceVersion);
    for (const name of ['a', 'b', 'c']) await setting.addNode(name);
    const whole = await watch(setting, { resourceVersion: from });
    await setting.addNode('d');
    await setting.clock.advance(0);
    assert.deepEqual(whole.told, ['ADDED a', 'ADDED b', 'ADDED c', 'ADDED d']);
    const late = await watch(setting, { resourceVersion: from });
    assert.equal(await late.ended, 'closed');
    assert.deepEqual(late.told, ['ERROR 410']);
  });

  it('expires the pages of a list with its history, and lets it go on inconsistently', async () => {
    const setting = setUp();
    for (const name of ['a', 'b', 'c']) await setting.addNode(name);
    const page = (query: Record<string, string>) =>
      setting.drover.send({ method: 'GET', path: NODES, query });
    type Body = { metadata: { continue: string }; items: { metadata: { name: string } }[]; code?: number };
    const first = (await page({ limit: '1' })).body as Body;
    await setting.addNode('a2');
    setting.api.expireHistory();
    const refusal = await page({ limit: '1', continue: first.metadata.continue });
    assert.equal(refusal.status, 410);
    const rest = (await page({ continue: (refusal.body as Body).metadata.continue })).body as Body;
    assert.deepEqual(
      rest.items.map((item) => item.metadata.name),
      ['a2', 'b', 'c'],
    );
  });

  it('closes a watch that does not keep up', async () => {
    const setting = setUp({ watchQueueMax: 2 });
    const stream = await setting.drover.stream({ method: 'GET', path: NODES, query: { watch: 'true' } });
    for (const name of ['a', 'b', 'c']) await setting.addNode(name);
    const events = stream.events[Symbol.asyncIterator]();
    assert.equal((await events.next()).done, true);
  });

  it('answers 429 beyond its limit of requests in one instant', async () => {
    const setting = setUp({ requestsPerInstantMax: 2 });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await setting.list()).status);
    assert.deepEqual(statuses, [200, 200, 429]);
    await setting.clock.advance(1);
    assert.equal((await setting.list()).status, 200);
  });

  it('hands out what it stores, and repeats from its seed', async () => {
    const [one, two] = [setUp(), setUp()];
    const made = (await one.addNode('n1')).body;
    assert.equal((await one.drover.send({ method: 'GET', path: `${NODES}/n1` })).body, made);
    assert.deepEqual((await two.addNode('n1')).body, made);
  });

  it('empties a namespace that is deleted', async () => {
    const setting = setUp();
    const path = '/api/v1/namespaces';
    const send = (method: 'GET' | 'POST' | 'DELETE', at: string, body?: unknown) =>
      setting.kubelet.send({ method, path: at, body });
    await send('POST', path, { metadata: { name: 'short' } });
    await send('POST', `${path}/short/configmaps`, { metadata: { name: 'c' } });
    await send('DELETE', `${path}/short`);
    assert.equal((await send('POST', `${path}/short/configmaps`, { metadata: { name: 'd' } })).status, 403);
    await setting.clock.advance(SECOND);
    assert.equal((await send('GET', `${path}/short`)).status, 404);
    assert.equal((await send('GET', `${path}/short/configmaps/c`)).status, 404);
  });
});

describe('the embedded API on a port', () => {
  it('lets in by token, streams, and refuses what is too large', async () => {
    const setting = setUp();
    const served = await setting.api.serve({ tokens: { secret: 'admin' } });
    const headers = { authorization: 'Bearer secret' };
    try {
      assert.equal((await fetch(`${served.url}${NODES}`)).status, 401);
      assert.equal((await fetch(`${served.url}${NODES}`, { headers })).status, 200);
      assert.equal((await fetch(`${served.url}/as/secret${NODES}`)).status, 200);
      assert.match(served.kubeconfig, /\/as\/secret/);
      const huge = { method: 'POST', headers, body: ' '.repeat(4 * 1024 * 1024) };
      assert.equal((await fetch(`${served.url}${NODES}`, huge)).status, 413);
      const stream = await fetch(`${served.url}${NODES}?watch=true`, { headers });
      await setting.addNode('n1');
      const chunk = await stream.body?.getReader().read();
      assert.match(Buffer.from(chunk?.value ?? []).toString(), /"type":"ADDED"/);
    } finally {
      await served.close();
    }
  });
});
