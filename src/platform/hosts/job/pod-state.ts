// What a Job and its Pod say of the run. Pure: job-shell.ts asks and acts.
import type { KubeObject, NodeCondition, Pod } from '../../kube/objects.ts';
import type { HostFailure } from '../host.ts';

export interface Job extends KubeObject {
  status?: { conditions?: NodeCondition[] };
}

interface ContainerState {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { exitCode?: number; reason?: string; message?: string };
}

export type PodState =
  /** Nothing of it runs yet; `why` is what stands in the way, as far as it is said. */
  | { state: 'Waiting'; why: string; isUnschedulable: boolean }
  | { state: 'Running'; pod: string }
  | { state: 'Ended'; pod: string }
  | { state: 'Failed'; failure: HostFailure; message: string };

const SAID_CHARS_MAX = 300;

/** Reasons of a waiting container that no waiting mends. */
const CANNOT_START: ReadonlySet<string> = new Set([
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

/** @param wasSeen whether a Pod of this Job was there before */
export function podStateOf(job: Job | undefined, pods: readonly Pod[], wasSeen: boolean): PodState {
  if (!job) return failed('Cut', 'somebody deleted its Job');
  const ended = job.status?.conditions?.find(({ type, status }) => type === 'Failed' && status === 'True');
  if (ended?.reason === 'DeadlineExceeded')
    return failed('TimedOut', `its Job was ended at its deadline: ${said(ended)}`);
  const [pod] = pods;
  if (!pod) {
    if (wasSeen) return failed('Cut', 'its Pod is gone');
    return ended ? failed('Failed', `its Job failed: ${said(ended)}`) : waiting('there is no Pod yet');
  }
  return stateOf(pod);
}

function stateOf(pod: Pod): PodState {
  const { phase, conditions = [], containerStatuses = [] } = pod.status ?? {};
  const [container] = containerStatuses as { state?: ContainerState }[];
  const { waiting: waits, running, terminated } = container?.state ?? {};
  if (terminated) {
    // The kubelet says so where the program could not be started, and where its memory was used up.
    if (terminated.reason === 'OOMKilled') return failed('Cut', 'the kernel ended it for want of memory');
    if (terminated.reason === 'StartError' || terminated.reason === 'ContainerCannotRun')
      return failed('Failed', `its container could not be started: ${said(terminated)}`);
    return { state: 'Ended', pod: pod.metadata.name };
  }
  if (phase === 'Failed') return failed('Cut', `its Pod was ended: ${said(pod.status as Said)}`);
  if (running) return { state: 'Running', pod: pod.metadata.name };
  if (waits && CANNOT_START.has(waits.reason ?? ''))
    return failed('Failed', `its container cannot be started: ${said(waits)}`);
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return { ...waiting(said(scheduled)), isUnschedulable: true };
  if (!pod.spec?.nodeName) return waiting('its Pod has not been scheduled');
  return waiting(waits?.reason ? said(waits) : 'its kubelet has not begun it');
}

/** Of an event of the Job: why no Pod was made. Undefined for one that says something else. */
export function refusalOf(
  event: { reason?: string; message?: string },
  namespace: string,
): { failure: HostFailure; message: string } | undefined {
  if (event.reason !== 'FailedCreate') return undefined;
  const words = (event.message ?? '').slice(0, 2 * SAID_CHARS_MAX);
  if (/violates PodSecurity/.test(words))
    return {
      failure: 'NotAllowed',
      message: `namespace ${namespace} allows no privileged Pods: label it pod-security.kubernetes.io/enforce=privileged (${words})`,
    };
  if (/forbidden|denied/i.test(words))
    return { failure: 'NotAllowed', message: `its Pod was refused: ${words}` };
  return { failure: 'Refused', message: `its Pod could not be made: ${words}` };
}

interface Said {
  reason?: string;
  message?: string;
}

function said({ reason, message }: Said): string {
  const words = [reason, message].filter((word) => word).join(': ');
  return words.replace(/\s+/g, ' ').slice(0, SAID_CHARS_MAX) || 'no reason given';
}

function failed(failure: HostFailure, message: string): PodState {
  return { state: 'Failed', failure, message };
}

function waiting(why: string): Extract<PodState, { state: 'Waiting' }> {
  return { state: 'Waiting', why, isUnschedulable: false };
}
