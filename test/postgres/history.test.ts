import assert from 'node:assert/strict';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { SECOND } from '../../src/platform/clock/clock.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import { CrashStore } from '../../src/platform/history/crashes.ts';
import { crashesSuite } from '../../src/platform/history/crashes-suite.ts';
import { aDecision, anIncident, historySuite, T0 } from '../../src/platform/history/history-suite.ts';
import { openHistory, type SqlHistory } from '../../src/platform/history/sql-history.ts';
import type { Log } from '../../src/platform/telemetry/log.ts';
import { noLog } from '../../src/platform/telemetry/log.ts';
import { noPostgres, type Postgres, query, startPostgres } from './start.ts';

const skip = noPostgres() ?? false;
const open = (url: string, log: Log = noLog) => openHistory({ url, clock: systemClock, log });
const until = async (what: string, done: () => boolean | Promise<boolean>) => {
  for (const end = Date.now() + 60 * SECOND; Date.now() < end; await systemClock.sleep(50))
    if (await done()) return;
  assert.fail(`not within a minute: ${what}`);
};

describe('PostgreSQL', { skip }, () => {
  let postgres: Postgres;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres?.stop());

  historySuite('history in PostgreSQL', () => open(postgres.url));
  crashesSuite('crashes in PostgreSQL', async () =>
    CrashStore.open({ url: await postgres.create('crashes') }),
  );

  test('replicas that start at once make the tables once, and number their decisions apart', async () => {
    for (let round = 0; round < 3; round++) {
      const url = await postgres.create(`round${round}`);
      const replicas = await Promise.all([open(url), open(url), open(url)]);
      for (const replica of replicas) {
        assert.deepEqual([replica.status().reachable, replica.status().message], [true, '']);
        for (let index = 0; index < 10; index++) replica.decision(aDecision('m1'));
      }
      await Promise.all(replicas.map((replica) => replica.flush()));
      assert.equal((await replicas[0]?.decisions({ limit: 100 }))?.length, 30);
      assert.deepEqual(await query(url, 'select name from history_migrations'), [
        { name: '0001-first-tables' },
        { name: '0002-crashes' },
      ]);
      await Promise.all(replicas.map((replica) => replica.close()));
    }
  });

  test('what a newer replica has added does not trouble an older one', async () => {
    const url = await postgres.create('newer');
    await (await open(url)).close();
    await query(
      url,
      `insert into history_migrations (name) values ('9999-of-the-future'); alter table decisions add column later text`,
    );
    await using history = await open(url);
    history.decision(aDecision('m1'));
    await history.flush();
    assert.deepEqual(await history.decisions({ limit: 5 }), [aDecision('m1')]);
  });

  test('nothing is lost, and nothing is there twice, when the database is killed in mid-work', async () => {
    await using history = await open(await postgres.create('killed'));
    const total = 6_000;
    let told = 0;
    const tell = (count: number) => {
      for (let index = 0; index < count; index++)
        history.decision(aDecision('m1', { at: T0 + told, message: `n${told++}` }));
    };
    tell(1_000);
    await history.flush();
    tell(2_000);
    const writing = history.flush().catch(() => undefined);
    await postgres.kill();
    await writing;
    tell(total - told);
    history.incident(anIncident('m1', '5', { stage: 'Healing' }));
    await assert.rejects(history.flush());
    const { reachable, message, pending } = history.status();
    assert.equal(reachable, false);
    assert.match(message, /ECONNREFUSED|terminat/);
    assert.ok(pending > 3_000, `${pending} wait`);
    await assert.rejects(history.decisions({ limit: 1 }));

    await postgres.start();
    await until('all is written', () => history.status().pending === 0);
    assert.deepEqual(history.status(), { ...history.status(), reachable: true, message: '', dropped: 0 });
    const seen = new Set<string>();
    let count = 0;
    for (let from = 0; from < total; from += 1_000) {
      const rows = (await history.decisions({ since: T0 + total - from - 1_000, limit: 1_000 })).concat();
      for (const row of rows) seen.add(row.message);
    }
    for (const row of await query(
      postgres.url.replace(/postgres$/, 'killed'),
      'select count(*)::int as n from decisions',
    ))
      count = (row as { n: number }).n;
    assert.equal(count, total);
    assert.ok(seen.has(`n${total - 1}`));
    assert.equal((await history.incidents({ limit: 5 }))[0]?.status?.stage, 'Healing');
  });

  test('a database that is away at the start is used when it comes', async () => {
    await postgres.kill();
    const lines: string[] = [];
    const log = {
      ...noLog,
      info: (line: string) => lines.push(line),
      warn: (line: string) => lines.push(line),
    };
    await using history = await open(postgres.url.replace(/postgres$/, 'killed'), log);
    history.decision(aDecision('early'));
    assert.deepEqual([history.status().reachable, history.status().pending], [false, 1]);
    await postgres.start();
    await until('it is written', () => history.status().pending === 0);
    assert.equal((await history.decisions({ machine: 'early', limit: 5 })).length, 1);
    assert.match(lines[0] ?? '', /can't be written, and is kept in memory/);
    assert.match(lines.at(-1) ?? '', /written again/);
  });

  test('tables that vanished are made again', async () => {
    const url = await postgres.create('emptied');
    await using history = await open(url);
    await query(url, 'drop schema public cascade; create schema public');
    history.decision(aDecision('m1'));
    await until('it is written', () => history.status().pending === 0);
    assert.equal((await history.decisions({ limit: 5 })).length, 1);
  });
});

describe('a server that takes connections and says nothing', () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => {})));
  let history: SqlHistory;
  before(async () => {
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    history = await open(`postgresql://drover@127.0.0.1:${(server.address() as AddressInfo).port}/drover`);
  });
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test('holds up neither writing nor the end', async () => {
    assert.match(history.status().message, /timeout/);
    const begun = performance.now();
    for (let index = 0; index < 25_000; index++) history.decision(aDecision(`m${index}`));
    assert.ok(performance.now() - begun < SECOND);
    assert.deepEqual([history.status().pending, history.status().dropped], [10_000, 15_000]);
    await history.close();
    assert.ok(performance.now() - begun < 8 * SECOND, 'close has a limit');
  });
});
