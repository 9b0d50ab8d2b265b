import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EmbeddedApi, Faults } from '../../simulation/api/index.ts';
import { MINUTE, SECOND } from '../clock/clock.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { KubeClient } from './client.ts';
import { type KubeObject, NODES } from './objects.ts';
import { QUIET_MS_MAX, reflect } from './reflector.ts';
import type { KubeRequest, KubeStream, Transport } from './transport.ts';

type Query = Readonly<Record<string, string>>;

/** A collection followed over `transport`, with all that was asked and told. */
function follow(clock: VirtualClock, transport: Transport) {
  const watches: { query: Query; at: number }[] = [];
  const pages: Query[] = [];
  const spied: Transport = {
    send: (request) => {
      pages.push(request.query ?? {});
      return transport.send(request);
    },
    stream: (request) => {
      watches.push({ query: request.query ?? {}, at: clock.now() });
      return transport.stream(request);
    },
    close: () => {},
  };
  const objects = new Map<string, KubeObject>();
  const stop = new AbortController();
  const seen = { aliveAt: Number.NEGATIVE_INFINITY, lists: 0, changes: [] as string[] };
  const done = reflect(
    {
      client: new KubeClient(spied, clock),
      resource: NODES,
      place: {},
      alive: () => {
        seen.aliveAt = clock.now();
      },
      list: () => {
        const all = new Map<string, KubeObject>();
        return {
          add: (object) => all.set(object.metadata.name, object),
          remove: ({ metadata }) => all.delete(metadata.name),
          done: () => {
            seen.lists++;
            objects.clear();
            for (const [key, object] of all) objects.set(key, object);
          },
        };
      },
      changed: (object, gone) => {
        seen.changes.push(`${gone ? '-' : ''}${object.metadata.name}`);
        if (gone) objects.delete(object.metadata.name);
        else objects.set(object.metadata.name, object);
      },
    },
    stop.signal,
  );
  const names = () => [...objects.keys()].sort().join(' ');
  const listings = () => watches.filter(({ query }) => query.sendInitialEvents === 'true').length;
  return { clock, watches, pages, objects, seen, stop, done, names, listings };
}

async function setUp(nodes: readonly string[], wrap = (transport: Transport) => transport) {
  const clock = new VirtualClock(5);
  const api = new EmbeddedApi({ clock });
  const faults = new Faults();
  const admin = new KubeClient(api.transport({ user: 'admin' }), clock);
  const add = (name: string) =>
    admin.create<KubeObject>(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name } }, 'test');
  const remove = (name: string) => admin.delete(NODES, name);
  for (const name of nodes) await add(name);
  const followed = follow(clock, wrap(api.transport({ user: 'drover', faults })));
  await clock.advance(SECOND);
  return { ...followed, api, faults, add, remove };
}

/** As a server without WatchList refuses it. */
const withoutWatchList = (transport: Transport): Transport => ({
  ...transport,
  send: (request) => transport.send(request),
  stream: async (request) =>
    request.query?.sendInitialEvents
      ? {
          status: 422,
          refusal: { kind: 'Status', message: 'sendInitialEvents is forbidden' },
          events: none(),
        }
      : transport.stream(request),
});

async function* none(): AsyncGenerator<never> {}

test('the first list is streamed, then changes follow on the same watch', async () => {
  const { clock, seen, names, pages, watches, add, remove } = await setUp(['n1', 'n2']);
  assert.equal(names(), 'n1 n2');
  assert.equal(seen.lists, 1);
  await add('n3');
  await remove('n1');
  await clock.advance(SECOND);
  assert.equal(names(), 'n2 n3');
  assert.deepEqual(seen.changes, ['n3', '-n1']);
  assert.equal(pages.length, 0);
  assert.equal(watches.length, 1);
});

test('a server without WatchList is listed in pages, without a pause, and followed from that version', async () => {
  const nodes = Array.from({ length: 1100 }, (_, at) => `n${String(at).padStart(4, '0')}`);
  const { clock, objects, seen, pages, watches, add, listings } = await setUp(nodes, withoutWatchList);
  assert.equal(objects.size, 1100);
  assert.equal(objects.get('n0000')?.kind, 'Node');
  assert.equal(seen.lists, 1);
  assert.deepEqual(
    pages.map(({ limit }) => limit),
    ['500', '500', '500'],
  );
  await add('late');
  await clock.advance(SECOND);
  assert.deepEqual(seen.changes, ['late']);
  await clock.advance(30 * MINUTE);
  assert.equal(listings(), 1, 'it is asked once for what it cannot do');
  assert.equal(pages.length, 3);
  assert.equal(watches[1]?.at, watches[0]?.at);
});

test('a broken watch goes on from where it stood, and nothing is missed or listed again', async () => {
  const { clock, faults, seen, names, add, remove, listings } = await setUp(['n1', 'n2']);
  faults.dropWatches();
  await add('n3');
  await remove('n2');
  await clock.advance(5 * SECOND);
  assert.equal(names(), 'n1 n3');
  assert.equal(listings(), 1);
  assert.equal(seen.lists, 1);
});

test('when the server has forgotten our version all is listed anew and switched in one step', async () => {
  for (const wrap of [undefined, withoutWatchList]) {
    const { clock, api, faults, seen, names, add, remove } = await setUp(['n1', 'n2'], wrap);
    faults.unreachable = true;
    await remove('n1');
    await add('n3');
    api.expireHistory();
    await clock.advance(MINUTE);
    assert.equal(names(), 'n1 n2', 'what is known stays while nothing is heard');
    faults.unreachable = false;
    await clock.advance(40 * SECOND);
    assert.equal(names(), 'n2 n3');
    assert.equal(seen.lists, 2);
    assert.deepEqual(seen.changes, []);
  }
});

test('bookmarks keep a quiet watch alive, and it is renewed after 5 to 10 minutes', async () => {
  const { clock, seen, watches } = await setUp(['n1']);
  for (let passed = 0; passed < 120; passed++) {
    await clock.advance(30 * SECOND);
    assert.ok(
      clock.now() - seen.aliveAt <= 61 * SECOND,
      `no sign of life for ${clock.now() - seen.aliveAt} ms`,
    );
  }
  const lengths = watches.slice(1).map(({ at }, index) => at - (watches[index] as { at: number }).at);
  assert.ok(lengths.length >= 5, `${lengths}`);
  for (const length of lengths) assert.ok(length >= 5 * MINUTE && length <= 10 * MINUTE, `${lengths}`);
  assert.equal(seen.lists, 1);
});

test('a watch that says nothing is taken for dead and opened anew; what happened meanwhile comes then', async () => {
  const { clock, faults, names, watches, add, seen, listings } = await setUp(['n1']);
  faults.frozenWatches = true;
  await add('n2');
  await clock.advance(QUIET_MS_MAX - 10 * SECOND);
  assert.equal(watches.length, 1);
  await clock.advance(15 * SECOND);
  assert.equal(watches.length, 2);
  assert.ok(clock.now() - seen.aliveAt > 80 * SECOND, 'silence is no sign of life');
  faults.frozenWatches = false;
  await clock.advance(SECOND);
  assert.equal(names(), 'n1 n2');
  assert.equal(listings(), 1);
});

test('an unreachable server is tried ever more slowly, up to each 15 s or so', async () => {
  const { clock, faults, watches, names } = await setUp(['n1']);
  faults.unreachable = true;
  await clock.advance(10 * MINUTE);
  const tries = watches.slice(1).map(({ at }) => at);
  assert.ok(tries.length > 30 && tries.length < 80, `${tries.length} tries in 10 minutes`);
  faults.unreachable = false;
  await clock.advance(25 * SECOND);
  assert.equal(names(), 'n1');
});

/** A server whose streams are played by hand: each watch gets the next script. */
function played(...scripts: ((request: KubeRequest) => AsyncIterable<unknown>)[]) {
  const clock = new VirtualClock(9);
  let at = 0;
  const transport: Transport = {
    send: () => Promise.reject(new Error('nobody lists here')),
    stream: async (request): Promise<KubeStream> => {
      const script = scripts[Math.min(at++, scripts.length - 1)] as (typeof scripts)[number];
      return { status: 200, events: script(request) };
    },
    close: () => {},
  };
  return follow(clock, transport);
}

const node = (name: string, resourceVersion: string) => ({
  type: 'ADDED',
  object: { apiVersion: 'v1', kind: 'Node', metadata: { name, resourceVersion } },
});
const listEnd = (resourceVersion: string) => ({
  type: 'BOOKMARK',
  object: {
    kind: 'Node',
    metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } },
  },
});
const refusal = (code: number, reason: string) => ({
  type: 'ERROR',
  object: { kind: 'Status', code, reason, message: reason },
});
const untilAborted = ({ signal }: KubeRequest) =>
  new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));

test('a list that breaks off half way changes nothing: readers keep the old one', async () => {
  const { clock, names, seen, listings } = played(
    async function* () {
      yield* [node('n1', '1'), node('n2', '2'), listEnd('2'), refusal(410, 'Expired')];
    },
    async function* () {
      yield node('n3', '7');
    },
    async function* (request) {
      yield node('n3', '7');
      await clock.sleep(10 * SECOND);
      yield listEnd('8');
      await untilAborted(request);
    },
  );
  await clock.advance(10 * SECOND);
  assert.equal(listings(), 3);
  assert.equal(names(), 'n1 n2');
  await clock.advance(10 * SECOND);
  assert.equal(names(), 'n3');
  assert.equal(seen.lists, 2);
});

test('what goes while the list is under way is not in it', async () => {
  const { clock, names } = played(async function* (request) {
    yield* [node('n1', '1'), node('n2', '2'), { ...node('n1', '3'), type: 'DELETED' }, node('n3', '4')];
    yield listEnd('4');
    await untilAborted(request);
  });
  await clock.advance(SECOND);
  assert.equal(names(), 'n2 n3');
});

test('an error on the stream that is not about the version goes on from there; a version from the future lists', async () => {
  const { clock, watches } = played(
    async function* () {
      yield* [node('n1', '4'), listEnd('4'), node('n2', '5'), refusal(500, 'InternalError')];
    },
    async function* () {
      yield refusal(504, 'Timeout');
    },
    async function* (request) {
      yield listEnd('1');
      await untilAborted(request);
    },
  );
  await clock.advance(20 * SECOND);
  const froms = watches.map(({ query }) => query.resourceVersion ?? 'list');
  assert.deepEqual(froms, ['list', '5', 'list']);
});

test('a server that ends each watch at once is not asked without a pause', async () => {
  const { clock, watches, stop, done } = played(async function* () {
    yield listEnd('1');
    if (watches.length > 1000) stop.abort();
  });
  await clock.advance(5 * MINUTE);
  assert.ok(watches.length > 10 && watches.length < 60, `${watches.length} watches in 5 minutes`);
  stop.abort();
  await done;
});

test('an abort ends it at once, in the middle of a watch or of a wait', async () => {
  const watching = await setUp(['n1']);
  watching.stop.abort();
  await watching.done;
  const waiting = await setUp(['n1']);
  waiting.faults.unreachable = true;
  await waiting.clock.advance(2 * MINUTE);
  waiting.stop.abort();
  await waiting.done;
});
