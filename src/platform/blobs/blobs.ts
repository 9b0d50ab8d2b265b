// Raw evidence of crashes: kernel logs and dumps of logs, compressed. It may be lost without losing control.

export interface Blobs {
  /** Keeps the bytes; the same bytes have the same key, however often they come. */
  put(bytes: Uint8Array): Promise<string>;
  /** Throws BlobMissing when there is none of this key, BlobDamaged when it is not what was put there. */
  get(key: string): Promise<Buffer>;
  /** No error when it is gone already. */
  delete(key: string): Promise<void>;
}

export class BlobMissing extends Error {
  override readonly name = 'BlobMissing';
}

/** What is there is not what was put there. */
export class BlobDamaged extends Error {
  override readonly name = 'BlobDamaged';
}

/** Of one blob, before compression. A kernel's log buffer is 1 to 16 MB. */
export const BLOB_BYTES_MAX = 64 << 20;
