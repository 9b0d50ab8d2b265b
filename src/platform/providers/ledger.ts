// What was asked for and what came of it, written down before and after each call: who reads it after a crash knows which
// orders may have been filled without our hearing of it.
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { BULK_MAX, FAILURES, SOURCES_MAX } from './provider.ts';

const id = z.string().min(1).max(253);

const source = z.object({ type: id, zone: id });

const order = source.extend({
  token: z.string().min(1).max(64),
  orElse: z.array(source).max(SOURCES_MAX).readonly().optional(),
  count: z.int().min(1).max(BULK_MAX),
  least: z.int().min(1).max(BULK_MAX),
  name: z.string().max(128),
  labels: z.record(z.string().max(317), z.string().max(256)),
});

const attempt = z.int().min(1);

/** Each attempt is first `Asked`, and some day `Filled` or `Refused`: one that is only asked is open. */
export const ledgerEntry = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('Asked'), wish: id, attempt, order, at: z.number() }),
  z.object({ kind: z.literal('Filled'), attempt, ids: z.array(id).min(1).max(BULK_MAX) }),
  z.object({ kind: z.literal('Refused'), attempt, failure: z.enum(FAILURES), message: z.string().max(4096) }),
]);
export type LedgerEntry = z.output<typeof ledgerEntry>;

export interface Ledger {
  /** All that was written, in its order. */
  read(): Promise<readonly LedgerEntry[]>;
  /** Resolves when no crash can lose it any more. */
  write(entry: LedgerEntry): Promise<void>;
}

/**
 * A ledger in one file, a line of JSON for each entry, on disk before `write` resolves. One process at a time.
 * A last line that a crash cut off is dropped: what it was to say had not been promised to anybody.
 */
export class FileLedger implements Ledger, AsyncDisposable {
  readonly #file: FileHandle;
  readonly #path: string;
  #last: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** Makes the file where there is none. */
  static async open(path: string): Promise<FileLedger> {
    const file = await open(path, 'a+', 0o600);
    const text = await file.readFile('utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole.length < text.length) await file.truncate(Buffer.byteLength(whole));
    await file.sync();
    // The file's name is on disk only when its folder is.
    const folder = await open(dirname(path), 'r');
    await folder.sync();
    await folder.close();
    return new FileLedger(file, path);
  }

  async read(): Promise<LedgerEntry[]> {
    await this.#last;
    const { size } = await this.#file.stat();
    const { buffer } = await this.#file.read(Buffer.alloc(size), 0, size, 0);
    const lines = buffer.toString('utf8').split('\n').slice(0, -1);
    return lines.map((line, at) => this.#parsed(line, at + 1));
  }

  write(entry: LedgerEntry): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    // One after the other: after a write that failed nothing more is known of the file.
    this.#last = this.#last.then(async () => {
      const { bytesWritten } = await this.#file.write(line);
      if (bytesWritten !== line.length)
        throw new Error(`${this.#path}: only ${bytesWritten} of ${line.length} bytes were written`);
      await this.#file.datasync();
    });
    return this.#last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last.catch(() => {});
    await this.#file.close();
  }

  #parsed(line: string, number: number): LedgerEntry {
    try {
      return ledgerEntry.parse(JSON.parse(line));
    } catch (error) {
      throw new Error(`${this.#path}:${number}: is no entry of a ledger: ${error}`);
    }
  }
}
