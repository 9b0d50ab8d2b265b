import type { Reason } from '../../api/fields.ts';
import type { NodeOperation } from '../../api/node-operation.ts';
import { policyFor } from '../../fleet/policies.ts';
import type { Tree } from '../tree.ts';
import type { Facts } from './facts.ts';
import { liftsOf } from './lifts.ts';
import { shortTimes, until } from './times.ts';

/** The record of what is waited for, and the operation that waits, where it is one. */
export interface Waiting {
  why: Reason;
  operation?: NodeOperation;
}

/** What holds things up now: a live operation's reason goes before the incident's, which copies it with a delay. */
export function waitingOf({ machine, operations, incident }: Facts, now: number): Waiting | undefined {
  const operation = operations.find(({ status }) => !status?.endedAt && status?.waiting);
  if (operation?.status?.waiting) return { why: operation.status.waiting, operation };
  if (incident?.status?.waiting && !incident.status.endedAt) return { why: incident.status.waiting };
  const { locked } = machine.spec.desired;
  if (!locked || (locked.until && Date.parse(locked.until) <= now)) return undefined;
  const message = `Machine ${machine.metadata.name} is locked by ${locked.by}: ${locked.why}`;
  return { why: { reason: 'Locked', message, ...(locked.until && { until: locked.until }) } };
}

export function waiting({ why, operation }: Waiting, facts: Facts, now: number): Tree {
  const policy = policyFor(facts.machine, facts.policies);
  const children: Tree[] = [];
  const numbers = Object.entries(why.evidence ?? {});
  if (numbers.length > 0)
    children.push({
      label: 'numbers',
      text: numbers.map(([key, value]) => `${key}=${shortIds(value)}`).join(' '),
    });
  if (why.until) children.push({ label: 'lasts', text: until(why.until, now) });
  for (const text of liftsOf(why, { machine: facts.machine, policy, operation }))
    children.push({ label: 'to lift', text });
  const ended = facts.incident?.status?.escalatedAt && !operation;
  const text = `${why.reason}: ${shortTimes(why.message, now)}`;
  return {
    label: ended ? 'person' : 'waits for',
    text,
    tone: ended ? 'bad' : 'wait',
    ...(children.length > 0 && { children }),
  };
}

/** The first part of a boot id tells it from another one. */
function shortIds(text: string): string {
  return text.replaceAll(/\b([0-9a-f]{8})(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '$1…');
}
