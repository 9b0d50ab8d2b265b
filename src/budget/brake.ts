import { allowanceOf, type Reason, toMilliseconds } from '../api/fields.ts';
import type { HealingPolicy } from '../api/healing-policy.ts';
import type { Incident } from '../api/incident.ts';

/** Causes that are about a service on a healthy host, or about the host's surroundings: no sign of a storm of crashes. */
const NOT_COUNTED: ReadonlySet<string> = new Set(['KubeletDown', 'RuntimeDown', 'Planned']);

export interface Storm {
  cluster: string;
  /** Machines of the cluster. */
  total: number;
  /** Machines that look dead right now, incident or not: a storm is seen before its incidents are written. */
  lost: ReadonlySet<string>;
  /** Incidents of the cluster, open or ended. */
  incidents: readonly Incident[];
}

/**
 * Many machines in trouble together have one cause, and rebooting them one by one makes an outage larger:
 * while more than the limit are lost or fell ill within the window, repairs that reboot are held. Pure.
 */
export function brake(storm: Storm, policy: HealingPolicy, now: number): Reason | undefined {
  const { limit, atLeast, window } = policy.spec.brake;
  const window_ms = toMilliseconds(window);
  const troubled = new Set(storm.lost);
  for (const { spec, status } of storm.incidents) {
    const began = Date.parse(status?.firstSymptomAt ?? '');
    if (now - began < window_ms && !NOT_COUNTED.has(status?.diagnosis?.cause ?? '')) troubled.add(spec.machine);
  }
  const allowed = Math.max(atLeast, allowanceOf(limit, storm.total));
  if (troubled.size <= allowed) return undefined;
  return {
    reason: 'Braked',
    message:
      `${troubled.size} of ${storm.total} machines of cluster ${storm.cluster} are in trouble together, more than ${allowed}: ` +
      `reboots are held. It lifts by itself below that, or raise spec.brake of HealingPolicy ${policy.metadata.name}`,
    evidence: { troubled: String(troubled.size), allowed: String(allowed), window, limit },
  };
}
