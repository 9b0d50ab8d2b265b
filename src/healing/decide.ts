import type { Cause, Remedy } from '../api/diagnosis.ts';
import { type Reason, toMilliseconds } from '../api/fields.ts';
import type { HealingPolicy } from '../api/healing-policy.ts';
import type { Incident, IncidentStatus, Stage, Symptom } from '../api/incident.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import type { Belief } from '../signals/belief.ts';
import { symptomsOf } from '../signals/symptoms.ts';
import { diagnose, type Surroundings, type Verdict } from './diagnose.ts';
import { callOff, follow } from './follow.ts';
import { DOWN, holdOf, STARTUP_MS, unconfirmed } from './holds.ts';
import { ladderFor, nextRung } from './ladder.ts';
import {
  changedOnly,
  escalate,
  LOOK_AGAIN_MS,
  type Plan,
  stageOf,
  stamp,
  waitFor,
  withoutWaiting,
} from './plan.ts';
import { attemptsOf, isEnded, isWell, runningActs, type View } from './view.ts';

/** Operations of one incident, those called off too: a machine that comes and goes must not be followed for ever. */
const TRIES_MAX = 16;
/** Remedies that end a boot, and so count against `maxRebootsPerDay`. */
const BOOTS: ReadonlySet<Remedy> = new Set(['Reboot', 'PowerCycle', 'Nmi', 'Redeploy']);

const NO_POLICY: Reason = {
  reason: 'NoPolicy',
  message: 'no HealingPolicy selects this machine any more; nothing is done',
};
/** Causes of which a person is told while there is nothing to do: what the machine comes to after is healed all the same. */
const CALLED_EARLY: ReadonlySet<string> = new Set(['Unknown', 'HardwareFailing']);
/** Before the first diagnosis. */
const UNTOLD = { cause: 'Unknown', confidence: undefined, at: undefined, message: '' } as const;

/** What is to be done about one machine, out of all that is known of it. Pure. */
export function decide(view: View): Plan {
  return view.incident ? proceed(view, view.incident) : detect(view);
}

function detect({ belief, policy, around, now }: View): Plan {
  const symptoms = symptomsOf(belief, now);
  if (symptoms.length === 0 || !policy || around.planned || around.blind) return {};
  const since = Math.min(...symptoms.map((symptom) => Date.parse(symptom.since)));
  const wait_ms = since + toMilliseconds(policy.spec.confirmFor) - now;
  if (wait_ms > 0) return { again_ms: wait_ms };
  const at = stamp(now);
  return {
    open: {
      stage: 'Detected',
      symptoms,
      firstSymptomAt: stamp(since),
      detectedAt: at,
      bootIDBefore: bootBefore(belief, since),
    },
    say: {
      kind: 'Note',
      reason: 'Detected',
      message: symptoms
        .map((symptom) => symptom.message)
        .join('; ')
        .slice(0, 1000),
    },
    again_ms: 0,
  };
}

/** The boot in which the trouble began: a machine that is seen only after its reboot has a new one already. */
function bootBefore({ rebootedAt, boot }: Belief, since: number): string {
  return rebootedAt === undefined || rebootedAt < since ? boot.value : '';
}

/** An open incident: closed where the machine is well, else located anew, and taken one step on. */
function proceed(view: View, incident: Incident): Plan {
  const { policy, now } = view;
  const old = incident.status ?? {};
  const running = view.operations.find((operation) => !isEnded(operation));
  const seen: IncidentStatus = {
    ...old,
    attempts: attemptsOf(view.operations).slice(-TRIES_MAX),
    symptoms: merge(old.symptoms, symptomsOf(view.belief, now)),
  };
  if (!running && isWell(view)) return close(incident, seen, now);

  const { status, verdict, cause, moved } = locate(view, old, seen, running);
  // The person was called because nobody knew, or to a machine that still served.
  const before = old.diagnosis?.cause ?? '';
  const known = CALLED_EARLY.has(before) && cause !== before && cause !== 'Unknown';
  const { status: next = status, ...plan } = step();
  return { ...plan, ...changedOnly(old, next) };

  function step(): Plan {
    if (old.escalatedAt && known && policy) return resume(status, cause);
    if (old.escalatedAt) {
      // An operation that was held too long still waits; it must not begin on a machine that needs it no more.
      const off = running && callOff(view, running, cause, moved);
      return { again_ms: LOOK_AGAIN_MS, ...off, status: { ...status, stage: 'Escalated' } };
    }
    if (!policy) return waitFor(old, status, NO_POLICY);
    if (running) return follow(view, status, running, cause, moved);
    const hold = holdOf(view, policy, cause);
    if (hold) return waitFor(old, status, hold);
    return remedy(view, policy, old, status, verdict);
  }
}

/** What could be done is known now, so it is done while the person is on the way. */
function resume(status: IncidentStatus, cause: Cause): Plan {
  const { escalatedAt: _, ...rest } = withoutWaiting(status);
  const message = `the cause is known now: ${cause}; Drover goes on with its ladder`;
  return {
    status: { ...rest, stage: stageOf(rest) },
    say: { kind: 'Note', reason: 'Resumed', message },
    again_ms: LOOK_AGAIN_MS,
  };
}

interface Located {
  status: IncidentStatus;
  verdict: Verdict;
  /** What the incident goes by: the verdict, or what was known before where that says less. */
  cause: Cause;
  /** It has changed. A verdict that changes nothing calls nothing off either. */
  moved: boolean;
}

function locate(
  { belief, around, now }: View,
  old: IncidentStatus,
  seen: IncidentStatus,
  running: NodeOperation | undefined,
): Located {
  // While our own act is under way the signs are of our making: the diagnosis that led to it stands.
  const acts = runningActs(running);
  const verdict = diagnose(belief, acts ? withoutPlanned(around) : around, now);
  const { diagnosis: known } = old;
  const changed = verdict.cause !== known?.cause || verdict.domain !== known?.domain;
  const cameUp =
    belief.ssh?.value === 'Answers' &&
    now - belief.ssh.since < STARTUP_MS &&
    DOWN.has(known?.cause ?? 'Unknown');
  const news = supersedes(verdict.cause, known?.cause);
  const status = { ...seen };
  if (!acts && news && !cameUp && (changed || verdict.confidence !== known?.confidence))
    status.diagnosis = { ...verdict, at: changed ? stamp(now) : (known?.at ?? stamp(now)) };
  const cause = status.diagnosis?.cause ?? 'Unknown';
  if (cause !== 'Unknown') status.locatedAt ??= stamp(now);
  const moved = cause !== known?.cause || status.diagnosis?.domain !== known?.domain;
  return { status, verdict, cause, moved };
}

/** The next rung of the ladder: waited for, asked for, or beyond what Drover may do. */
function remedy(
  view: View,
  policy: HealingPolicy,
  old: IncidentStatus,
  status: IncidentStatus,
  verdict: Verdict,
): Plan {
  const { now } = view;
  const { cause, confidence, at, message: because } = status.diagnosis ?? UNTOLD;
  const next = nextRung({
    cause,
    ladder: ladderFor(policy, cause, view.belief.can),
    attempts: status.attempts ?? [],
    diagnosedAt_ms: Date.parse(at ?? stamp(now)),
    lowConfidence: confidence === 'Low',
    now,
  });
  if (next.do === 'wait') return waitFor(old, status, next.why, Math.min(LOOK_AGAIN_MS, next.until_ms - now));
  if (next.do === 'escalate') return escalate(status, next.why, now);
  const doubt = unconfirmed(view, cause, verdict, old);
  if (doubt)
    return Date.parse(doubt.until) <= now ? escalate(status, doubt, now) : waitFor(old, status, doubt);
  const enough = tooMuch(view, policy, cause, next.rung.remedy);
  if (enough) return escalate(status, enough, now);
  if (policy.spec.mode === 'Observe') {
    const message = `${cause}: policy ${policy.metadata.name} only observes; with mode Heal the next remedy would be ${next.rung.remedy}`;
    return waitFor(old, status, { reason: 'ObserveOnly', message });
  }
  const what = [next.rung.remedy, next.rung.service].filter(Boolean).join(' ');
  const message = `${cause}: ${what}, since ${because}`.slice(0, 1000);
  return {
    ask: next.rung,
    status: { ...withoutWaiting(status), healingAt: status.healingAt ?? stamp(now), stage: 'Healing' },
    say: { kind: 'Act', reason: 'RemedyAsked', message },
    again_ms: LOOK_AGAIN_MS,
  };
}

/** Why one more try would only hide the fault. */
function tooMuch(
  { operations, rebootsToday }: View,
  { spec }: HealingPolicy,
  cause: Cause,
  remedy: Remedy,
): Reason | undefined {
  if (operations.length >= TRIES_MAX) {
    const message = `${cause}: ${operations.length} operations have come to nothing; a person has to look`;
    return { reason: 'TooManyTries', message };
  }
  if (!BOOTS.has(remedy) || rebootsToday < spec.maxRebootsPerDay) return undefined;
  const evidence = { rebootsToday: String(rebootsToday), limit: String(spec.maxRebootsPerDay) };
  const message = `${cause}: rebooted ${rebootsToday} times within a day already; another reboot would hide the fault`;
  return { reason: 'RepeatOffender', message, evidence };
}

/**
 * Not knowing does not undo what was known, and neither does the machine's coming back: an incident ends
 * under the name of what took the machine down.
 */
function supersedes(next: Cause, known: Cause | undefined): boolean {
  if (known === undefined || known === 'Unknown' || known === 'Planned' || known === 'ControlPlaneBlind')
    return true;
  return next !== 'Unknown' && next !== 'Restarted';
}

function close(incident: Incident, status: IncidentStatus, now: number): Plan {
  const worked = (status.attempts ?? []).some((attempt) => attempt.outcome === 'Worked');
  const stage: Stage = worked && !status.escalatedAt ? 'Healed' : 'Recovered';
  const at = stamp(now);
  const seconds = Math.round(
    (now - Date.parse(status.firstSymptomAt ?? incident.metadata.creationTimestamp ?? at)) / 1000,
  );
  const alone = status.escalatedAt
    ? 'well again, after a person had been called'
    : 'well again without an act of ours';
  const how = stage === 'Healed' ? 'healed' : alone;
  return {
    status: { ...withoutWaiting(status), stage, healedAt: at, endedAt: at },
    say: {
      kind: 'Note',
      reason: stage,
      message: `${how}, ${seconds} s after the first symptom`,
      evidence: { seconds: String(seconds) },
    },
  };
}

function withoutPlanned(around: Surroundings): Surroundings {
  const { planned: _, ...rest } = around;
  return rest;
}

/** Symptoms that were seen stay listed; the bound is the schema's. */
function merge(known: readonly Symptom[] | undefined, seen: readonly Symptom[]): Symptom[] {
  const names = new Set(known?.map((symptom) => symptom.name));
  return [...(known ?? []), ...seen.filter((symptom) => !names.has(symptom.name))].slice(0, 24);
}
