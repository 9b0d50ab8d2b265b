import type { Cause } from '../api/diagnosis.ts';
import type { Reason } from '../api/fields.ts';
import { toMilliseconds } from '../api/fields.ts';
import type { HealingPolicy, Rung } from '../api/healing-policy.ts';
import type { Attempt } from '../api/incident.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import { TYPES } from '../api/operation-types.ts';
import { DAY } from '../platform/clock/clock.ts';
import type { Abilities } from '../platform/providers/provider.ts';

const rung = (remedy: Rung['remedy'], more: Partial<Rung> = {}): Rung => ({
  remedy,
  after: '0s',
  timeout: '10m',
  ...more,
});
const escalate = rung('Escalate');

/**
 * Drover's own ladders. A wait comes first wherever the machine may well help itself, and a reboot only
 * where a reboot can help: no cable was ever mended by one.
 */
export const LADDERS: Readonly<Record<Cause, readonly Rung[]>> = {
  // 20 s: kdump needs some seconds from the panic until the console shows it; then it is Dumping.
  Crashed: [rung('Reboot', { after: '20s' }), rung('PowerCycle'), escalate],
  // The dump itself is waited for by its own limit (policy.dumpTimeout) before this ladder is looked at.
  Dumping: [rung('PowerCycle'), escalate],
  // An NMI first: the dump is the only thing that will ever tell why it hung.
  Hung: [rung('Nmi', { after: '10s' }), rung('PowerCycle'), escalate],
  // One that stays off is proven down: its Pods may be freed by force, and run elsewhere while a person comes.
  PoweredOff: [rung('PowerOn', { after: '20s' }), rung('Evict'), escalate],
  KubeletDown: [
    rung('RestartService', { service: 'kubelet', timeout: '2m' }),
    rung('RestartService', { service: 'containerd', timeout: '2m' }),
    rung('Reboot'),
    escalate,
  ],
  RuntimeDown: [
    rung('RestartService', { service: 'containerd', timeout: '2m' }),
    rung('RestartService', { service: 'kubelet', timeout: '2m' }),
    rung('Reboot'),
    escalate,
  ],
  // A kubelet keeps its word of pressure for 5 minutes after it is over.
  DiskFull: [rung('CleanDisk', { timeout: '15m' }), escalate],
  NetworkLost: [rung('Wait', { timeout: '3m' }), escalate],
  DomainOutage: [rung('Wait', { timeout: '15m' }), escalate],
  ControlPlaneBlind: [rung('Wait', { timeout: '30m' }), escalate],
  Planned: [rung('Wait', { timeout: '30m' }), escalate],
  // Through the provider: a reboot from within leaves its event open.
  MaintenanceDue: [rung('Reboot'), escalate],
  RedeployDue: [rung('Redeploy', { timeout: '30m' }), escalate],
  // The machine serves, so nothing is taken from it: no reboot mends a part, and moving its Pods away on the word of one
  // sensor would empty a row that has lost one of its two power feeds. 2 minutes, since what is taken back (a feed that
  // flickers) is taken back soon, and what kills the machine does so soon and is healed under its own name. Then a person
  // decides. A site that trusts its BMCs puts Evict first: it passes the limits, and lasts until the sign is over.
  HardwareFailing: [rung('Wait', { timeout: '2m' }), escalate],
  Restarted: [rung('Wait', { timeout: '10m' }), escalate],
  Unknown: [rung('Wait', { timeout: '5m' }), escalate],
};

/** A verdict of low confidence waits this much longer before anything is done on it. */
export const LOW_CONFIDENCE_MS = 120_000;

/** Without what no consent was given for, and what the machine's provider has said that it cannot do. */
export function ladderFor(policy: HealingPolicy, cause: Cause, can?: Abilities): readonly Rung[] {
  const ladder = policy.spec.ladders[cause] ?? LADDERS[cause];
  const isOpen = ({ remedy }: Rung) =>
    (remedy !== 'Redeploy' || policy.spec.redeploy === 'Allowed') && !(can && cannot(can, remedy));
  return ladder.every(isOpen) ? ladder : ladder.filter(isOpen);
}

function cannot(can: Abilities, remedy: Rung['remedy']): boolean {
  if (remedy === 'Reboot') return can.Reboot !== true && can.ForceReboot !== true;
  return remedy in can && can[remedy as keyof Abilities] !== true;
}

/** `place` is that of the rung in its ladder; the ladder's length where it has ended. */
export type Next =
  | { do: 'wait'; place: number; why: Reason; until_ms: number }
  | { do: 'try'; place: number; rung: Rung }
  | { do: 'escalate'; place: number; why: Reason };

export interface LadderState {
  cause: Cause;
  ladder: readonly Rung[];
  /** Ended tries of this incident, oldest first. */
  attempts: readonly Attempt[];
  /** When the present cause was first told. */
  diagnosedAt_ms: number;
  lowConfidence: boolean;
  now: number;
}

/** Which rung is next, counted from the diagnosis or from the end of the last try. Pure. */
export function nextRung(state: LadderState): Next {
  const { cause, ladder, now } = state;
  // One that was called off, or found nothing left to do, has not been tried.
  const attempts = state.attempts.filter((attempt) => attempt.outcome !== 'NotNeeded');
  const done = rungsTried(ladder, attempts);
  const lastDone = Math.max(-1, ...done);
  let ended = ladder.length;
  const lastEnd = Math.max(...state.attempts.map((attempt) => Date.parse(attempt.endedAt ?? attempt.at)), 0);
  let from_ms = Math.max(state.diagnosedAt_ms, lastEnd) + (state.lowConfidence ? LOW_CONFIDENCE_MS : 0);
  for (const [place, rung] of ladder.entries()) {
    if (done.has(place)) continue;
    // A wait that led to a try has had its time.
    if (rung.remedy === 'Wait' && place < lastDone) continue;
    from_ms += toMilliseconds(rung.after);
    if (rung.remedy === 'Wait') from_ms += toMilliseconds(rung.timeout);
    if (now < from_ms) return { do: 'wait', place, until_ms: from_ms, why: waitReason(cause, rung, from_ms) };
    if (rung.remedy === 'Wait') continue;
    if (rung.remedy === 'Escalate') {
      ended = place;
      break;
    }
    return { do: 'try', place, rung };
  }
  const tries = attempts.map((attempt) => attempt.remedy).join(', ');
  return {
    do: 'escalate',
    place: ended,
    why: {
      reason: 'LadderEnded',
      message: tries
        ? `${cause}: tried ${tries}, and it is not well; a person has to look`
        : cause === 'RedeployDue'
          ? `${cause}: no HealingPolicy allows Redeploy (spec.redeploy), which loses the local disks; a person has to decide`
          : `${cause}: there is nothing that Drover could do about it; a person has to look`,
      evidence: { attempts: String(attempts.length) },
    },
  };
}

/** Places of the rungs that the attempts stand for: each attempt for the first that is left. */
function rungsTried(ladder: readonly Rung[], attempts: readonly Attempt[]): Set<number> {
  const left = [...attempts];
  const places = new Set<number>();
  for (const [place, rung] of ladder.entries()) {
    const tried = left.findIndex(({ remedy, service }) => remedy === rung.remedy && service === rung.service);
    if (tried < 0) continue;
    left.splice(tried, 1);
    places.add(place);
  }
  return places;
}

function waitReason(cause: Cause, rung: Rung, until_ms: number): Reason {
  const until = new Date(until_ms).toISOString();
  return rung.remedy === 'Wait'
    ? {
        reason: 'MayHealItself',
        message:
          cause === 'Unknown'
            ? `the cause is not clear yet; if it stays so, a person is called at ${until}`
            : `${cause}: no act of ours helps; it has until ${until} before a person is called`,
        until,
      }
    : {
        reason: 'BeforeRemedy',
        message: `${cause}: ${rung.remedy} comes next, unless it heals by itself before ${until}`,
        until,
      };
}

/** Boots that Drover has caused, or may have caused, among these operations within the last day. */
export function rebootsToday(operations: readonly NodeOperation[], now: number): number {
  return operations.filter(
    ({ spec, status }) =>
      status?.intent &&
      status.intent.answer !== 'Refused' &&
      TYPES[spec.type].boots &&
      now - Date.parse(status.intent.at) < DAY,
  ).length;
}
