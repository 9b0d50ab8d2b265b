import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BlobMissing, type Blobs } from './blobs.ts';
import { checkKey, packed, unpacked } from './packed.ts';

/** A folder of compressed files, named by their content. */
export class FolderBlobs implements Blobs {
  readonly #dir: string;
  #drafts = 0;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async put(bytes: Uint8Array): Promise<string> {
    const { key, body } = await packed(bytes);
    const file = join(this.#dir, key);
    await mkdir(dirname(file), { recursive: true });
    // A reader sees all of it or nothing, also when we die in between, or the same comes twice at once.
    const draft = `${file}.${process.pid}-${this.#drafts++}`;
    await writeFile(draft, body);
    await rename(draft, file);
    return key;
  }

  async get(key: string): Promise<Buffer> {
    let body: Buffer;
    try {
      body = await readFile(join(this.#dir, checkKey(key)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new BlobMissing(`no evidence ${key}`);
      throw error;
    }
    return unpacked(key, body);
  }

  async delete(key: string): Promise<void> {
    await rm(join(this.#dir, checkKey(key)), { force: true });
  }
}
