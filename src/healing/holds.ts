import type { Cause } from '../api/diagnosis.ts';
import { type Reason, toMilliseconds } from '../api/fields.ts';
import type { HealingPolicy } from '../api/healing-policy.ts';
import type { IncidentStatus } from '../api/incident.ts';
import { isLost, READING_AGE_MS_MAX } from '../signals/belief.ts';
import type { Verdict } from './diagnose.ts';
import { stamp } from './plan.ts';
import type { View } from './view.ts';

/** A repair that succeeded is given this long to show; then it did not work after all. */
const SETTLE_MS = 60_000;
/** From the first answer of sshd until kubelet and runtime must be up. */
export const STARTUP_MS = 60_000;
/** Causes after which the machine comes up anew. */
export const DOWN: ReadonlySet<Cause> = new Set([
  'Crashed',
  'Dumping',
  'Hung',
  'PoweredOff',
  'NetworkLost',
  'DomainOutage',
  'Restarted',
]);
/** A cause that nobody can confirm on a machine that is not well either needs a person after this long: as one that a limit holds. */
const UNCONFIRMED_MS_MAX = 20 * 60_000;
/** Causes of which the machine's silence is the sign that stays, and in which no Pod of it can be serving. */
export const DEAD: ReadonlySet<Cause> = new Set(['Crashed', 'Dumping', 'Hung', 'PoweredOff']);

/** What must be let finish before any remedy: a dump being written, a boot under way, the last repair settling. */
export function holdOf(
  { belief, incident, operations, now }: View,
  policy: HealingPolicy,
  cause: Cause,
): Reason | undefined {
  const seen = belief.console;
  // Whatever the cause is called: a site's own ladder for it may well begin with a reboot.
  const dumps = seen?.value === 'Dumping' && belief.ssh?.value !== 'Answers';
  if (seen && (dumps || cause === 'Dumping')) {
    const until_ms = seen.since + toMilliseconds(policy.spec.dumpTimeout);
    const message = 'it is writing its crash dump: cutting its power now would destroy the evidence';
    if (now < until_ms) return { reason: 'DumpInProgress', message, until: stamp(until_ms) };
  }
  if (seen?.value === 'Booting' && belief.ssh?.value !== 'Answers') {
    const until_ms = seen.since + toMilliseconds(policy.spec.bootTimeout);
    if (now < until_ms)
      return { reason: 'BootInProgress', message: 'it is booting by itself', until: stamp(until_ms) };
  }
  const { ssh } = belief;
  // Its prompt came after the verdict: our probes have not met it yet, and a reboot now would be a wrong one.
  const toldAt = Date.parse(incident?.status?.diagnosis?.at ?? '');
  if (seen?.value === 'Running' && seen.since > toldAt && ssh?.value !== 'Answers' && DOWN.has(cause)) {
    const until_ms = seen.since + STARTUP_MS;
    const message = 'its console shows that it has come up; it is given time to answer';
    if (now < until_ms) return { reason: 'Starting', message, until: stamp(until_ms) };
  }
  if (
    ssh?.value === 'Answers' &&
    now - ssh.since < STARTUP_MS &&
    (cause === 'KubeletDown' || cause === 'RuntimeDown' || DOWN.has(cause))
  ) {
    const until_ms = ssh.since + STARTUP_MS;
    return {
      reason: 'Starting',
      message: 'it has just come up again; its services are given time to start',
      until: stamp(until_ms),
    };
  }
  const last = operations.at(-1);
  if (last?.status?.state === 'Succeeded') {
    const until_ms = Date.parse(last.status.endedAt ?? '') + SETTLE_MS;
    const message = `${last.spec.type} has succeeded; its effect is being watched`;
    if (now < until_ms) return { reason: 'Settling', message, until: stamp(until_ms) };
  }
  return undefined;
}

/**
 * Why no remedy may be asked for just now: what was told before, perhaps by another replica, is not what this
 * one sees. A cause of a dead machine is confirmed by its silence, once its power and console have been read
 * again: a dump that has ended, or a boot that has begun, is seen there only. Lasts a limited time, then a
 * person is called.
 */
export function unconfirmed(
  { belief, now }: View,
  cause: Cause,
  verdict: Verdict,
  old: IncidentStatus,
): (Reason & { until: string }) | undefined {
  const isRead = belief.power !== undefined && now - belief.power.readAt <= READING_AGE_MS_MAX;
  if (verdict.cause === cause || (DEAD.has(cause) && isLost(belief) && isRead)) return undefined;
  const known = old.waiting?.reason === 'NotConfirmed' ? old.waiting.until : undefined;
  return {
    reason: 'NotConfirmed',
    message: `${cause} was told before, and is not what is seen now: ${verdict.message}`.slice(0, 1000),
    until: known ?? stamp(now + UNCONFIRMED_MS_MAX),
  };
}
