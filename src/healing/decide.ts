import { isDeepStrictEqual } from 'node:util';
import type { Cause, Remedy } from '../api/diagnosis.ts';
import { type Reason, toMilliseconds } from '../api/fields.ts';
import type { HealingPolicy, Rung } from '../api/healing-policy.ts';
import type { Attempt, Incident, IncidentStatus, Stage, Symptom } from '../api/incident.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import { isHeld } from '../fleet/cordons.ts';
import { type Belief, isLost } from '../signals/belief.ts';
import { symptomsOf } from '../signals/symptoms.ts';
import { diagnose, type Surroundings, type Verdict } from './diagnose.ts';
import { ladderFor, nextRung } from './ladder.ts';

/** How soon a machine in trouble is looked at again when nothing else calls for it. */
const LOOK_AGAIN_MS = 2_000;
/** A repair that succeeded is given this long to show; then it did not work after all. */
const SETTLE_MS = 60_000;
/** A remedy that a limit has held for this long needs a person, who may lift the limit. */
const HELD_MS_MAX = 20 * 60_000;
/** From the first answer of sshd until kubelet and runtime must be up. */
const STARTUP_MS = 60_000;
/** Causes after which the machine comes up anew. */
const DOWN: ReadonlySet<Cause> = new Set([
  'Crashed',
  'Dumping',
  'Hung',
  'PoweredOff',
  'NetworkLost',
  'DomainOutage',
  'Restarted',
]);
/** Operations of one incident, those called off too: a machine that comes and goes must not be followed for ever. */
const TRIES_MAX = 16;
/** A cause that nobody sees any more on a machine that is not well either needs a person after this long. */
const UNCONFIRMED_MS_MAX = 5 * 60_000;
/** Causes of which the machine's silence is the sign that stays. */
const DEAD: ReadonlySet<Cause> = new Set(['Crashed', 'Dumping', 'Hung', 'PoweredOff']);
/** Remedies that end a boot, and so count against `maxRebootsPerDay`. */
const BOOTS: ReadonlySet<Remedy> = new Set(['Reboot', 'PowerCycle', 'Nmi']);

export interface View {
  belief: Belief;
  policy: HealingPolicy | undefined;
  /** The machine's open incident, if there is one. */
  incident: Incident | undefined;
  /** Operations that this incident asked for, oldest first. */
  operations: readonly NodeOperation[];
  around: Surroundings;
  /** Boots that Drover has caused on this machine in the last 24 hours. */
  rebootsToday: number;
  now: number;
}

/** What is to be done about one machine. Everything is a value: the controller only carries it out. */
export interface Plan {
  /** Open an incident with this first status. */
  open?: IncidentStatus;
  /** Write this status to the open incident. */
  status?: IncidentStatus;
  ask?: Rung;
  /** Operations that are no longer wanted. */
  cancel?: string[];
  /** What to say of it, once: the stage or the reason has changed. */
  say?: Reason & { kind: 'Act' | 'Refusal' | 'Note' };
  again_ms?: number;
}

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

function proceed(view: View, incident: Incident): Plan {
  const { belief, policy, around, now } = view;
  const old = incident.status ?? {};
  const status: IncidentStatus = {
    ...old,
    attempts: attemptsOf(view.operations).slice(-TRIES_MAX),
    symptoms: merge(old.symptoms, symptomsOf(belief, now)),
  };
  const running = view.operations.find((operation) => !isEnded(operation));
  const finish = ({ status: next, ...plan }: Plan): Plan => ({
    ...plan,
    ...changedOnly(old, next ?? status),
  });

  if (!running && isWell(view)) return close(incident, status, now);

  const verdict = diagnose(belief, runningActs(running) ? withoutPlanned(around) : around, now);
  const changed = verdict.cause !== old.diagnosis?.cause || verdict.domain !== old.diagnosis?.domain;
  // While our own act is under way the signs are of our making: the diagnosis that led to it stands.
  const cameUp =
    belief.ssh?.value === 'Answers' &&
    now - belief.ssh.since < STARTUP_MS &&
    DOWN.has(old.diagnosis?.cause ?? 'Unknown');
  const news = supersedes(verdict.cause, old.diagnosis?.cause) || verdict.domain !== old.diagnosis?.domain;
  if (
    !runningActs(running) &&
    news &&
    !cameUp &&
    (changed || verdict.confidence !== old.diagnosis?.confidence)
  ) {
    status.diagnosis = { ...verdict, at: changed ? stamp(now) : (old.diagnosis?.at ?? stamp(now)) };
  }
  const cause: Cause = status.diagnosis?.cause ?? 'Unknown';
  if (cause !== 'Unknown') status.locatedAt ??= stamp(now);
  // Not the verdict: one that does not supersede what is known changes nothing, and calls nothing off.
  const moved = cause !== old.diagnosis?.cause || status.diagnosis?.domain !== old.diagnosis?.domain;

  if (old.escalatedAt) {
    // An operation that was held too long still waits; it must not begin on a machine that needs it no more.
    const off = running && callOff(view, running, cause, moved);
    return finish({ again_ms: LOOK_AGAIN_MS, ...off, status: { ...status, stage: 'Escalated' } });
  }
  if (!policy) {
    const why: Reason = {
      reason: 'NoPolicy',
      message: 'no HealingPolicy selects this machine any more; nothing is done',
    };
    return finish({ again_ms: LOOK_AGAIN_MS, status: { ...status, stage: stageOf(status), waiting: why } });
  }

  if (running) return finish(follow(view, status, running, cause, moved));

  const hold = holdOf(view, policy, cause);
  if (hold)
    return finish({
      again_ms: LOOK_AGAIN_MS,
      status: { ...status, stage: stageOf(status), waiting: hold },
      ...sayOnce(old, hold),
    });

  const next = nextRung({
    cause,
    ladder: ladderFor(policy, cause),
    attempts: status.attempts ?? [],
    diagnosedAt_ms: Date.parse(status.diagnosis?.at ?? stamp(now)),
    lowConfidence: status.diagnosis?.confidence === 'Low',
    now,
  });
  if (next.do === 'wait') {
    const again_ms = Math.min(LOOK_AGAIN_MS, next.until_ms - now);
    return finish({
      again_ms,
      status: { ...status, stage: stageOf(status), waiting: next.why },
      ...sayOnce(old, next.why),
    });
  }
  if (next.do === 'escalate') return finish(escalate(status, next.why, now));
  const doubt = unconfirmed(view, cause, verdict, old);
  if (doubt && Date.parse(doubt.until) <= now) return finish(escalate(status, doubt, now));
  if (doubt)
    return finish({
      again_ms: LOOK_AGAIN_MS,
      status: { ...status, stage: stageOf(status), waiting: doubt },
      ...sayOnce(old, doubt),
    });
  if (view.operations.length >= TRIES_MAX) {
    const message = `${cause}: ${view.operations.length} operations have come to nothing; a person has to look`;
    return finish(escalate(status, { reason: 'TooManyTries', message }, now));
  }
  if (BOOTS.has(next.rung.remedy) && view.rebootsToday >= policy.spec.maxRebootsPerDay) {
    const evidence = { rebootsToday: String(view.rebootsToday), limit: String(policy.spec.maxRebootsPerDay) };
    const message = `${cause}: rebooted ${view.rebootsToday} times within a day already; another reboot would hide the fault`;
    return finish(escalate(status, { reason: 'RepeatOffender', message, evidence }, now));
  }
  if (policy.spec.mode === 'Observe') {
    const message = `${cause}: policy ${policy.metadata.name} only observes; with mode Heal the next remedy would be ${next.rung.remedy}`;
    const why: Reason = { reason: 'ObserveOnly', message };
    return finish({
      again_ms: LOOK_AGAIN_MS,
      status: { ...status, stage: stageOf(status), waiting: why },
      ...sayOnce(old, why),
    });
  }
  const message = `${cause}: ${next.rung.remedy}${next.rung.service ? ` ${next.rung.service}` : ''}, since ${status.diagnosis?.message ?? ''}`;
  status.healingAt ??= stamp(now);
  return {
    ask: next.rung,
    status: { ...withoutWaiting(status), stage: 'Healing' },
    say: { kind: 'Act', reason: 'RemedyAsked', message: message.slice(0, 1000) },
    again_ms: LOOK_AGAIN_MS,
  };
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

/** An operation of ours is under way or waits to be let through. */
function follow(
  view: View,
  status: IncidentStatus,
  operation: NodeOperation,
  cause: Cause,
  changed: boolean,
): Plan {
  const waiting = operation.status?.waiting;
  const admitted = operation.status?.admittedAt !== undefined;
  const verifying = operation.status?.steps?.at(-1)?.name === 'verify';
  if (verifying) status.verifyingAt ??= stamp(view.now);
  const stage: Stage = verifying ? 'Verifying' : 'Healing';
  const plan: Plan = {
    again_ms: LOOK_AGAIN_MS,
    status: { ...withoutWaiting(status), stage, ...(waiting && { waiting }) },
  };
  const off = callOff(view, operation, cause, changed);
  if (off) return { ...plan, ...off };
  const asked_ms = Date.parse(operation.metadata.creationTimestamp ?? '');
  if (!admitted && waiting && !isWell(view) && view.now - asked_ms >= HELD_MS_MAX) {
    const message = `${operation.spec.type} has been held for ${Math.round((view.now - asked_ms) / 60_000)} min (${waiting.reason}): ${waiting.message}`;
    const why: Reason = { reason: 'HeldTooLong', message: message.slice(0, 1000) };
    // The operation stays: it goes on by itself when what holds it is lifted.
    return escalate(status, why, view.now);
  }
  return plan;
}

/** An operation that still waits was asked for another cause, or for a machine that is well again. */
function callOff(
  view: View,
  operation: NodeOperation,
  cause: Cause,
  changed: boolean,
): Pick<Plan, 'cancel' | 'say'> | undefined {
  const observes = view.policy?.spec.mode === 'Observe';
  const unwanted = !runningActs(operation) && (changed || isWell(view) || observes);
  if (!unwanted || operation.spec.cancelled) return undefined;
  return {
    cancel: [operation.metadata.name],
    say: {
      kind: 'Note',
      reason: 'NoLongerNeeded',
      message: `${operation.spec.type} is called off before it began: ${whyOff(view, cause, observes)}`,
    },
  };
}

function whyOff(view: View, cause: Cause, observes: boolean): string {
  if (isWell(view)) return 'the machine is well again';
  return observes ? 'the policy only observes now' : `the cause is now ${cause}`;
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

function escalate(status: IncidentStatus, why: Reason, now: number): Plan {
  return {
    again_ms: LOOK_AGAIN_MS,
    status: { ...status, stage: 'Escalated', escalatedAt: stamp(now), waiting: why },
    say: { ...why, kind: 'Refusal' },
  };
}

/** What must be let finish before any remedy: a dump being written, a boot under way, the last repair settling. */
function holdOf(
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
 * one sees. A cause of a dead machine is confirmed by its silence. Lasts a limited time, then a person is called.
 */
function unconfirmed(
  { belief, now }: View,
  cause: Cause,
  verdict: Verdict,
  old: IncidentStatus,
): (Reason & { until: string }) | undefined {
  if (verdict.cause === cause || (DEAD.has(cause) && isLost(belief))) return undefined;
  const known = old.waiting?.reason === 'NotConfirmed' ? old.waiting.until : undefined;
  return {
    reason: 'NotConfirmed',
    message: `${cause} was told before, and is not what is seen now: ${verdict.message}`.slice(0, 1000),
    until: known ?? stamp(now + UNCONFIRMED_MS_MAX),
  };
}

function isWell({ belief, policy, now }: View): boolean {
  const verify_ms = toMilliseconds(policy?.spec.verifyFor ?? '15s');
  // What of ours keeps Pods away is taken away first: healed means that the node takes Pods again.
  return (
    belief.wellSince !== undefined &&
    now - belief.wellSince >= verify_ms &&
    belief.nodeFace !== undefined &&
    !isHeld(belief.nodeFace)
  );
}

function attemptsOf(operations: readonly NodeOperation[]): Attempt[] {
  return operations.map(({ metadata, spec, status }) => ({
    remedy: spec.type,
    ...(spec.service && { service: spec.service }),
    operation: metadata.name,
    at: metadata.creationTimestamp ?? '1970-01-01T00:00:00Z',
    ...(status?.endedAt && { endedAt: status.endedAt }),
    outcome: outcomeOf(status?.state),
    message: status?.waiting?.message?.slice(0, 512) ?? '',
  }));
}

function outcomeOf(state: NonNullable<NodeOperation['status']>['state']): Attempt['outcome'] {
  if (state === 'Succeeded') return 'Worked';
  if (state === 'Failed') return 'Failed';
  return state === 'Cancelled' ? 'NotNeeded' : 'Running';
}

export function isEnded(operation: NodeOperation): boolean {
  return operation.status?.endedAt !== undefined;
}

/** The operation has begun to act, so what we see is its doing. */
function runningActs(operation: NodeOperation | undefined): boolean {
  return operation?.status?.admittedAt !== undefined;
}

function withoutPlanned(around: Surroundings): Surroundings {
  const { planned: _, ...rest } = around;
  return rest;
}

function withoutWaiting(status: IncidentStatus): IncidentStatus {
  const { waiting: _, ...rest } = status;
  return rest;
}

function stageOf(status: IncidentStatus): Stage {
  if (status.attempts?.length) return 'Healing';
  return status.locatedAt ? 'Located' : 'Detected';
}

/** Symptoms that were seen stay listed; the bound is the schema's. */
function merge(known: readonly Symptom[] | undefined, seen: readonly Symptom[]): Symptom[] {
  const names = new Set(known?.map((symptom) => symptom.name));
  return [...(known ?? []), ...seen.filter((symptom) => !names.has(symptom.name))].slice(0, 24);
}

function sayOnce(old: IncidentStatus, why: Reason): Pick<Plan, 'say'> {
  return old.waiting?.reason === why.reason ? {} : { say: { ...why, kind: 'Refusal' } };
}

/** Leaves a status out that says nothing new, so that an incident at rest is not written each 2 s. */
function changedOnly(old: IncidentStatus, next: IncidentStatus): Pick<Plan, 'status'> {
  // Through JSON, since what came from the API has no undefined fields and its keys in another order.
  return isDeepStrictEqual(old, JSON.parse(JSON.stringify(next))) ? {} : { status: next };
}

function stamp(epoch_ms: number): string {
  return new Date(epoch_ms).toISOString();
}
