// Evidence as it is handed in: files and folders of kdump, pstore, rasdaemon, BMC logs and consoles.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type Place, placeOf } from '../../crash/records/places.ts';
import { rasLines } from '../../crash/records/rasdaemon.ts';
import { BLOB_BYTES_MAX } from '../../platform/blobs/blobs.ts';
import type { EvidenceKind } from '../../platform/history/crash-record.ts';
import type { Io } from '../io.ts';

export interface Found extends Place {
  path: string;
  name: string;
  /** As it is kept. */
  bytes: Buffer;
  /** What a person can read of it: lines of a log. */
  text: string;
  cut: boolean;
  sha256: string;
  /** ISO 8601. */
  changedAt?: string;
}

/** Files of one folder that are looked at. */
const FILES_MAX = 2000;
const DUMP_MS_MAX = 10 * 60_000;
const run = promisify(execFile);

/** All files that the paths name, folders with what is in them. */
export async function filesIn(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if (path === '-' || !(await stat(path)).isDirectory()) {
      files.push(path);
      continue;
    }
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const inside = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    if (inside.length > FILES_MAX)
      throw new Error(`${path} holds ${inside.length} files: at most ${FILES_MAX}`);
    // A dump and its log stand side by side: the log is enough, and a dump is large.
    const hasLog = inside.some((file) => /vmcore-dmesg|^dmesg\./.test(basename(file)));
    files.push(...inside.filter((file) => !(hasLog && /^(?:vmcore|dump\.\d+)$/.test(basename(file)))).sort());
  }
  return files;
}

/** @throws Error that says why a file is no evidence */
export async function readEvidence(path: string, io: Io): Promise<Found> {
  const { raw, cut, changedAt } = path === '-' ? await readInput(io) : await readTail(path);
  const place = placeOf(path);
  const about = { ...place, path, name: path === '-' ? 'standard input' : basename(path) };
  const unpacked = unpack(raw);
  const { kind, text } = await textOf(path, unpacked, place.kind);
  // Of a dump its log is kept: the memory itself is large, and holds what is nobody's business.
  const isMemory = isDump(unpacked.subarray(0, 8));
  const bytes = isMemory ? Buffer.from(text, 'latin1') : unpacked;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { ...about, kind, bytes, text, cut: cut && !isMemory, sha256, ...(changedAt && { changedAt }) };
}

async function readInput(io: Io): Promise<{ raw: Buffer; cut: boolean; changedAt?: string }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of io.stdin()) {
    size += chunk.length;
    if (size > BLOB_BYTES_MAX)
      throw new Error(`standard input: more than ${BLOB_BYTES_MAX} bytes; give a file`);
    chunks.push(chunk);
  }
  return { raw: Buffer.concat(chunks), cut: false };
}

/** The last part of a large file: a crash is at the end of a console's log. A dump of memory is read by its tool. */
async function readTail(path: string): Promise<{ raw: Buffer; cut: boolean; changedAt: string }> {
  const file = await open(path);
  try {
    const { size, mtime } = await file.stat();
    const head = await headOf(file);
    if (isDump(head)) return { raw: head, cut: false, changedAt: mtime.toISOString() };
    const length = Math.min(size, BLOB_BYTES_MAX);
    const raw = Buffer.alloc(length);
    await file.read(raw, 0, length, size - length);
    return { raw, cut: length < size, changedAt: mtime.toISOString() };
  } finally {
    await file.close();
  }
}

async function headOf(file: Awaited<ReturnType<typeof open>>): Promise<Buffer> {
  const head = Buffer.alloc(8);
  await file.read(head, 0, 8, 0);
  return head;
}

function unpack(raw: Buffer): Buffer {
  const limit = { maxOutputLength: BLOB_BYTES_MAX };
  if (raw[0] === 0x1f && raw[1] === 0x8b) return gunzipSync(raw, limit);
  if (raw.readUInt32BE?.(0) === 0x28b52ffd) return zstdDecompressSync(raw, limit);
  return raw;
}

/** `KDUMP   ` of makedumpfile, `makedumpfile` flattened, or an ELF core. */
function isDump(head: Buffer): boolean {
  const start = head.toString('latin1', 0, 8);
  return start === 'KDUMP   ' || start === 'makedump' || (start.startsWith('\x7fELF') && head.length >= 8);
}

async function textOf(
  path: string,
  bytes: Buffer,
  kind: EvidenceKind,
): Promise<{ kind: EvidenceKind; text: string }> {
  if (bytes.toString('latin1', 0, 15) === 'SQLite format 3')
    return { kind: 'rasdaemon', text: await rasLines(path) };
  if (isDump(bytes.subarray(0, 8))) return { kind: 'vmcore-dmesg', text: await dumpedLog(path) };
  return { kind, text: bytes.toString('latin1') };
}

/** The kernel's log out of a dump of its memory, by makedumpfile where it is installed. */
async function dumpedLog(path: string): Promise<string> {
  if (path === '-') throw new Error('a dump of memory can’t be read from standard input; give its file');
  const dir = await mkdtemp(join(tmpdir(), 'drover-dump-'));
  try {
    const log = join(dir, 'dmesg.txt');
    await run('makedumpfile', ['--dump-dmesg', path, log], { timeout: DUMP_MS_MAX });
    return (await readFile(log)).toString('latin1');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'makedumpfile is not installed' : (error as Error).message;
    throw new Error(`a dump of memory: ${why}; its vmcore-dmesg.txt is enough`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
