import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EmbeddedApi, Faults } from '../../simulation/api/index.ts';
import { MINUTE, SECOND } from '../clock/clock.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { type Change, isNewer, KubeCache, keyOf, REJECTED_MAX } from './cache.ts';
import { KubeClient } from './client.ts';
import { type KubeObject, NODES } from './objects.ts';
import type { Transport } from './transport.ts';

interface View {
  zone: string;
  tags: string[];
}

/** Labels are all that is kept; one called `bad` can't be read. */
function project({ metadata }: KubeObject): View {
  const { zone = '', tags = '', bad } = metadata.labels ?? {};
  if (bad) throw new Error(`label bad is ${bad}`);
  return { zone, tags: tags.split('.').filter(Boolean) };
}

const nodesOf = (transport: Transport, clock: VirtualClock, read = project) =>
  new KubeCache<View>({
    client: new KubeClient(transport, clock),
    resource: NODES,
    project: read,
    indexes: { zone: ({ zone }) => (zone ? [zone] : []), tag: ({ tags }) => tags },
  });

async function setUp() {
  const clock = new VirtualClock(5);
  const api = new EmbeddedApi({ clock });
  const faults = new Faults();
  const admin = new KubeClient(api.transport({ user: 'admin' }), clock);
  const cache = nodesOf(api.transport({ user: 'drover', faults }), clock);
  const changes: Change<View>[] = [];
  const unsubscribe = cache.subscribe((change) => changes.push(change));
  const stop = new AbortController();
  void cache.run(stop.signal);
  const create = (name: string, labels: Record<string, string> = {}) =>
    admin.create<KubeObject>(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } }, 'test');
  const label = (name: string, labels: Record<string, string | null>) =>
    admin.mergePatch<KubeObject>(NODES, name, { metadata: { labels } }, { fieldManager: 'test' });
  const remove = (name: string) => admin.delete(NODES, name);
  const settle = () => clock.advance(SECOND);
  await settle();
  return { clock, api, faults, cache, changes, unsubscribe, create, label, remove, settle };
}

test('items are projected, and indexes follow what they are made of', async () => {
  const { cache, create, label, remove, settle } = await setUp();
  await create('n1', { zone: 'a', tags: 'gpu.big' });
  await create('n2', { zone: 'a', tags: 'gpu' });
  await settle();
  assert.deepEqual(cache.get('n1'), { zone: 'a', tags: ['gpu', 'big'] });
  assert.equal(cache.by('zone', 'a').length, 2);
  assert.equal(cache.by('tag', 'gpu').length, 2);
  await label('n1', { zone: 'b', tags: 'big' });
  await settle();
  assert.deepEqual(cache.by('zone', 'a'), [cache.get('n2')]);
  assert.deepEqual(cache.by('zone', 'b'), [cache.get('n1')]);
  assert.deepEqual(cache.by('tag', 'gpu'), [cache.get('n2')]);
  await remove('n1');
  await settle();
  assert.deepEqual(cache.by('zone', 'b'), []);
  assert.deepEqual(cache.by('tag', 'big'), []);
  assert.deepEqual([...cache.keys()], ['n2']);
  assert.throws(() => cache.by('rack', 'r1'), /nodes has no index "rack"/);
});

test('indexes say the same as a walk over all items, after any changes and a relist', async () => {
  const change = fc.record({
    name: fc.constantFrom('n1', 'n2', 'n3', 'n4'),
    zone: fc.constantFrom('a', 'b', 'c', 'gone', 'bad'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 25 }), fc.nat(25), async (changes, cutAt) => {
      const { api, faults, cache, clock, create, label, remove, settle } = await setUp();
      for (const [at, { name, zone }] of changes.entries()) {
        faults.unreachable = at >= cutAt;
        const labels = { zone, bad: zone === 'bad' ? 'yes' : null };
        if (zone === 'gone') await remove(name).catch(() => undefined);
        else
          await label(name, labels).catch(() =>
            create(name, zone === 'bad' ? { zone, bad: 'yes' } : { zone }),
          );
        if (at % 3 === 0) await settle();
      }
      api.expireHistory();
      faults.unreachable = false;
      await clock.advance(MINUTE);
      for (const zone of ['a', 'b', 'c'])
        assert.deepEqual(
          new Set(cache.by('zone', zone)),
          new Set([...cache.values()].filter((item) => item.zone === zone)),
        );
      const last = new Map(changes.map(({ name, zone }) => [name, zone]));
      const wellNow = [...last].filter(([, zone]) => zone !== 'gone' && zone !== 'bad').map(([name]) => name);
      assert.deepEqual([...cache.keys()].sort(), wellNow.sort());
      const badNow = [...last].filter(([, zone]) => zone === 'bad').map(([name]) => name);
      assert.deepEqual([...cache.rejected.keys()].sort(), badNow.sort());
    }),
    { numRuns: 40 },
  );
});

test('listeners hear what was and what is, until they stop', async () => {
  const { changes, unsubscribe, create, label, remove, settle } = await setUp();
  await create('n1', { zone: 'a' });
  await label('n1', { zone: 'b' });
  await remove('n1');
  await settle();
  const zones = changes.map(({ key, before, after }) => `${key}: ${before?.zone} → ${after?.zone}`);
  assert.deepEqual(zones, ['n1: undefined → a', 'n1: a → b', 'n1: b → undefined']);
  unsubscribe();
  await create('n2');
  await settle();
  assert.equal(changes.length, 3);
});

test('what cannot be read is kept apart, stops nothing, and comes back when it is mended', async () => {
  const { cache, changes, create, label, remove, settle } = await setUp();
  await create('n1', { zone: 'a', bad: 'first' });
  await create('n2', { zone: 'a' });
  await settle();
  assert.equal(cache.rejected.get('n1')?.message, 'label bad is first');
  assert.deepEqual([...cache.keys()], ['n2']);
  await label('n1', { bad: null });
  await settle();
  assert.equal(cache.rejected.size, 0);
  assert.equal(cache.by('zone', 'a').length, 2);
  await label('n1', { bad: 'later' });
  await settle();
  assert.equal(cache.get('n1'), undefined);
  assert.equal(changes.at(-1)?.after, undefined, 'who counts it must hear that it is gone');
  assert.equal(cache.rejected.get('n1')?.message, 'label bad is later');
  await remove('n1');
  await settle();
  assert.equal(cache.rejected.size, 0);
});

test('of what cannot be read only so many are kept, and these stay up to date', async () => {
  const { cache, create, label, settle } = await setUp();
  for (let at = 0; at < REJECTED_MAX + 5; at++) await create(`n${at}`, { bad: 'yes' });
  await settle();
  assert.equal(cache.rejected.size, REJECTED_MAX);
  await label('n0', { bad: 'still' });
  await settle();
  assert.equal(cache.rejected.get('n0')?.message, 'label bad is still');
});

test('versions compare as numbers of any length', () => {
  assert.ok(isNewer('10', '9') && !isNewer('9', '10') && !isNewer('7', '7'));
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 80n), fc.bigInt(0n, 2n ** 80n), (version, than) => {
      assert.equal(isNewer(String(version), String(than)), version > than);
    }),
  );
  fc.assert(
    fc.property(fc.bigInt(2n ** 53n, 2n ** 64n), (version) => {
      assert.ok(isNewer(String(version + 1n), String(version)));
    }),
  );
});

test('keys are names, with the namespace where there is one', () => {
  assert.equal(keyOf({ metadata: { name: 'n1' } }), 'n1');
  assert.equal(keyOf({ metadata: { name: 'p1', namespace: 'shop' } }), 'shop/p1');
});

test('the answer to our own write is seen at once, and what preceded it does not undo it', async () => {
  const { cache, faults, create, label, settle } = await setUp();
  await create('n1', { zone: 'a' });
  await settle();
  faults.frozenWatches = true;
  await label('n1', { zone: 'theirs' });
  cache.observe(await label('n1', { zone: 'ours' }));
  assert.equal(cache.get('n1')?.zone, 'ours');
  assert.equal(cache.by('zone', 'ours').length, 1);
  faults.frozenWatches = false;
  await settle();
  assert.equal(cache.get('n1')?.zone, 'ours');
});

test('an answer that comes late brings nothing old back', async (t) => {
  await t.test('over a newer state', async () => {
    const { cache, create, label, settle } = await setUp();
    await create('n1', { zone: 'a' });
    const answer = await label('n1', { zone: 'b' });
    await label('n1', { zone: 'c' });
    await settle();
    cache.observe(answer);
    assert.equal(cache.get('n1')?.zone, 'c');
  });
  await t.test('over a newer state that cannot be read', async () => {
    const { cache, create, label, settle } = await setUp();
    await create('n1', { zone: 'a' });
    const answer = await label('n1', { zone: 'b' });
    await label('n1', { bad: 'yes' });
    await settle();
    cache.observe(answer);
    assert.equal(cache.get('n1'), undefined);
    assert.equal(cache.rejected.size, 1);
  });
  await t.test('of what is deleted: it would stay for ever', async () => {
    const { cache, create, label, remove, settle } = await setUp();
    await create('n1', { zone: 'a' });
    const answer = await label('n1', { zone: 'b' });
    await remove('n1');
    await settle();
    cache.observe(answer);
    assert.equal(cache.size, 0);
  });
  await t.test('of what was deleted while nothing was heard', async () => {
    const { api, clock, cache, faults, create, label, remove, settle } = await setUp();
    await create('n1', { zone: 'a' });
    await settle();
    faults.unreachable = true;
    const answer = await label('n1', { zone: 'b' });
    await remove('n1');
    api.expireHistory();
    faults.unreachable = false;
    await clock.advance(MINUTE);
    cache.observe(answer);
    assert.equal(cache.size, 0);
  });
});

test('a name that we use again is not taken away by the news that its last bearer is gone', async () => {
  const { cache, faults, create, remove, settle } = await setUp();
  await create('n1', { zone: 'a' });
  await settle();
  faults.frozenWatches = true;
  await remove('n1');
  cache.observe(await create('n1', { zone: 'b' }));
  const seen: (string | undefined)[] = [];
  cache.subscribe(({ after }) => seen.push(after?.zone));
  faults.frozenWatches = false;
  await settle();
  assert.equal(cache.get('n1')?.zone, 'b');
  assert.deepEqual(seen, [], 'it was never seen to be gone');
});

const annotations = { 'k8s.io/initial-events-end': 'true' };
const object = (name: string, resourceVersion: string, labels = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, resourceVersion, labels },
});
const added = (...of: Parameters<typeof object>) => ({ type: 'ADDED', object: object(...of) });
const listEnd = (resourceVersion: string) => ({
  type: 'BOOKMARK',
  object: { kind: 'Node', metadata: { resourceVersion, annotations } },
});

/** Each watch gets the next of these, one event a second. */
function played(watches: unknown[][], read = project) {
  const clock = new VirtualClock(5);
  const transport: Transport = {
    send: () => Promise.reject(new Error('nobody lists here')),
    stream: async ({ signal }) => {
      const events = watches.shift() ?? [];
      return {
        status: 200,
        events: (async function* () {
          for (const event of events) {
            yield event;
            await clock.sleep(SECOND, signal);
          }
          await clock.sleep(MINUTE, signal);
        })(),
      };
    },
    close: () => {},
  };
  const cache = nodesOf(transport, clock, read);
  const stop = new AbortController();
  void cache.run(stop.signal);
  return { clock, cache, stop };
}

test('what we made while a list was under way is not taken away by that list', async () => {
  const { clock, cache, stop } = played([[added('n1', '5'), listEnd('6')]]);
  await clock.advance(500);
  cache.observe(object('n2', '7'));
  await clock.advance(SECOND);
  assert.equal(cache.synced, true);
  assert.deepEqual([...cache.keys()].sort(), ['n1', 'n2']);
  stop.abort();
});

test('objects of a list are projected as they come: 50,000 whole ones are never held together', async () => {
  let projected = 0;
  const { clock, cache, stop } = played([[added('n1', '1'), added('n2', '2'), listEnd('2')]], (object) => {
    projected++;
    return project(object);
  });
  await clock.advance(1500);
  assert.equal(projected, 2);
  assert.equal(cache.synced, false, 'the list is not whole yet');
  assert.equal(cache.size, 0, 'and nobody sees half of it');
  await clock.advance(SECOND);
  assert.equal(cache.size, 2);
  assert.equal(projected, 2);
  stop.abort();
});

test('after etcd was restored from a backup the older state counts', async () => {
  const { clock, cache, stop } = played([
    [
      ...[added('n1', '5', { zone: 'a' }), listEnd('6'), added('n1', '8', { zone: 'b' }), added('n2', '9')],
      { type: 'ERROR', object: { kind: 'Status', code: 504, message: 'Too large resource version' } },
    ],
    [added('n1', '5', { zone: 'a' }), listEnd('6')],
  ]);
  await clock.advance(3 * SECOND);
  assert.equal(cache.get('n1')?.zone, 'b');
  await clock.advance(20 * SECOND);
  assert.equal(cache.get('n1')?.zone, 'a');
  assert.deepEqual(cache.by('zone', 'b'), []);
  assert.deepEqual([...cache.keys()], ['n1']);
  stop.abort();
});

test('it says how old it is: young while the stream lives, older each second when it does not', async () => {
  const { clock, cache, faults, create } = await setUp();
  const early = nodesOf(faultyTransport, clock);
  assert.equal(early.age_ms(), Number.POSITIVE_INFINITY);
  assert.equal(early.synced, false);
  assert.equal(cache.synced, true);
  await clock.advance(10 * MINUTE);
  assert.ok(cache.age_ms() <= MINUTE, 'bookmarks are signs of life');
  await create('n1');
  await clock.advance(0);
  assert.ok(cache.age_ms() < SECOND, 'so are events');
  faults.unreachable = true;
  await clock.advance(5 * MINUTE);
  assert.ok(cache.age_ms() >= 5 * MINUTE);
  assert.equal(cache.synced, true, 'old data are still data');
  faults.unreachable = false;
  await clock.advance(2 * MINUTE);
  assert.ok(cache.age_ms() <= MINUTE);
});

test('a silent stream ages as a broken one does', async () => {
  const { clock, cache, faults } = await setUp();
  faults.frozenWatches = true;
  await clock.advance(5 * MINUTE);
  assert.ok(cache.age_ms() >= 4 * MINUTE);
});

const faultyTransport: Transport = {
  send: () => Promise.reject(new Error('nobody there')),
  stream: () => Promise.reject(new Error('nobody there')),
  close: () => {},
};
