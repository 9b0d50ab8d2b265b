// Fetches what a crash left on a host: the kernel's log first, then small files, and the dump itself only when asked.
// Piece by piece, so that a connection that is lost costs one piece.
import type { Clock } from '../../clock/clock.ts';
import { SECOND } from '../../clock/clock.ts';
import { EVIDENCE_BYTES_MAX, HostError, type HostFailure, type HostFile, type HostRef } from '../host.ts';
import { type CrashFile, READ_BYTES_MAX } from './crash-files.ts';
import type { Hosts } from './run.ts';

export const PIECE_BYTES = 1024 * 1024;
/** Of one piece, when the connection fails. */
const TRIES_MAX = 4;
const WAIT_MS = 2 * SECOND;
/** Files of one host that are fetched; a crash leaves a handful, ramoops up to a hundred parts. */
export const EVIDENCE_FILES_MAX = 200;

/** What another try may well overcome; the rest is the same next time. */
const PASSING: ReadonlySet<HostFailure> = new Set(['Cut', 'TimedOut', 'Unreachable', 'Silent']);

export interface EvidenceLimits {
  clock: Clock;
  /** Of all files together; EVIDENCE_BYTES_MAX when not said. */
  bytes_max?: number;
  /** Also the memory dumps, as far as they fit. */
  dumps?: boolean;
  piece_bytes?: number;
  signal?: AbortSignal;
}

export interface Evidence {
  files: HostFile[];
  /** What was seen and not fetched, with the reason. */
  left: { path: string; size_bytes: number; why: string }[];
}

/** @param since epoch milliseconds, against the host's own times of change. Throws HostError when nothing could be listed. */
export async function collectCrashEvidence(
  hosts: Hosts,
  host: HostRef,
  since: number,
  limits: EvidenceLimits,
): Promise<Evidence> {
  const { bytes_max = EVIDENCE_BYTES_MAX, dumps = false, signal } = limits;
  const list = () => hosts.run(host, 'crashFiles', { since: Math.max(0, Math.floor(since)) }, signal);
  const found = await withPatience(list, limits);
  const evidence: Evidence = { files: [], left: [] };
  let rest = bytes_max;
  for (const file of inOrder(found)) {
    const why = whyNot(file, rest, dumps, evidence.files.length);
    if (why) {
      evidence.left.push({ path: file.path, size_bytes: file.size_bytes, why });
      continue;
    }
    try {
      const bytes = await fetchFile(hosts, host, file, rest, limits);
      rest -= bytes.length;
      evidence.files.push({ path: file.path, bytes, changedAt: file.changedAt });
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      evidence.left.push({ path: file.path, size_bytes: file.size_bytes, why: error.message });
    }
  }
  return evidence;
}

/** `vmcore-dmesg.txt`, `dmesg.202611251200`, `dmesg.txt`: complete before the dump begins. */
const isKernelLog = (path: string) => /\/(?:vmcore-dmesg|dmesg)[^/]*$/.test(path);
/** `vmcore`, `vmcore-incomplete`, `vmcore.202611251200`, `dump.202611251200`. */
const isDump = (path: string) => /\/(?:vmcore|dump)(?:$|[.-](?!dmesg)[^/]*$)/.test(path);

function inOrder(files: readonly CrashFile[]): CrashFile[] {
  const rank = ({ path }: CrashFile) => (isKernelLog(path) ? 0 : isDump(path) ? 2 : 1);
  return [...files].sort((a, b) => rank(a) - rank(b) || a.size_bytes - b.size_bytes);
}

function whyNot(file: CrashFile, rest: number, dumps: boolean, fetched: number): string | undefined {
  if (isDump(file.path) && !dumps) return 'a memory dump, which was not asked for';
  if (fetched >= EVIDENCE_FILES_MAX) return `more than ${EVIDENCE_FILES_MAX} files`;
  if (file.size_bytes > rest) return `${file.size_bytes} bytes do not fit into the ${rest} that are left`;
  return undefined;
}

async function fetchFile(
  hosts: Hosts,
  host: HostRef,
  { path, size_bytes, state }: CrashFile,
  bytes_max: number,
  limits: EvidenceLimits,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const most = Math.min(limits.piece_bytes ?? PIECE_BYTES, READ_BYTES_MAX);
  let from_bytes = 0;
  let changedAt: string | undefined;
  while (from_bytes < Math.min(size_bytes, bytes_max)) {
    const params = { path, from_bytes, bytes_max: Math.min(most, bytes_max - from_bytes) };
    const piece = await withPatience(() => hosts.run(host, 'readFile', params, limits.signal), limits);
    // Pieces of two versions would make a file that never was. One that grows only gets longer.
    const changed = changedAt !== undefined && piece.changedAt !== changedAt;
    if ((changed && state === 'Complete') || piece.size_bytes < from_bytes)
      throw new HostError(`${path} was replaced while it was read`, 'Failed');
    changedAt = piece.changedAt;
    pieces.push(piece.bytes);
    from_bytes += piece.bytes.length;
    if (piece.isLast || piece.bytes.length === 0) break;
  }
  return Buffer.concat(pieces);
}

async function withPatience<T>(run: () => Promise<T>, { clock, signal }: EvidenceLimits): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof HostError) || !PASSING.has(error.failure) || tries >= TRIES_MAX) throw error;
      await clock.sleep(WAIT_MS * tries, signal);
    }
  }
}
