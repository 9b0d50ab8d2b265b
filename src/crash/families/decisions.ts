// What people have decided about families, applied on top of what the machine has put together. Decisions are
// data, kept in order; applying them again to families that have grown gives the same, with the new members in it.
import type { Family } from './book.ts';

interface Decided {
  /** Who, when (RFC 3339) and why, for the record. */
  by: string;
  at: string;
  reason?: string;
}

export type FamilyDecision = Decided &
  (
    | { kind: 'merge'; family: string; into: string }
    | { kind: 'split'; family: string; signatures: readonly string[]; newFamily: string }
    | { kind: 'rename'; family: string; title: string }
    | { kind: 'mute'; family: string; until?: string }
    | { kind: 'unmute'; family: string }
  );

export interface DecidedFamily extends Family {
  /** Ids of families that were merged into this one. */
  merged: string[];
  /** Set when nobody shall be told of it: until this time, or for good. */
  muted?: { until?: string; by: string; reason?: string };
  /** The title before a person renamed it. */
  titleBefore?: string;
}

export interface Conflict {
  decision: FamilyDecision;
  message: string;
}

/** Pure. A decision that cannot be followed is told and left out; those after it still hold. */
export function apply(
  decisions: readonly FamilyDecision[],
  families: readonly Readonly<Family>[],
): { families: DecidedFamily[]; conflicts: Conflict[] } {
  const byId = new Map<string, DecidedFamily>(
    families.map((family) => [family.id, { ...family, members: [...family.members], merged: [] }]),
  );
  const mergedInto = new Map<string, string>();
  const conflicts: Conflict[] = [];
  /** A family that was merged is meant by its old name, too. */
  const find = (id: string): DecidedFamily | undefined => {
    let at = id;
    for (let next = mergedInto.get(at); next !== undefined; next = mergedInto.get(at)) at = next;
    return byId.get(at);
  };
  for (const decision of decisions) {
    const family = find(decision.family);
    const message = family
      ? follow(decision, family, { byId, mergedInto, find })
      : `there is no family ${decision.family}`;
    if (message !== undefined) conflicts.push({ decision, message });
  }
  return { families: [...byId.values()], conflicts };
}

/** Whether nobody shall be told of it at this time. */
export function isMuted({ muted }: DecidedFamily, now: number): boolean {
  return muted !== undefined && (muted.until === undefined || Date.parse(muted.until) > now);
}

interface World {
  byId: Map<string, DecidedFamily>;
  mergedInto: Map<string, string>;
  find(id: string): DecidedFamily | undefined;
}

/** Changes the family, or says why it cannot. */
function follow(decision: FamilyDecision, family: DecidedFamily, world: World): string | undefined {
  switch (decision.kind) {
    case 'merge': {
      const into = world.find(decision.into);
      if (!into) return `there is no family ${decision.into}`;
      if (into === family) return `${decision.family} and ${decision.into} are one family already`;
      into.members.push(...family.members);
      into.merged.push(family.id, ...family.merged);
      world.byId.delete(family.id);
      world.mergedInto.set(family.id, into.id);
      return undefined;
    }
    case 'split': {
      const strangers = decision.signatures.filter((id) => !family.members.includes(id));
      if (decision.signatures.length === 0) return 'no signatures are named that shall leave';
      if (strangers.length > 0)
        return `${strangers.join(', ')} ${strangers.length === 1 ? 'is' : 'are'} not in ${family.id}`;
      if (world.find(decision.newFamily)) return `there is a family ${decision.newFamily} already`;
      const leave = new Set(decision.signatures);
      if (leave.size === family.members.length)
        return `nothing of ${family.id} would be left: rename it instead`;
      family.members = family.members.filter((id) => !leave.has(id));
      world.byId.set(decision.newFamily, {
        id: decision.newFamily,
        class: family.class,
        title: family.title,
        members: [...leave],
        merged: [],
      });
      return undefined;
    }
    case 'rename':
      if (decision.title.trim() === '') return 'the new title is empty';
      family.titleBefore ??= family.title;
      family.title = decision.title;
      return undefined;
    case 'mute': {
      const { until, by, reason } = decision;
      family.muted = { by, ...(until !== undefined && { until }), ...(reason !== undefined && { reason }) };
      return undefined;
    }
    case 'unmute':
      if (!family.muted) return `${family.id} is not muted`;
      delete family.muted;
      return undefined;
  }
}
