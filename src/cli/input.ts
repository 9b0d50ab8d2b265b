import { createReadStream } from 'node:fs';
import { TableError } from '../platform/tables.ts';
import { CliError, type Io } from './io.ts';

const CHUNK_BYTES = 1 << 20;

/** The bytes of a file, or of standard input for `-`. */
export function bytesOf(file: string, io: Io): AsyncIterable<Uint8Array> {
  return file === '-' ? io.stdin() : createReadStream(file, { highWaterMark: CHUNK_BYTES });
}

/** The text of a file, or of standard input for `-`. */
export async function textOf(file: string, io: Io): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of bytesOf(file, io)) text += decoder.decode(bytes, { stream: true });
  return text + decoder.decode();
}

/** What went wrong with a file, as the user is told it; anything else as it is. */
export function readable(error: unknown, file: string): unknown {
  if (error instanceof TableError) return new CliError(`error: ${error.message}`);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return new CliError(`error: there is no file ${file}`);
  if (code === 'EISDIR') return new CliError(`error: ${file} is a directory`);
  if (code === 'EACCES') return new CliError(`error: ${file} may not be read`);
  return error;
}
