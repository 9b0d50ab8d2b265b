import { createReadStream } from 'node:fs';
import type { Io } from './io.ts';

const CHUNK_BYTES = 1 << 20;

/** The bytes of a file, or of standard input for `-`. */
export function bytesOf(file: string, io: Io): AsyncIterable<Uint8Array> {
  return file === '-' ? io.stdin() : createReadStream(file, { highWaterMark: CHUNK_BYTES });
}
