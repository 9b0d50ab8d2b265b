import { createHash } from 'node:crypto';
import type { Blobs } from '../../platform/blobs/blobs.ts';
import type { Evidence, EvidenceKind } from '../../platform/history/crash-record.ts';

/** A piece of evidence as it was found. */
export interface Piece {
  kind: EvidenceKind;
  name: string;
  bytes: Buffer;
  /** Only its last part. */
  cut?: boolean;
}

/** What the record of a crash says of it; the bytes themselves go to `blobs`, where there are any. */
export async function kept({ kind, name, bytes, cut }: Piece, blobs: Blobs | undefined): Promise<Evidence> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const blob = blobs && (await blobs.put(bytes));
  return { kind, name, bytes: bytes.length, sha256, ...(blob && { blob }), ...(cut && { cut }) };
}
