// Kernel logs as they are handed in: files, standard input, compressed or not, of any size.
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { explainContents, explainLog, type LogExplanation } from '../../crash/kernel-log/explain.ts';
import { inOrder, ORDERED_BYTES_MAX } from '../../crash/kernel-log/order.ts';
import { LogReader } from '../../crash/kernel-log/reader.ts';
import { builtInRules, loadRules, type RuleFile, type RuleSet } from '../../crash/kernel-log/rules.ts';
import { messageOf } from '../../platform/kube/errors.ts';
import { bytesOf } from '../input.ts';
import { CliError, EXIT, type Io } from '../io.ts';

/** A log that fits in memory is put in order first; a larger one is read as it comes. */
export async function explainBytes(
  bytes: AsyncIterable<Uint8Array>,
  rules: RuleSet,
): Promise<LogExplanation> {
  const held: Uint8Array[] = [];
  let size = 0;
  let reader: LogReader | undefined;
  for await (const chunk of await plain(bytes)) {
    size += chunk.length;
    if (reader) reader.push(chunk);
    else held.push(chunk);
    if (reader || size <= ORDERED_BYTES_MAX) continue;
    reader = new LogReader(rules);
    for (const each of held.splice(0)) reader.push(each);
  }
  if (reader) return explainContents(reader.end());
  const log = Buffer.concat(held);
  const ordered = inOrder(log.toString('latin1'));
  return explainLog(Buffer.from(ordered, 'latin1'), rules);
}

/** How kdump and log rotation pack logs, by their first bytes. */
export function packingOf([a, b, c, d]: Uint8Array): 'gzip' | 'zstd' | undefined {
  if (a === 0x1f && b === 0x8b) return 'gzip';
  return a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd ? 'zstd' : undefined;
}

/** Without what it is packed in. */
async function plain(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = bytes[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done) return Readable.from([]);
  const whole = (async function* () {
    yield first.value;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  })();
  const packing = packingOf(first.value);
  const unpack = packing && (packing === 'gzip' ? createGunzip() : createZstdDecompress());
  // The reader of the pipe is told of what goes wrong; there is nobody else to tell.
  return unpack ? pipeline(Readable.from(whole), unpack, () => {}) : whole;
}

/** @throws CliError naming the file and what is wrong in it */
export async function rulesOf(files: readonly string[], io: Io): Promise<RuleSet> {
  if (files.length === 0) return builtInRules();
  const sources: RuleFile[] = [];
  for (const name of files) {
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of bytesOf(name, io)) chunks.push(chunk);
    } catch (error) {
      throw new CliError(`error: ${name}: ${messageOf(error)}`);
    }
    sources.push({ name, text: Buffer.concat(chunks).toString('utf8') });
  }
  try {
    return loadRules(sources);
  } catch (error) {
    throw new CliError(`error: ${messageOf(error)}`, EXIT.usage);
  }
}
