// How long crashes are kept: records in a real database, evidence in a folder.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { FolderBlobs } from '../platform/blobs/folder-blobs.ts';
import { DAY } from '../platform/clock/clock.ts';
import { VirtualClock } from '../platform/clock/virtual.ts';
import { CrashStore } from '../platform/history/crashes.ts';
import { aCrash } from '../platform/history/crashes-suite.ts';
import { CrashController, type CrashOptions } from './controller.ts';

const folder = mkdtempSync(join(tmpdir(), 'drover-forget-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A folder that can't be reached at times. */
class ShyBlobs extends FolderBlobs {
  away = false;
  override async delete(key: string): Promise<void> {
    if (this.away) throw new Error('the store is away');
    await super.delete(key);
  }
}

it('a crash of long ago is forgotten with its evidence, which is deleted later where its store is away', async () => {
  const clock = new VirtualClock();
  await using store = await CrashStore.open({ dir: join(folder, 'data') });
  const blobs = new ShyBlobs(join(folder, 'evidence'));
  const kept = () =>
    readdirSync(join(folder, 'evidence'), { recursive: true }).filter((name) => /zst$/.test(`${name}`));
  const options = { clock, blobs, keep_ms: 30 * DAY, records: async () => store } as Partial<CrashOptions>;
  const crashes = new CrashController(options as CrashOptions);
  const put = async (id: string, days: number, log: string) => {
    const blob = await blobs.put(Buffer.from(log));
    const happenedAt = new Date(clock.now() - days * DAY).toISOString();
    const evidence = [{ kind: 'console', name: 'console', bytes: 1, sha256: '', blob } as const];
    await store.put(aCrash(id, { happenedAt, evidence: [...evidence] }));
  };
  const ids = async () => (await store.list({ limit: 100 })).map(({ id }) => id);

  await crashes.forget();
  for (let at = 0; at < 20; at++) await put(`old${at}`, 31, `log ${at}`);
  await put('shares', 31, 'the same log');
  await put('young', 27, 'the same log');
  await crashes.forget();
  assert.equal((await ids()).length, 22, 'today’s pass was before them');

  await clock.advance(DAY);
  blobs.away = true;
  await assert.rejects(crashes.forget(), /the store is away/);
  assert.deepEqual(await ids(), ['young']);
  assert.equal(kept().length, 21);

  blobs.away = false;
  await crashes.forget();
  assert.equal(kept().length, 1, 'a younger record needs it');
  assert.equal((await blobs.get(kept()[0] as string)).toString(), 'the same log');

  await clock.advance(3 * DAY);
  await crashes.forget();
  assert.deepEqual([...(await ids()), ...kept()], []);
});
