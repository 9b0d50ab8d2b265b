import type { Cause } from '../api/diagnosis.ts';
import type { Diagnosis } from '../api/incident.ts';
import {
  type Belief,
  hardwareFails,
  leaseState,
  READING_AGE_MS_MAX,
  rulesThatHold,
  tellsWhy,
} from '../signals/belief.ts';
import { troubleText } from '../signals/hardware-signs.ts';
import { ruleWords } from '../signals/symptoms.ts';

/** What surrounds the machine: a verdict on it alone would blame machines for their switch. */
export interface Surroundings {
  /** The failure domain that is out and holds this machine, as `rack/z1-r3`. */
  domain?: { name: string; lost: number; total: number };
  /** Why we can't trust what the API says of this machine's cluster. */
  blind?: string;
  /** A planned act on this machine, by us or its provider. */
  planned?: string;
}

/** From the login prompt on the console until our probes must have been answered: before that it may just be coming up. */
const COME_UP_MS = 30_000;

/** As many as an Incident's status takes. */
const EVIDENCE_LINES_MAX = 16;
/** Kubelets and providers say more than a status takes, and one that is refused says nothing at all. */
const MESSAGE_LENGTH = 1000;
const EVIDENCE_LENGTH = 256;

export type Verdict = Omit<Diagnosis, 'at'>;

/**
 * The cause that explains what is seen, by at least two vantage points that don't depend on each other.
 * Where they disagree it says so (Unknown), and nothing is done. Pure.
 *
 * Order matters: first what is not the machine's own fault (are we blind, is its rack out, is it planned),
 * then what only a second witness can prove (power, console), then the services on a host that answers.
 */
export function diagnose(belief: Belief, around: Surroundings, now: number): Verdict {
  const evidence = evidenceOf(belief, now);
  const say = (cause: Cause, confidence: Verdict['confidence'], message: string): Verdict => ({
    cause,
    confidence,
    message: message.slice(0, MESSAGE_LENGTH),
    evidence,
    ...(around.domain && cause === 'DomainOutage' && { domain: around.domain.name }),
  });

  if (around.blind) return say('ControlPlaneBlind', 'High', around.blind);
  if (around.planned) return say('Planned', 'High', around.planned);

  const ssh = belief.ssh?.value;
  const kubelet = belief.kubelet?.value;
  const power = fresh(belief.power, now) ? belief.power?.value : 'Unknown';
  const sign = fresh(belief.console, now) ? (belief.console?.value ?? 'None') : 'None';
  const lease = leaseState(belief, now);
  const hostAnswers = ssh === 'Answers';
  const speaks = hostAnswers || kubelet === 'Answers';
  // What the provider says of power and console counts only beside a witness who misses the machine too.
  const missed =
    !speaks &&
    (ssh !== undefined ||
      kubelet !== undefined ||
      lease === 'Stalled' ||
      (belief.nodeFace !== undefined && belief.ready.value !== 'True'));
  // The site's own rules speak where Drover's witnesses neither know the cause nor contradict each other.
  const rule = rulesThatHold(belief, now)[0]?.rule;
  const unreachable =
    (ssh === 'Timeout' || ssh === undefined) && kubelet !== 'Answers' && kubelet !== 'Refused';

  if (around.domain && !hostAnswers && !tellsWhy(belief)) {
    const { name, lost, total } = around.domain;
    return say(
      'DomainOutage',
      'High',
      `${lost} of ${total} machines of ${name} are out of reach together: it is not this machine`,
    );
  }
  if (power === 'Off' && !missed)
    return say(
      'Unknown',
      'Low',
      speaks
        ? 'the provider says the power is off, yet the machine answers'
        : 'the provider says the power is off, and no other witness has been heard yet',
    );
  if (power === 'Off')
    return say('PoweredOff', 'High', 'the provider says the power is off, and the machine answers nothing');

  if (!hostAnswers) {
    if (missed && sign === 'Dumping')
      return say(
        'Dumping',
        'High',
        'the kernel panicked, and its crash dump is being written or may be; it must not lose its power now',
      );
    if (missed && sign === 'Panicked')
      return say('Crashed', 'High', 'the console shows a kernel panic, and the machine answers nothing');
    if (missed && sign === 'Booting')
      return say('Crashed', 'Medium', 'the machine went down by itself and is booting');
    if (lease === 'Moving')
      return say(
        'Unknown',
        'Low',
        'we can’t reach it, yet its kubelet renews its lease: the path from us to it is what fails',
      );
    if (ssh === 'Silent') {
      if (kubelet === 'Answers')
        return say('Unknown', 'Low', 'sshd says nothing while the kubelet answers: not a dead machine');
      if (lease === 'Unknown')
        return say(
          'Unknown',
          'Low',
          'it takes connections and says nothing; whether its kubelet still works is not known yet',
        );
      return say(
        'Hung',
        sign === 'LockedUp' ? 'High' : 'Medium',
        'it takes connections but nothing speaks, and its kubelet has stopped renewing its lease',
      );
    }
    if (unreachable && power === 'Unknown')
      return say('Unknown', 'Low', 'it answers nothing, and its provider says nothing of its power either');
    if (unreachable && lease === 'Unknown')
      return say(
        'Unknown',
        'Low',
        'it answers nothing; whether its kubelet still reaches the API server is not known yet',
      );
    if (unreachable && sign === 'LinkDown')
      return say(
        'NetworkLost',
        'High',
        'power is on and the console says that the link is down: a cable or a port, no reboot mends it',
      );
    if (unreachable && sign === 'LockedUp')
      return say('Hung', 'High', 'the console shows CPUs locked up, and nothing answers');
    if (unreachable && sign === 'Running' && now - (belief.console?.since ?? now) >= COME_UP_MS)
      return say(
        'NetworkLost',
        'Medium',
        'power is on and its console looks healthy, but it is reached by nobody',
      );
    if (rule) return say(rule.cause, 'Medium', ruleWords(rule));
    if (unreachable)
      return say(
        'Unknown',
        'Low',
        'power is on, but nothing says whether it crashed, hangs or lost its network',
      );
  }

  if (hostAnswers && belief.nodeFace) {
    const runtime = runtimeTrouble(belief);
    if (runtime && kubelet === 'Answers') return say('RuntimeDown', 'High', runtime);
    if (kubelet !== 'Answers' && kubelet !== undefined) {
      if (lease === 'Moving')
        return say('Unknown', 'Low', 'the kubelet’s port is closed to us, yet it renews its lease');
      return say(
        'KubeletDown',
        lease === 'Stalled' ? 'High' : 'Medium',
        'the host answers by SSH, its kubelet does not answer',
      );
    }
    if (lease === 'Stalled')
      return say(
        'KubeletDown',
        'Medium',
        'the host answers by SSH and the kubelet’s port is open, but it has stopped renewing its lease',
      );
    // A reboot explains the trouble in which it happened, not what comes a month later.
    if (belief.rebootedAt !== undefined && belief.rebootedAt >= (belief.sickSince ?? now))
      return say('Restarted', 'Medium', 'it rebooted, and nothing planned explains it');
  }
  if (hostAnswers && belief.diskPressure)
    return say('DiskFull', 'High', 'the kubelet reports that a disk of the host is full (DiskPressure)');
  const due = belief.due?.value;
  if (due) {
    const words = `its provider has announced ${due.type} (${due.state}, ${due.id})${due.reason && `: ${due.reason}`}`;
    return say(due.does === 'Redeploy' ? 'RedeployDue' : 'MaintenanceDue', 'High', words);
  }
  // One witness: the BMC is believed about its own hardware, and nothing is done to a machine that serves.
  if (hostAnswers && kubelet === 'Answers' && belief.hardware && hardwareFails(belief, now))
    return say('HardwareFailing', 'Medium', `the machine answers, and ${troubleText(belief.hardware)}`);
  if (rule) return say(rule.cause, 'Medium', ruleWords(rule));
  return say('Unknown', 'Low', 'the evidence does not say what is wrong');
}

/**
 * The kubelet's own word for a dead runtime: it is the Ready condition's message that carries it. "Container
 * runtime network not ready" is about a missing network plugin, which no restart of a runtime mends.
 */
function runtimeTrouble(belief: Belief): string | undefined {
  const face = belief.nodeFace;
  if (!face || belief.ready.value !== 'False') return undefined;
  const words = `${face.readyReason} ${face.readyMessage}`.toLowerCase();
  if (!/container runtime(?! network)|containerd|runtime is down|pleg is not healthy|\bcri\b/.test(words))
    return undefined;
  return `the kubelet reports: ${face.readyMessage || face.readyReason}`;
}

function fresh(reading: { readAt: number } | undefined, now: number): boolean {
  return reading !== undefined && now - reading.readAt <= READING_AGE_MS_MAX;
}

/** Every reading that the verdict rests on, in words for people. */
export function evidenceOf(belief: Belief, now: number): string[] {
  const lines: string[] = [];
  const ago = (since: number) => `${Math.max(0, Math.round((now - since) / 1000))} s`;
  if (!belief.nodeFace) lines.push('node: there is no such Node');
  else lines.push(`node: Ready=${belief.ready.value} for ${ago(belief.ready.since)}`);
  if (belief.ssh) lines.push(`ssh: ${belief.ssh.value} for ${ago(belief.ssh.since)}`);
  if (belief.kubelet) lines.push(`kubelet port: ${belief.kubelet.value} for ${ago(belief.kubelet.since)}`);
  if (belief.lease)
    lines.push(`lease: ${leaseState(belief, now)}, last seen to move ${ago(belief.lease.movedAt)} ago`);
  if (belief.power) lines.push(`power: ${belief.power.value}, read ${ago(belief.power.readAt)} ago`);
  if (belief.console) lines.push(`console: ${belief.console.value} for ${ago(belief.console.since)}`);
  if (belief.rebootedAt !== undefined) lines.push(`boot id: changed ${ago(belief.rebootedAt)} ago`);
  for (const { rule, since } of rulesThatHold(belief, now))
    lines.push(`rule ${rule.name}: holds for ${ago(since)}`);
  if (belief.hardware) lines.push(`${ago(belief.hardware.since)} ago ${troubleText(belief.hardware)}`);
  if (belief.health?.value) lines.push(`provider says of its hardware: ${belief.health.value}`);
  if (belief.maintenance) lines.push(`provider: ${belief.maintenance}`);
  if (belief.announced) lines.push(`provider announces: ${belief.announced}`);
  return lines.slice(0, EVIDENCE_LINES_MAX).map((line) => line.slice(0, EVIDENCE_LENGTH));
}
