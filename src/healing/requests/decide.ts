import type { Reason } from '../../api/fields.ts';
import type { HealingPolicy } from '../../api/healing-policy.ts';
import type { Incident } from '../../api/incident.ts';
import type { NodeOperation } from '../../api/node-operation.ts';
import type { Remediation } from '../../api/remediation.ts';
import type { Belief } from '../../signals/belief.ts';

/** A NodeHealthCheck sets this where it waits for us no more. https://github.com/medik8s/node-healthcheck-operator */
export const TIMED_OUT = 'remediation.medik8s.io/nhc-timed-out';
/** Our witnesses are given this long to see what the health check has seen. */
export const LOOK_MS = 60_000;
const AGAIN_MS = 5_000;
/** A Machine may yet be made for a node that we do not know. */
const UNKNOWN_AGAIN_MS = 30_000;

/** All that is known when a request is looked at. */
export interface Asked {
  request: Remediation;
  /** Why it is not known which Machine is meant. */
  unknown?: Reason;
  belief?: Belief | undefined;
  policy?: HealingPolicy | undefined;
  /** The Machine's open Incident. */
  open?: Incident | undefined;
  /** The one that was followed before, where it has ended and is still there. */
  followed?: Incident | undefined;
  /** What was asked for on behalf of this request. */
  operation?: NodeOperation | undefined;
  /** Boots that Drover has caused on the machine in the last 24 hours. */
  rebootsToday: number;
  now: number;
}

/** What becomes of it, in the words of its conditions. */
export interface Verdict extends Reason {
  processing: boolean;
  succeeded: 'True' | 'False' | 'Unknown';
  do?: 'Ask' | 'Cancel';
  again_ms?: number;
}

/**
 * What to do about a request. It is a hint, never an order: what Drover sees by itself goes before, and a reboot that
 * nobody of ours sees a need for is asked for once at most, and only where the template says so. Undefined: what was
 * said stands. Pure.
 */
export function decide(asked: Asked): Verdict | undefined {
  const { request, unknown, open, operation } = asked;
  if (unknown) return { ...over('False', unknown), again_ms: UNKNOWN_AGAIN_MS };
  const isLive = operation !== undefined && !operation.status?.endedAt;
  if (isLive && operation.status?.admittedAt) return underWay(operation, isTimedOut(request));
  if (open) return { ...following(open), ...(isLive && off(operation)) };
  if (isLive) return underWay(operation, isTimedOut(request));
  if (operation) return ended(operation);
  if (asked.followed) return healed(asked.followed);
  // Its operation or incident is no longer kept: how that ended has been said.
  if (request.status?.operation || request.status?.incident) return undefined;
  return isTimedOut(request) ? timedOut() : unseen(asked);
}

/** The request is gone, or nobody waits for it: what has not touched the machine yet is called off. */
export function mayCancel({ spec, status }: NodeOperation): boolean {
  return !status?.endedAt && !status?.intent && !spec.cancelled;
}

function isTimedOut({ metadata }: Remediation): boolean {
  return metadata.annotations?.[TIMED_OUT] !== undefined;
}

function timedOut(): Verdict {
  return over('False', {
    reason: 'TimedOut',
    message: `the health check waits no more (${TIMED_OUT}): nothing new is begun for it`,
  });
}

function underWay(operation: NodeOperation, isLate: boolean): Verdict {
  const { metadata, spec, status } = operation;
  if (isLate && !status?.intent) return { ...timedOut(), ...off(operation) };
  const state = status?.waiting?.message ?? 'it is under way';
  return going({
    reason: status?.admittedAt ? 'Rebooting' : (status?.waiting?.reason ?? 'Asked'),
    message: `${spec.type} by NodeOperation ${metadata.name}: ${state}`,
  });
}

const off = (operation: NodeOperation) => (mayCancel(operation) ? ({ do: 'Cancel' } as const) : {});

function following({ metadata, status = {} }: Incident): Verdict {
  const { stage, diagnosis, waiting } = status;
  const cause = diagnosis ? `${diagnosis.cause}: ${diagnosis.message}` : 'the cause is being looked for';
  const message = `Drover sees it too (Incident ${metadata.name}, ${cause})`;
  if (waiting && HANDS_OFF.has(waiting.reason))
    return over('False', { reason: waiting.reason, message: `${message}; ${waiting.message}` });
  // A remedy that a limit holds goes on by itself when that is lifted: no reason for another to go past the limit.
  if (stage === 'Escalated' && waiting?.reason !== 'HeldTooLong')
    return over('False', {
      reason: 'Escalated',
      message: `${message}; a person has been called: ${waiting?.message ?? ''}`,
    });
  return going({
    reason: 'IncidentOpen',
    message: `${message}; ${waiting?.message ?? `it is ${stage ?? 'Detected'}`}`,
  });
}

/** Waits in which Drover does nothing until a person changes a policy. */
const HANDS_OFF: ReadonlySet<string> = new Set(['ObserveOnly', 'NoPolicy']);

function ended({ metadata, spec, status }: NodeOperation): Verdict {
  const what = `NodeOperation ${metadata.name}`;
  if (status?.state === 'Succeeded')
    return over('True', { reason: 'Rebooted', message: `${spec.type} has succeeded (${what})` });
  const why = status?.waiting?.message ?? '';
  if (status?.state === 'Cancelled')
    return over('False', { reason: 'Cancelled', message: `${spec.type} was called off (${what}): ${why}` });
  return over('False', { reason: 'RebootFailed', message: `${spec.type} has failed (${what}): ${why}` });
}

function healed({ metadata, status }: Incident): Verdict {
  const reason = status?.stage === 'Healed' ? 'Healed' : 'Recovered';
  const how = reason === 'Healed' ? 'healed by Drover' : 'well again by itself or another’s hand';
  return over('True', { reason, message: `the machine is ${how} (Incident ${metadata.name})` });
}

/** There is no Incident. */
function unseen({ request, belief, policy, rebootsToday, now }: Asked): Verdict {
  const age_ms = now - Date.parse(request.metadata.creationTimestamp ?? '');
  if (age_ms >= LOOK_MS && policy?.spec.mode !== 'Heal') {
    const who = policy
      ? `HealingPolicy ${policy.metadata.name} only observes`
      : 'no HealingPolicy selects it';
    return again(over('False', { reason: 'ObserveOnly', message: `${who}: it is not rebooted` }));
  }
  if (belief?.wellSince === undefined || age_ms < LOOK_MS || !policy)
    return going({ reason: 'Looking', message: 'Drover’s own witnesses are being heard' });
  const seen = 'none of Drover’s witnesses (Node, probes, lease, provider) sees anything wrong';
  if (request.spec.strategy === 'Observe')
    return again(over('False', { reason: 'NothingFound', message: `${seen}: nothing is done` }));
  // A health check that is never content would have it rebooted for ever, each time by a new request.
  if (rebootsToday >= policy.spec.maxRebootsPerDay) {
    const message = `${seen}, and it was rebooted ${rebootsToday} times within a day already: it is not rebooted again`;
    return again(over('False', { reason: 'RepeatOffender', message }));
  }
  return {
    ...going({ reason: 'Asked', message: `${seen}; the template says Reboot, which is asked for` }),
    do: 'Ask',
  };
}

const again = (verdict: Verdict): Verdict => ({ ...verdict, again_ms: AGAIN_MS });

function over(succeeded: 'True' | 'False', why: Reason): Verdict {
  return { ...why, processing: false, succeeded };
}

function going(why: Reason): Verdict {
  return { ...why, processing: true, succeeded: 'Unknown', again_ms: AGAIN_MS };
}
