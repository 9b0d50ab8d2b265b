import type { Cause } from '../api/diagnosis.ts';
import type { Reason } from '../api/fields.ts';
import type { IncidentStatus, Stage } from '../api/incident.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import { escalate, LOOK_AGAIN_MS, type Plan, stamp, withoutWaiting } from './plan.ts';
import { isWell, runningActs, type View } from './view.ts';

/** A remedy that a limit has held for this long needs a person, who may lift the limit. */
const HELD_MS_MAX = 20 * 60_000;

/** An operation of ours is under way or waits to be let through. */
export function follow(
  view: View,
  status: IncidentStatus,
  operation: NodeOperation,
  cause: Cause,
  changed: boolean,
): Plan {
  const waiting = operation.status?.waiting;
  const admitted = operation.status?.admittedAt !== undefined;
  const verifying = operation.status?.steps?.at(-1)?.name === 'verify';
  if (verifying) status.verifyingAt ??= stamp(view.now);
  const stage: Stage = verifying ? 'Verifying' : 'Healing';
  const plan: Plan = {
    again_ms: LOOK_AGAIN_MS,
    status: { ...withoutWaiting(status), stage, ...(waiting && { waiting }) },
  };
  const off = callOff(view, operation, cause, changed);
  if (off) return { ...plan, ...off };
  const asked_ms = Date.parse(operation.metadata.creationTimestamp ?? '');
  if (!admitted && waiting && !isWell(view) && view.now - asked_ms >= HELD_MS_MAX) {
    const message = `${operation.spec.type} has been held for ${Math.round((view.now - asked_ms) / 60_000)} min (${waiting.reason}): ${waiting.message}`;
    const why: Reason = { reason: 'HeldTooLong', message: message.slice(0, 1000) };
    // The operation stays: it goes on by itself when what holds it is lifted.
    return escalate(status, why, view.now);
  }
  return plan;
}

/** An operation that still waits was asked for another cause, or for a machine that is well again. */
export function callOff(
  view: View,
  operation: NodeOperation,
  cause: Cause,
  changed: boolean,
): Pick<Plan, 'cancel' | 'say'> | undefined {
  const observes = view.policy?.spec.mode === 'Observe';
  const unwanted = !runningActs(operation) && (changed || isWell(view) || observes);
  if (!unwanted || operation.spec.cancelled) return undefined;
  return {
    cancel: [operation.metadata.name],
    say: {
      kind: 'Note',
      reason: 'NoLongerNeeded',
      message: `${operation.spec.type} is called off before it began: ${whyOff(view, cause, observes)}`,
    },
  };
}

function whyOff(view: View, cause: Cause, observes: boolean): string {
  if (isWell(view)) return 'the machine is well again';
  return observes ? 'the policy only observes now' : `the cause is now ${cause}`;
}
