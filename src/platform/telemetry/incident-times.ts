import type { Cause } from '../../api/diagnosis.ts';
import type { Incident } from '../../api/incident.ts';
import { DAY } from '../clock/clock.ts';

/** Causes that mean that a kernel or its hardware died. */
export const CRASHES: ReadonlySet<Cause> = new Set(['Crashed', 'Dumping', 'Hung', 'Restarted']);

export type Milestone = 'detected' | 'located' | 'healed' | 'crash';

export interface Reached {
  milestone: Milestone;
  /** When it could first be told, epoch milliseconds: who runs then counts it. */
  at: number;
  /** From the first symptom. */
  seconds: number;
  cause: Cause;
  outcome: string;
}

/**
 * Milestones of the 1-5-10 that an incident has passed. Its detection is told together with its cause,
 * which is known only later. Escalation ends the race: the machine's later recovery is not Drover's time.
 */
export function milestonesOf({ status = {}, metadata }: Incident): Reached[] {
  const { detectedAt, locatedAt, escalatedAt, diagnosis } = status;
  const began = Date.parse(status.firstSymptomAt ?? detectedAt ?? metadata.creationTimestamp ?? '');
  const cause = diagnosis?.cause ?? 'Unknown';
  const endedAt = escalatedAt ?? status.healedAt ?? status.endedAt;
  const outcome = escalatedAt ? 'Escalated' : (status.stage ?? 'Recovered');
  const found: Reached[] = [];
  const reach = (milestone: Milestone, stamp: string | undefined, toldAt: string | undefined) => {
    if (!stamp || !toldAt || Number.isNaN(began)) return;
    const seconds = Math.max(0, Date.parse(stamp) - began) / 1000;
    found.push({ milestone, at: Date.parse(toldAt), seconds, cause, outcome });
  };
  reach('detected', detectedAt, locatedAt ?? endedAt);
  reach('located', locatedAt, locatedAt);
  reach('healed', endedAt, endedAt);
  if (CRASHES.has(cause)) reach('crash', diagnosis?.at, diagnosis?.at);
  return found;
}

/** Crashes within the last 24 hours, for each 1000 machines: 0.2 is usual for bare metal. */
export function crashRate(
  incidents: Iterable<Incident>,
  cluster: string,
  machines: number,
  now: number,
): number {
  let crashes = 0;
  for (const { spec, status } of incidents) {
    if (spec.cluster !== cluster || !CRASHES.has(status?.diagnosis?.cause ?? 'Unknown')) continue;
    if (now - Date.parse(status?.firstSymptomAt ?? status?.detectedAt ?? '') < DAY) crashes++;
  }
  return (crashes / machines) * 1000;
}
