import { isDeepStrictEqual } from 'node:util';
import type { Reason } from '../api/fields.ts';
import type { Rung } from '../api/healing-policy.ts';
import type { IncidentStatus, Stage } from '../api/incident.ts';

/** How soon a machine in trouble is looked at again when nothing else calls for it. */
export const LOOK_AGAIN_MS = 2_000;

/** What is to be done about one machine. Everything is a value: the controller only carries it out. */
export interface Plan {
  /** Open an incident with this first status. */
  open?: IncidentStatus;
  /** Write this status to the open incident. */
  status?: IncidentStatus;
  ask?: Rung;
  /** Operations that are no longer wanted. */
  cancel?: string[];
  /** What to say of it, once: the stage or the reason has changed. */
  say?: Reason & { kind: 'Act' | 'Refusal' | 'Note' };
  again_ms?: number;
}

/** Nothing is done for a reason, which is said once. */
export function waitFor(
  old: IncidentStatus,
  status: IncidentStatus,
  why: Reason,
  again_ms = LOOK_AGAIN_MS,
): Plan {
  return {
    again_ms,
    status: { ...status, stage: stageOf(status), waiting: why },
    ...(old.waiting?.reason !== why.reason && { say: { ...why, kind: 'Refusal' } }),
  };
}

/** A person is called. */
export function escalate(status: IncidentStatus, why: Reason, now: number): Plan {
  return {
    again_ms: LOOK_AGAIN_MS,
    status: { ...status, stage: 'Escalated', escalatedAt: stamp(now), waiting: why },
    say: { ...why, kind: 'Refusal' },
  };
}

export function stageOf(status: IncidentStatus): Stage {
  if (status.attempts?.length) return 'Healing';
  return status.locatedAt ? 'Located' : 'Detected';
}

export function withoutWaiting(status: IncidentStatus): IncidentStatus {
  const { waiting: _, ...rest } = status;
  return rest;
}

/** Leaves a status out that says nothing new, so that an incident at rest is not written each 2 s. */
export function changedOnly(old: IncidentStatus, next: IncidentStatus): Pick<Plan, 'status'> {
  // Through JSON, since what came from the API has no undefined fields and its keys in another order.
  return isDeepStrictEqual(old, JSON.parse(JSON.stringify(next))) ? {} : { status: next };
}

export function stamp(epoch_ms: number): string {
  return new Date(epoch_ms).toISOString();
}
