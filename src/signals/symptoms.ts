import type { Symptom } from '../api/incident.ts';
import { type Belief, hardwareFails, leaseState, READING_AGE_MS_MAX, rulesThatHold } from './belief.ts';
import { troubleText } from './hardware-signs.ts';
import type { Rule } from './rules.ts';

/** For how long an unplanned boot is a symptom by itself: long enough to be seen, then the machine's state counts. */
const REBOOT_SIGN_MS = 20_000;
/** A kubelet that starts takes some seconds until its first status; before that NotReady is no news. */
const NOT_READY_MS_MIN = 5_000;
/** A kubelet may give kilobytes of reasons; the schema takes 1 KB, and a status that is refused says nothing at all. */
const MESSAGE_LENGTH = 1000;

/** What a reboot or a move through the provider closes. Releases are a person's business. */
const DUE: ReadonlySet<string> = new Set(['Reboot', 'Stop', 'Redeploy']);

/** What is wrong with the machine as it looks now; empty where it is well. Pure. */
export function symptomsOf(belief: Belief, now: number): Symptom[] {
  const found: Symptom[] = [];
  const add = (name: string, source: Symptom['source'], since: number, message: string) =>
    found.push({
      name,
      source,
      since: new Date(since).toISOString(),
      message: message.slice(0, MESSAGE_LENGTH),
    });

  const { ssh, kubelet, ready, nodeFace } = belief;
  if (ssh && ssh.value !== 'Answers') add('SshSilent', 'Patrol', ssh.since, SSH_WORDS[ssh.value]);
  if (kubelet && kubelet.value !== 'Answers')
    add('KubeletSilent', 'Patrol', kubelet.since, KUBELET_WORDS[kubelet.value]);
  if (nodeFace && ready.value !== 'True' && now - ready.since >= NOT_READY_MS_MIN) {
    const why = [nodeFace.readyReason, nodeFace.readyMessage].filter(Boolean).join(': ');
    add('NotReady', 'Node', ready.since, `Ready=${ready.value}${why ? ` (${why})` : ''}`);
  }
  if (nodeFace && belief.diskPressure !== undefined)
    add('DiskPressure', 'Node', belief.diskPressure, 'the kubelet reports DiskPressure');
  if (leaseState(belief, now) === 'Stalled') {
    add('LeaseStalled', 'Lease', belief.lease?.movedAt ?? now, 'the kubelet has stopped renewing its lease');
  }
  // A provider that has gone silent must not hold a machine sick that came back meanwhile.
  if (belief.power?.value === 'Off' && now - belief.power.readAt <= READING_AGE_MS_MAX)
    add('PowerOff', 'Provider', belief.power.since, 'the provider says the power is off');
  if (belief.rebootedAt !== undefined && now - belief.rebootedAt < REBOOT_SIGN_MS) {
    add('Rebooted', 'Boot', belief.rebootedAt, 'the boot id changed, and no operation of ours explains it');
  }
  if (belief.due && DUE.has(belief.due.value.does)) {
    const { type, state, id } = belief.due.value;
    add(
      'MaintenanceDue',
      'Provider',
      belief.due.since,
      `the provider has announced ${type} (${state}, ${id})`,
    );
  }
  if (belief.hardware && hardwareFails(belief, now))
    add('HardwareEvent', 'Provider', belief.hardware.since, troubleText(belief.hardware));
  for (const { rule, since } of rulesThatHold(belief, now)) {
    add(rule.name, 'Rule', since, ruleWords(rule));
  }
  return found;
}

/** What a rule that holds says, everywhere. */
export function ruleWords({ name, policy, when }: Rule): string {
  return `rule ${name} of HealingPolicy ${policy} holds: ${when}`.slice(0, 1000);
}

const SSH_WORDS = {
  Answers: '',
  Silent: 'port 22 takes connections, but sshd says nothing',
  Refused: 'port 22 refuses connections',
  Timeout: 'port 22 does not answer at all',
} as const;

const KUBELET_WORDS = {
  Answers: '',
  Silent: 'the kubelet’s port takes connections, but nothing speaks',
  Refused: 'the kubelet’s port refuses connections: nothing listens',
  Timeout: 'the kubelet’s port does not answer at all',
} as const;
