import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { BLOB_BYTES_MAX, BlobMissing, type Blobs } from './blobs.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** `ab/cdef….zst`: two letters of the digest, so that no folder holds more than a 256th of them. */
const KEY = /^[0-9a-f]{2}\/[0-9a-f]{62}\.zst$/;

/** The digest and the compressed bytes of a blob; both stores keep the same. */
export async function packed(bytes: Uint8Array): Promise<{ key: string; body: Buffer }> {
  if (bytes.length > BLOB_BYTES_MAX)
    throw new Error(`${bytes.length} bytes of evidence: at most ${BLOB_BYTES_MAX} are kept`);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return { key: `${digest.slice(0, 2)}/${digest.slice(2)}.zst`, body: await compress(bytes) };
}

export async function unpacked(body: Uint8Array): Promise<Buffer> {
  return decompress(body);
}

/** A folder of compressed files, named by their content. */
export class FolderBlobs implements Blobs {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async put(bytes: Uint8Array): Promise<string> {
    const { key, body } = await packed(bytes);
    const file = join(this.#dir, key);
    await mkdir(dirname(file), { recursive: true });
    // A reader sees all of it or nothing, also when we die in between.
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, body);
    await rename(draft, file);
    return key;
  }

  async get(key: string): Promise<Buffer> {
    try {
      return await unpacked(await readFile(this.#file(key)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new BlobMissing(`no evidence ${key}`);
      throw error;
    }
  }

  async delete(key: string): Promise<void> {
    await rm(this.#file(key), { force: true });
  }

  #file(key: string): string {
    if (!KEY.test(key)) throw new BlobMissing(`"${key}" is no key of evidence`);
    return join(this.#dir, key);
  }
}
