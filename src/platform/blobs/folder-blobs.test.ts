import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FolderBlobs } from './folder-blobs.ts';

const dir = mkdtempSync(join(tmpdir(), 'drover-blobs-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const blobs = new FolderBlobs(dir);

test('evidence comes back as it was, and twice the same is kept once', async () => {
  const log = Buffer.from('Kernel panic - not syncing\n'.repeat(1000));
  const key = await blobs.put(log);
  assert.equal(await blobs.put(Buffer.from(log)), key);
  assert.deepEqual(await blobs.get(key), log);
  assert.equal(
    readdirSync(dir, { recursive: true, withFileTypes: true }).filter((each) => each.isFile()).length,
    1,
  );
});

test('what is gone, and what is no key, is missing; deleting it again is no error', async () => {
  const key = await blobs.put(Buffer.from('gone soon'));
  await blobs.delete(key);
  await blobs.delete(key);
  await assert.rejects(blobs.get(key), { name: 'BlobMissing' });
  await assert.rejects(blobs.get('../../etc/passwd'), { name: 'BlobMissing' });
});
