// The families of the crashes that are kept, with what people have decided on top.
import type { CrashRecord } from '../../platform/history/crash-record.ts';
import {
  apply,
  type Conflict,
  type DecidedFamily,
  FamilyBook,
  type FamilyDecision,
  isMuted,
} from '../families/index.ts';

export interface FamilyOfCrashes extends DecidedFamily {
  records: CrashRecord[];
}

/** What people have decided so far, in its order. */
export async function decisionsOf(store: {
  orders(): Promise<{ order: unknown }[]>;
}): Promise<FamilyDecision[]> {
  return (await store.orders()).map(({ order }) => order as FamilyDecision);
}

/** Signatures join families in the order in which they were first seen, so that the same records give the same. */
export function familiesOf(
  records: readonly CrashRecord[],
  decisions: readonly FamilyDecision[],
): { families: FamilyOfCrashes[]; conflicts: Conflict[] } {
  const bySignature = Map.groupBy(
    [...records].sort((a, b) => a.happenedAt.localeCompare(b.happenedAt) || a.id.localeCompare(b.id)),
    ({ signature }) => signature,
  );
  const book = new FamilyBook();
  for (const [id, own] of bySignature) {
    // The stack of the best-preserved one stands for all.
    const best = own.reduce((best, each) =>
      each.frames.length > best.frames.length && !each.corrupted ? each : best,
    );
    book.add({ id, class: best.class, title: best.title, frames: best.frames });
  }
  const { families, conflicts } = apply(decisions, book.families);
  const filled = families.map((family) => ({
    ...family,
    records: family.members.flatMap((signature) => bySignature.get(signature) ?? []),
  }));
  return { families: filled.sort((a, b) => b.records.length - a.records.length), conflicts };
}

/** Signatures that nobody wants to be told of now. */
export function mutedSignatures(
  records: readonly CrashRecord[],
  decisions: readonly FamilyDecision[],
  now: number,
): Set<string> {
  if (!decisions.some(({ kind }) => kind === 'mute')) return new Set();
  const { families } = familiesOf(records, decisions);
  const muted = families.filter((family) => isMuted(family, now));
  return new Set(muted.flatMap(({ members }) => members));
}
