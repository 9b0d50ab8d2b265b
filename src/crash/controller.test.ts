import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY, HOUR, MINUTE, SECOND } from '../platform/clock/clock.ts';
import { VirtualClock } from '../platform/clock/virtual.ts';
import type { CrashRecord } from '../platform/history/crash-record.ts';
import { aCrash } from '../platform/history/crashes-suite.ts';
import { strike } from '../simulation/fleet/faults.ts';
import { World } from '../simulation/world.ts';
import type { Kind } from './census.ts';
import { surgeHold } from './surges.ts';

/** A simulated fleet with its Drover, and the records that it keeps. */
async function fleet() {
  const clock = new VirtualClock(7);
  const world = new World({ clock, machines: 12, machinesPerRack: 6, applications: 1 });
  const opening = world.open();
  await clock.advance(2 * SECOND);
  await opening;
  const records = new Map<string, CrashRecord>();
  const days = new Map<string, readonly Kind[]>();
  const orders: { order: unknown }[] = [];
  const database = { away: false };
  const netconsole = new Map<string, string[]>();
  const crashes = {
    records: async () => {
      if (database.away) throw new Error('the database is away');
      return {
        get: async (id: string) => records.get(id),
        put: async (record: CrashRecord) => records.set(record.id, record),
        list: async () => [...records.values()],
        orders: async () => orders,
        fleetDays: async (since: Date) => [
          { day: since.toISOString().slice(0, 10), attributes: { model: 'bad' }, machines: 500 },
        ],
        hasFleetDay: async (day: string) => days.has(day),
        putFleetDay: async (day: string, kinds: readonly Kind[]) => void days.set(day, kinds),
        deleteBefore: async (before: Date) => {
          const old = [...records.values()].filter(
            ({ happenedAt }) => Date.parse(happenedAt) < before.getTime(),
          );
          for (const { id } of old) records.delete(id);
          return { blobs: [] };
        },
      };
    },
    keep_ms: 30 * DAY,
    netconsole: (address: string) => netconsole.get(address) ?? [],
  };
  const start = () => world.start({ crashes });
  const replica = start();
  await clock.advance(2 * MINUTE);
  return { clock, world, start, replica, records, days, orders, database, netconsole };
}

const only = (records: ReadonlyMap<string, CrashRecord>): CrashRecord => {
  assert.equal(records.size, 1);
  return [...records.values()][0] as CrashRecord;
};

describe('a machine that crashes', () => {
  it('has one record, with what the console said and what the machine was', async () => {
    const { clock, world, replica, records } = await fleet();
    strike(world.fleet, 'crash', 'm00003');
    const struckAt = clock.now();
    await clock.advance(20 * MINUTE);
    const record = only(records);
    const machine = world.fleet.get('m00003');
    assert.match(record.title, / in (nvme_queue_rq|nf_conntrack_in|ext4_writepages)$/);
    assert.deepEqual([record.machine, record.cause, record.corrupted], ['m00003', 'kernel', false]);
    assert.equal(record.attributes.model, machine.model);
    assert.equal(record.attributes.rack, machine.place.rack);
    assert.ok(Date.parse(record.happenedAt) - struckAt < MINUTE);
    assert.match(record.excerpt, /RIP: |kernel BUG at/);
    assert.ok(record.incident && record.operation);
    assert.deepEqual([...replica.drover.crashCounts], [[record.class, new Map([['kernel', 1]])]]);
  });

  it('and dumps and boots by itself has one too, though its console has scrolled on', async () => {
    const { clock, world, records } = await fleet();
    strike(world.fleet, 'crash-dump', 'm00003');
    await clock.advance(30 * MINUTE);
    const { title, evidence } = only(records);
    assert.match(title, / in \w+$/);
    assert.ok(evidence.some(({ kind, name }) => kind === 'vmcore-dmesg' && name.startsWith('/var/crash/')));
  });

  it('is recorded when the database is back, by the replica that leads then', async () => {
    const { clock, world, start, replica, records, database } = await fleet();
    database.away = true;
    strike(world.fleet, 'crash', 'm00003');
    await clock.advance(3 * MINUTE);
    assert.ok((replica.drover.errors.get('crashes') ?? 0) > 0);
    replica.kill();
    start();
    await clock.advance(10 * MINUTE);
    database.away = false;
    await clock.advance(20 * MINUTE);
    assert.equal(only(records).machine, 'm00003');
  });

  it('tells more over netconsole than the console has', async () => {
    const { clock, world, replica, records, netconsole } = await fleet();
    const address = replica.drover.clusters.home.nodes.get('m00003')?.address ?? '';
    netconsole.set(address, ['[   12.000001] WARNING: CPU: 1 PID: 7 at fs/x.c:1 real_trouble+0x1/0x2']);
    strike(world.fleet, 'crash', 'm00003');
    await clock.advance(20 * MINUTE);
    assert.deepEqual(
      only(records)
        .evidence.map(({ kind }) => kind)
        .slice(0, 2),
      ['netconsole', 'console'],
    );
  });
});

describe('a surge', () => {
  it('of one model is told once, holds rollouts on that model, and not where its family is muted', async () => {
    const { clock, replica, records, orders } = await fleet();
    const { crashes } = replica.drover.term ?? {};
    assert.ok(crashes);
    for (let at = 0; at < 9; at++) {
      const happenedAt = new Date(clock.now() - at * HOUR).toISOString();
      records.set(
        `s${at}`,
        aCrash(`s${at}`, { happenedAt, attributes: { model: 'bad' }, signature: 'c-bad' }),
      );
    }
    await crashes.watch();
    const named = () => crashes.surges.map(({ by, value }) => `${by}=${value}`).sort();
    assert.equal(named().length, 1);
    assert.match(named()[0] ?? '', /^(signature=c-bad|model=bad)$/);
    assert.equal(surgeHold(crashes.surges, { model: 'bad' })?.reason, 'CrashSurge');
    orders.push({ order: { kind: 'mute', family: 'family-c-bad', by: 'ann', at: '' } });
    await crashes.watch();
    assert.ok(!named().includes('signature=c-bad'));
  });
});

describe('the fleet', () => {
  it('is counted once a day, by kind, and crashes of long ago are forgotten', async () => {
    const { clock, days, records } = await fleet();
    records.set('old', aCrash('old', { happenedAt: new Date(clock.now() - 31 * DAY).toISOString() }));
    await clock.advance(25 * HOUR);
    assert.equal(records.size, 0);
    assert.equal(days.size, 2);
    for (const kinds of days.values()) {
      assert.equal(
        kinds.reduce((sum, { machines }) => sum + machines, 0),
        12,
      );
      assert.ok(kinds.every(({ attributes }) => attributes.model && attributes.rack && attributes.kernel));
    }
  });
});

describe('what is no crash', () => {
  it('has no record: a dead kubelet, a cut cable, a dark rack, a hang without a word', async () => {
    const { clock, world, records } = await fleet();
    strike(world.fleet, 'kubelet', 'm00001');
    strike(world.fleet, 'cable', 'm00002', { lasts_ms: 5 * MINUTE });
    strike(world.fleet, 'rack-switch', 'm00008', { lasts_ms: 5 * MINUTE });
    await clock.advance(40 * MINUTE);
    assert.deepEqual(
      [...records.values()].map(({ title }) => title),
      [],
    );
  });
});
