import { allowanceOf, type Reason, toMilliseconds } from '../api/fields.ts';
import type { HealingPolicy } from '../api/healing-policy.ts';
import type { Incident } from '../api/incident.ts';

/** Causes that are about a service on a healthy host, or a plan for it: no sign of a storm of crashes. */
const NOT_COUNTED: ReadonlySet<string> = new Set([
  'KubeletDown',
  'RuntimeDown',
  'DiskFull',
  'Planned',
  'MaintenanceDue',
  'RedeployDue',
  'HardwareFailing',
]);

export interface Storm {
  cluster: string;
  /** Machines of the cluster. */
  total: number;
  /** Machines that look dead right now, and since when: a storm is seen before its incidents are written. */
  lost: ReadonlyMap<string, number>;
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
  // Only what fell ill within the window counts: machines that have lain dead for hours are no storm, and
  // would otherwise hold each other's repairs for ever.
  const troubled = new Set<string>();
  for (const [machine, since] of storm.lost) if (now - since < window_ms) troubled.add(machine);
  for (const { spec, status } of storm.incidents) {
    const began = Date.parse(status?.firstSymptomAt ?? '');
    const { cause = '', domain } = status?.diagnosis ?? {};
    // A rack that is out is one trouble, known and not theirs; a zone or more is a storm by any name.
    const isRack = cause === 'DomainOutage' && domain?.startsWith('rack/');
    if (now - began < window_ms && !NOT_COUNTED.has(cause) && !isRack) troubled.add(spec.machine);
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
