import { MESSAGE_LENGTH_MAX, type Reason, toMilliseconds } from '../api/fields.ts';
import type { NodeOperation, NodeOperationStatus, OperationStep } from '../api/node-operation.ts';
import { type StepName, TYPES } from '../api/operation-types.ts';
import { withCondition } from '../platform/kube/conditions.ts';
import type { StepResult } from './steps/step.ts';

// How an operation's status moves. Pure: a status in, a status out.

/** The step that is next or under way, or undefined when all are done. */
export function currentStep({ spec, status }: NodeOperation): StepName | undefined {
  const ended = new Set(status?.steps?.filter((step) => step.endedAt).map((step) => step.name));
  return TYPES[spec.type].steps.find((name) => !ended.has(name));
}

export function admitted(status: NodeOperationStatus, takesPods: boolean, now: number): NodeOperationStatus {
  const { waiting: _, ...rest } = status;
  const at = stamp(now);
  const condition = {
    type: 'Admitted',
    reason: 'WithinBudget',
    message: 'every budget that selects the machine lets it pass',
  };
  return {
    ...rest,
    state: 'Running',
    admittedAt: at,
    costsBudget: takesPods,
    conditions: withCondition(status.conditions, { ...condition, status: 'True' }, now),
  };
}

export function refused(status: NodeOperationStatus, said: Reason, now: number): NodeOperationStatus {
  const why = bounded(said);
  const condition = { type: 'Admitted', status: 'False' as const, reason: why.reason, message: why.message };
  return {
    ...status,
    state: 'Waiting',
    waiting: why,
    conditions: withCondition(status.conditions, condition, now),
  };
}

/** Marks the step as begun, if it was not. */
export function begun(status: NodeOperationStatus, name: StepName, now: number): NodeOperationStatus {
  if (status.steps?.some((step) => step.name === name)) return status;
  const step: OperationStep = { name, startedAt: stamp(now), outcome: 'Running', message: '' };
  return { ...status, steps: [...(status.steps ?? []), step] };
}

/** What a look at the step `name` makes of the status. */
export function advanced(
  status: NodeOperationStatus,
  name: StepName,
  result: StepResult,
  now: number,
): NodeOperationStatus {
  const { waiting: _, ...rest } = { ...status, ...('status' in result ? result.status : undefined) };
  if (result.is === 'waiting') return { ...rest, waiting: bounded(result.why) };
  const outcome = result.is === 'done' ? 'Done' : result.is === 'failed' ? 'Failed' : 'Skipped';
  const message = ('message' in result ? result.message : result.why.message).slice(0, 512);
  const steps = (rest.steps ?? []).map((step) =>
    step.name === name ? { ...step, endedAt: stamp(now), outcome, message } : step,
  );
  const next = { ...rest, steps: steps as OperationStep[] };
  if (result.is === 'failed') return ended(next, 'Failed', result.why, now);
  if (result.is === 'needless') return ended(next, 'Cancelled', result.why, now);
  return next;
}

export function ended(
  status: NodeOperationStatus,
  state: 'Succeeded' | 'Failed' | 'Cancelled',
  said: Reason,
  now: number,
): NodeOperationStatus {
  const why = bounded(said);
  const at = stamp(now);
  const condition = {
    type: state,
    status: 'True' as const,
    reason: why.reason,
    message: why.message,
  };
  return {
    ...status,
    state,
    endedAt: at,
    waiting: why,
    conditions: withCondition(status.conditions, condition, now),
  };
}

/** Past its deadline, counted from its admission. */
export function isOverdue({ spec, status }: NodeOperation, now: number): boolean {
  return (
    status?.admittedAt !== undefined && now - Date.parse(status.admittedAt) > toMilliseconds(spec.deadline)
  );
}

/** A provider may answer with a page of HTML: a status that the schema refuses could never be written again. */
function bounded(why: Reason): Reason {
  return { ...why, message: why.message.slice(0, MESSAGE_LENGTH_MAX) };
}

function stamp(epoch_ms: number): string {
  return new Date(epoch_ms).toISOString();
}
