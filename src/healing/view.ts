import { toMilliseconds } from '../api/fields.ts';
import type { HealingPolicy } from '../api/healing-policy.ts';
import type { Attempt, Incident } from '../api/incident.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import { isHeld } from '../fleet/cordons.ts';
import type { Belief } from '../signals/belief.ts';
import type { Surroundings } from './diagnose.ts';

/** All that is known when a machine is looked at. */
export interface View {
  belief: Belief;
  policy: HealingPolicy | undefined;
  /** The machine's open incident, if there is one. */
  incident: Incident | undefined;
  /** Operations that this incident asked for, oldest first. */
  operations: readonly NodeOperation[];
  around: Surroundings;
  /** Boots that Drover has caused on this machine in the last 24 hours. */
  rebootsToday: number;
  now: number;
}

export function isWell({ belief, policy, now }: View): boolean {
  const verify_ms = toMilliseconds(policy?.spec.verifyFor ?? '15s');
  // What of ours keeps Pods away is taken away first: healed means that the node takes Pods again.
  return (
    belief.wellSince !== undefined &&
    now - belief.wellSince >= verify_ms &&
    belief.nodeFace !== undefined &&
    !isHeld(belief.nodeFace)
  );
}

export function isEnded(operation: NodeOperation): boolean {
  return operation.status?.endedAt !== undefined;
}

/** The operation has begun to act, so what we see is its doing. */
export function runningActs(operation: NodeOperation | undefined): boolean {
  return operation?.status?.admittedAt !== undefined;
}

/** The operations as an incident shows them. */
export function attemptsOf(operations: readonly NodeOperation[]): Attempt[] {
  return operations.map(({ metadata, spec, status }) => ({
    remedy: spec.type,
    ...(spec.service && { service: spec.service }),
    operation: metadata.name,
    at: metadata.creationTimestamp ?? '1970-01-01T00:00:00Z',
    ...(status?.endedAt && { endedAt: status.endedAt }),
    outcome: outcomeOf(status?.state),
    message: status?.waiting?.message?.slice(0, 512) ?? '',
  }));
}

function outcomeOf(state: NonNullable<NodeOperation['status']>['state']): Attempt['outcome'] {
  if (state === 'Succeeded') return 'Worked';
  if (state === 'Failed') return 'Failed';
  return state === 'Cancelled' ? 'NotNeeded' : 'Running';
}
