// What the store of crashes must keep to, whatever the database.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CrashRecord } from './crash-record.ts';
import type { CrashStore } from './crashes.ts';

export function aCrash(id: string, fields: Partial<CrashRecord> = {}): CrashRecord {
  return {
    id,
    cluster: 'home',
    machine: 'm1',
    happenedAt: '2026-11-11T00:01:02.000Z',
    timeFrom: 'path',
    seenAt: '2026-11-11T00:10:00.000Z',
    attributes: { model: 'ebmc6', zone: 'z1' },
    signature: 'c-1',
    title: 'general protection fault in f',
    class: 'bad-access',
    severity: 'fatal',
    cause: 'kernel',
    because: 'The kernel reports it of itself.',
    frames: ['f'],
    corrupted: false,
    confidence: 0.9,
    hardware: [],
    evidence: [],
    excerpt: '',
    ...fields,
  };
}

const evidence = (blob: string) => ({ kind: 'log', name: 'a.log', bytes: 1, sha256: blob, blob }) as const;

export function crashesSuite(name: string, open: () => Promise<CrashStore>): void {
  describe(name, () => {
    let store: CrashStore;
    before(async () => {
      store = await open();
      await store.put(aCrash('a', { evidence: [evidence('one'), evidence('shared')] }));
      await store.put(
        aCrash('b', {
          machine: 'm2',
          attributes: { model: 'ebmc5' },
          happenedAt: '2026-11-12T00:00:00.000Z',
          evidence: [evidence('shared')],
        }),
      );
      await store.put(aCrash('c', { cause: 'planned', happenedAt: '2026-11-13T00:00:00.000Z' }));
      await store.put(
        aCrash('d', {
          signature: 'c-2',
          title: 'WARNING in g',
          cluster: 'east',
          attributes: {},
          happenedAt: '2026-11-14T00:00:00.000Z',
        }),
      );
    });
    after(() => store?.[Symbol.asyncDispose]());
    const ids = async (query: Partial<Parameters<CrashStore['list']>[0]>) =>
      (await store.list({ limit: 10, ...query })).map(({ id }) => id);

    test('crashes come newest first, what was planned only when asked for', async () => {
      assert.deepEqual(await ids({}), ['d', 'b', 'a']);
      assert.deepEqual(await ids({ planned: true }), ['d', 'c', 'b', 'a']);
      assert.deepEqual(await ids({ cause: 'planned' }), ['c']);
      assert.deepEqual(await ids({ limit: 1 }), ['d']);
    });
    test('they are found by time, machine, cluster, signature and attributes', async () => {
      assert.deepEqual(await ids({ since: Date.parse('2026-11-12'), until: Date.parse('2026-11-14') }), [
        'b',
      ]);
      assert.deepEqual(await ids({ machine: 'm2' }), ['b']);
      assert.deepEqual(await ids({ cluster: 'east' }), ['d']);
      assert.deepEqual(await ids({ signature: 'c-1' }), ['b', 'a']);
      assert.deepEqual(await ids({ where: [{ key: 'model', values: ['ebmc6', 'x'], not: false }] }), ['a']);
      assert.deepEqual(await ids({ where: [{ key: 'model', values: ['ebmc6'], not: true }] }), ['d', 'b']);
      assert.deepEqual(await ids({ where: [{ key: "x' or 1=1 --", values: ['1'], not: false }] }), []);
    });
    test('a record told again replaces the one that was there', async () => {
      assert.equal(
        await store.put(
          aCrash('d', {
            signature: 'c-2',
            title: 'WARNING in g',
            cluster: 'east',
            attributes: {},
            confidence: 0.3,
            happenedAt: '2026-11-14T00:00:00.000Z',
          }),
        ),
        'changed',
      );
      assert.equal((await store.get('d'))?.confidence, 0.3);
      assert.equal(await store.get('nobody'), undefined);
    });
    test('signatures are counted, with the machines that they met', async () => {
      assert.deepEqual(await store.signatures({ limit: 10 }), [
        {
          signature: 'c-1',
          title: 'general protection fault in f',
          count: 2,
          machines: 2,
          firstAt: '2026-11-11T00:01:02.000Z',
          lastAt: '2026-11-12T00:00:00.000Z',
        },
        {
          signature: 'c-2',
          title: 'WARNING in g',
          count: 1,
          machines: 1,
          firstAt: '2026-11-14T00:00:00.000Z',
          lastAt: '2026-11-14T00:00:00.000Z',
        },
      ]);
    });
    test('the fleet of a day is kept once, and told by days', async () => {
      const kinds = [
        { attributes: { model: 'ebmc6' }, machines: 10 },
        { attributes: { model: 'ebmc5' }, machines: 5 },
      ];
      await store.putFleetDay('2026-11-12', [{ attributes: { model: 'x' }, machines: 1 }]);
      await store.putFleetDay('2026-11-12', kinds);
      await store.putFleetDay('2026-11-13', []);
      assert.deepEqual(
        [await store.hasFleetDay('2026-11-12'), await store.hasFleetDay('2026-11-14')],
        [true, false],
      );
      const days = await store.fleetDays(new Date('2026-11-12'), new Date('2026-11-13'));
      assert.deepEqual(days.map(({ day, machines }) => [day, machines]).sort(), [
        ['2026-11-12', 10],
        ['2026-11-12', 5],
      ]);
    });
    test('what people said is remembered in its order', async () => {
      await store.addOrder('ann', new Date('2026-11-15T00:00:00Z'), { merge: ['c-1', 'c-2'] });
      await store.addOrder('bob', new Date('2026-11-15T00:00:01Z'), { mute: 'c-1' });
      assert.deepEqual(
        (await store.orders()).map(({ who, order }) => [who, order]),
        [
          ['ann', { merge: ['c-1', 'c-2'] }],
          ['bob', { mute: 'c-1' }],
        ],
      );
    });
    test('what is past its time goes, and evidence only when nobody needs it', async () => {
      assert.deepEqual(await store.deleteBefore(new Date('2026-11-12')), { records: 1, blobs: ['one'] });
      assert.deepEqual(await ids({ planned: true }), ['d', 'c', 'b']);
    });
  });
}
