import type { IncidentStatus } from '../api/incident.ts';
import { withCondition } from '../platform/kube/conditions.ts';
import type { Condition } from '../platform/kube/objects.ts';

/** The conditions of an incident, so that `kubectl wait --for=condition=Healed` works. Pure. */
export function incidentConditions(status: IncidentStatus, now: number): Condition[] {
  const { diagnosis, locatedAt, healedAt, escalatedAt, waiting, stage = 'Detected' } = status;
  const holds = waiting ?? { reason: stage, message: 'nothing holds it' };
  const all: Omit<Condition, 'lastTransitionTime'>[] = [
    {
      type: 'Located',
      status: locatedAt ? 'True' : 'False',
      reason: diagnosis?.cause ?? 'Looking',
      message: diagnosis?.message ?? 'the witnesses have not been heard yet',
    },
    healedAt
      ? { type: 'Healed', status: 'True', reason: stage, message: 'the machine is well' }
      : { type: 'Healed', status: 'False', reason: holds.reason, message: holds.message },
    escalatedAt
      ? {
          type: 'Escalated',
          status: 'True',
          reason: healedAt ? stage : holds.reason,
          message: healedAt ? 'a person had been called; the machine is well' : holds.message,
        }
      : { type: 'Escalated', status: 'False', reason: 'NotNeeded', message: 'no person has been called' },
  ];
  return all.reduce(
    (conditions, next) => withCondition(conditions, next, now),
    status.conditions ?? ([] as Condition[]),
  );
}
