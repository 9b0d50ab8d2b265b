// How evidence lies in a store, the same in all of them: compressed, under the digest of what it was before.
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { BLOB_BYTES_MAX, BlobDamaged, BlobMissing } from './blobs.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** `ab/cdef….zst`: two letters of the digest, so that no folder holds more than a 256th of them. */
const KEY = /^[0-9a-f]{2}\/[0-9a-f]{62}\.zst$/;
/** What does not compress grows by less. */
export const PACKED_BYTES_MAX = BLOB_BYTES_MAX + (1 << 20);

export async function packed(bytes: Uint8Array): Promise<{ key: string; body: Buffer<ArrayBuffer> }> {
  if (bytes.length > BLOB_BYTES_MAX)
    throw new Error(`${bytes.length} bytes of evidence: at most ${BLOB_BYTES_MAX} are kept`);
  return { key: keyOf(bytes), body: (await compress(bytes)) as Buffer<ArrayBuffer> };
}

/** @throws BlobDamaged when it is not what was put there */
export async function unpacked(key: string, body: Uint8Array): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await decompress(body, { maxOutputLength: BLOB_BYTES_MAX });
  } catch (error) {
    throw new BlobDamaged(`evidence ${key} can't be unpacked: ${(error as Error).message}`);
  }
  if (keyOf(bytes) !== key) throw new BlobDamaged(`evidence ${key} is not what was kept under this key`);
  return bytes;
}

/** Keys come from records: nothing else reaches a path or a URL. */
export function checkKey(key: string): string {
  if (!KEY.test(key)) throw new BlobMissing(`"${key}" is no key of evidence`);
  return key;
}

function keyOf(bytes: Uint8Array): string {
  const digest = createHash('sha256').update(bytes).digest('hex');
  return `${digest.slice(0, 2)}/${digest.slice(2)}.zst`;
}
