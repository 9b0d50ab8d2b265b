import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Pod } from '../../kube/objects.ts';
import { type Job, podStateOf, refusalOf } from './pod-state.ts';

const JOB: Job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'drover-x' } };
const failedJob = (reason: string): Job => ({
  ...JOB,
  status: { conditions: [{ type: 'Failed', status: 'True', reason, message: 'so it is' }] },
});
const pod = (status: NonNullable<Pod['status']>, nodeName: string | undefined = 'n1'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'drover-x-1' },
  spec: { ...(nodeName && { nodeName }) },
  status,
});
const container = (state: object, phase: 'Pending' | 'Running' | 'Failed' = 'Pending') =>
  pod({ phase, containerStatuses: [{ state }] });
const of = (one: Pod | undefined, job: Job | undefined = JOB, wasSeen = false) => {
  const state = podStateOf(job, one ? [one] : [], wasSeen);
  return state.state === 'Failed' ? `${state.failure}: ${state.message}` : state.state;
};

describe('a run by a Job', () => {
  it('waits, runs and ends', () => {
    assert.equal(of(undefined), 'Waiting');
    assert.equal(of(pod({ phase: 'Pending' })), 'Waiting');
    assert.equal(of(container({ waiting: { reason: 'ContainerCreating' } })), 'Waiting');
    // One that failed is tried again by the kubelet, until it backs off.
    assert.equal(of(container({ waiting: { reason: 'ErrImagePull' } })), 'Waiting');
    assert.equal(of(container({ running: {} }, 'Running')), 'Running');
    assert.equal(of(container({ terminated: { exitCode: 3, reason: 'Error' } }, 'Failed')), 'Ended');
  });

  it('has not begun where its container could not be started', () => {
    const pull = { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } };
    assert.match(of(container(pull)), /^Failed: .*ImagePullBackOff: no such image/);
    const start = { terminated: { exitCode: 128, reason: 'StartError', message: 'chroot: not found' } };
    assert.match(of(container(start, 'Failed')), /^Failed: .*chroot: not found/);
    assert.match(of(undefined, failedJob('BackoffLimitExceeded')), /^Failed: .*BackoffLimitExceeded/);
  });

  it('is open where it was ended from outside', () => {
    assert.match(of(undefined, JOB, true), /^Cut: its Pod is gone/);
    assert.match(String(podStateOf(undefined, [], true).state), /Failed/);
    assert.match(
      of(container({ terminated: { exitCode: 137, reason: 'OOMKilled' } }, 'Failed')),
      /^Cut: .*memory/,
    );
    const evicted = pod({ phase: 'Failed', reason: 'Evicted', message: 'low on disk' });
    assert.match(of(evicted), /^Cut: .*Evicted: low on disk/);
    assert.match(of(undefined, failedJob('DeadlineExceeded'), true), /^TimedOut: /);
  });

  it('says what the scheduler says', () => {
    const unscheduled: Pod = pod(
      {
        phase: 'Pending',
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' },
        ],
      },
      undefined,
    );
    assert.deepEqual(podStateOf(JOB, [unscheduled], true), {
      state: 'Waiting',
      why: 'Unschedulable: 0/3 nodes',
      isUnschedulable: true,
    });
  });
});

describe('why no Pod was made', () => {
  const refused = (message: string) => refusalOf({ reason: 'FailedCreate', message }, 'hosts')?.failure;

  it('is told from its Job’s events', () => {
    assert.equal(
      refused('pods "x" is forbidden: violates PodSecurity "baseline:latest": host namespaces'),
      'NotAllowed',
    );
    assert.equal(refused('pods "x" is forbidden: exceeded quota: critical'), 'NotAllowed');
    assert.equal(refused('admission webhook "policy" denied the request: privileged'), 'NotAllowed');
    assert.equal(refused('Pod "x" is invalid: spec'), 'Refused');
    assert.equal(refusalOf({ reason: 'SuccessfulCreate', message: 'Created pod' }, 'hosts'), undefined);
  });
});
