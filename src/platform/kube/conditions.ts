import type { Condition } from './objects.ts';

/** Replaces the condition of its type; the transition time stays where the status did not change. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  next: Omit<Condition, 'lastTransitionTime'>,
  now: number,
): Condition[] {
  const before = conditions?.find((condition) => condition.type === next.type);
  const lastTransitionTime =
    before?.status === next.status ? before.lastTransitionTime : new Date(now).toISOString();
  return [
    ...(conditions ?? []).filter((condition) => condition.type !== next.type),
    { ...next, lastTransitionTime },
  ];
}

/** Whether the condition stands as `next` says, so that it need not be written. */
export function standsSo(
  conditions: readonly Condition[] | undefined,
  next: Omit<Condition, 'lastTransitionTime'>,
): boolean {
  const before = conditions?.find((condition) => condition.type === next.type);
  return before?.status === next.status && before.reason === next.reason && before.message === next.message;
}
