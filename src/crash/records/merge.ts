import type { CrashRecord } from '../../platform/history/crash-record.ts';
import { SILENT } from './make.ts';

/**
 * The same crash seen again. What is known better stays: a console scrolls on, and a later look may see only the
 * next boot. Evidence is added up.
 */
export function merged(known: CrashRecord, fresh: CrashRecord): CrashRecord {
  const better = trust(fresh) >= trust(known) ? fresh : known;
  const evidence = [...known.evidence];
  for (const piece of fresh.evidence)
    if (!evidence.some(({ sha256 }) => sha256 === piece.sha256)) evidence.push(piece);
  const operation = fresh.operation ?? known.operation;
  return {
    ...better,
    happenedAt: [known.happenedAt, fresh.happenedAt].sort()[0] as string,
    seenAt: known.seenAt,
    // What it was when it crashed, not what it is after its repair.
    attributes: { ...fresh.attributes, ...known.attributes },
    evidence,
    ...(operation && { operation }),
  };
}

function trust({ title, corrupted, confidence, planned }: CrashRecord): number {
  if (planned) return 3;
  if (title === SILENT) return 0;
  return corrupted ? 0.5 : 1 + confidence;
}
