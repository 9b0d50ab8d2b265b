// Evidence as it is handed in: files and folders of kdump, pstore, rasdaemon, BMC logs and consoles.
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Piece } from '../../crash/records/keep.ts';
import { type Place, placeOf } from '../../crash/records/places.ts';
import { rasLines } from '../../crash/records/rasdaemon.ts';
import { BLOB_BYTES_MAX } from '../../platform/blobs/blobs.ts';
import type { EvidenceKind } from '../../platform/history/crash-record.ts';
import type { Io } from '../io.ts';
import { packingOf } from './read-log.ts';
import { askedCrash, dumpedLog, isDump } from './vmcore.ts';

export interface Found extends Place, Piece {
  path: string;
  /** What a person can read of it: lines of a log. */
  text: string;
  /** The log that lay in a dump of memory. */
  ofDump: boolean;
  /** ISO 8601. */
  changedAt?: string;
}

/** Files of one folder that are looked at. */
const FILES_MAX = 2000;

/** All files that the paths name, folders with what is in them; dumps beside their logs only where asked for. */
export async function filesIn(paths: readonly string[], { dumps }: { dumps: boolean }): Promise<string[]> {
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
    const hasLog = !dumps && inside.some((file) => /vmcore-dmesg|^dmesg\./.test(basename(file)));
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
  const ofDump = isDump(unpacked.subarray(0, 8));
  const bytes = ofDump ? Buffer.from(text, 'latin1') : unpacked;
  return {
    ...about,
    kind,
    bytes,
    text,
    cut: cut && !ofDump,
    ofDump,
    ...(changedAt && { changedAt }),
  };
}

/**
 * What crash(8) says of a dump: stacks of all CPUs and of who waits. No log, so nothing to explain.
 *
 * @throws Error that says why crash could not be asked
 */
export async function readStacks(dump: Found, vmlinux: string): Promise<Found> {
  const bytes = Buffer.from(await askedCrash(dump.path, vmlinux), 'latin1');
  const name = `${dump.name}.crash.txt`;
  return { ...dump, kind: 'crash-utility', name, bytes, text: '', ofDump: false };
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
  const packing = packingOf(raw);
  if (!packing) return raw;
  return packing === 'gzip' ? gunzipSync(raw, limit) : zstdDecompressSync(raw, limit);
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
