// What every store of evidence must do. Stores under test keep their blobs as files below one folder.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BLOB_BYTES_MAX, type Blobs } from './blobs.ts';

/** @param open a store, and the folder in which a blob is the file of its key */
export function testBlobs(name: string, open: () => { blobs: Blobs; dir: string }): void {
  const filesIn = (dir: string) =>
    (existsSync(dir) ? readdirSync(dir, { recursive: true, withFileTypes: true }) : [])
      .filter((each) => each.isFile())
      .map(({ name }) => name);

  describe(`evidence in ${name}`, () => {
    it('comes back as it was, and twice the same is kept once', async () => {
      const { blobs, dir } = open();
      const before = filesIn(dir).length;
      const log = Buffer.from('Kernel panic - not syncing\n'.repeat(1000));
      const key = await blobs.put(log);
      assert.equal(await blobs.put(Buffer.from(log)), key);
      assert.deepEqual(await blobs.get(key), log);
      assert.equal(filesIn(dir).length, before + 1);
    });
    it('may be nothing, or any bytes', async () => {
      const { blobs } = open();
      for (const bytes of [Buffer.alloc(0), Buffer.from([0, 255, 10, 13]), randomBytes(3 << 20)])
        assert.deepEqual(await blobs.get(await blobs.put(bytes)), bytes);
    });
    it('has keys that hold in every store', async () => {
      const { blobs } = open();
      const key = await blobs.put(Buffer.from('abc'));
      assert.equal(key, 'ba/7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.zst');
    });
    it('may come from many at once, also the same', async () => {
      const { blobs } = open();
      const logs = Array.from({ length: 40 }, (_, at) => Buffer.from(`crash ${at % 20}`.repeat(5000)));
      const keys = await Promise.all(logs.map((log) => blobs.put(log)));
      assert.equal(new Set(keys).size, 20);
      assert.deepEqual(await Promise.all(keys.map((key) => blobs.get(key))), logs);
    });
    it('that is gone, or has no key, is missing; deleting it again is no error', async () => {
      const { blobs } = open();
      const key = await blobs.put(Buffer.from('gone soon'));
      await blobs.delete(key);
      await blobs.delete(key);
      await assert.rejects(blobs.get(key), { name: 'BlobMissing' });
      await assert.rejects(blobs.get('../../etc/passwd'), { name: 'BlobMissing' });
      await assert.rejects(blobs.delete(`${key}/../../x`), { name: 'BlobMissing' });
    });
    it('that others have spoiled is not handed out', async () => {
      const { blobs, dir } = open();
      const key = await blobs.put(Buffer.from('to be spoiled'));
      const other = await blobs.put(Buffer.from('another'));
      writeFileSync(join(dir, key), 'no zstd at all');
      await assert.rejects(blobs.get(key), { name: 'BlobDamaged', message: /can't be unpacked/ });
      const { packed } = await import('./packed.ts');
      writeFileSync(join(dir, other), (await packed(Buffer.from('to be spoiled'))).body);
      await assert.rejects(blobs.get(other), { name: 'BlobDamaged', message: /not what was kept/ });
    });
    it('has a limit', async () => {
      await assert.rejects(open().blobs.put(new Uint8Array(BLOB_BYTES_MAX + 1)), /at most 67108864 are kept/);
    });
  });
}
