import { toMilliseconds } from '../../api/fields.ts';
import { isNotFound, KubeError } from '../../platform/kube/errors.ts';
import { PODS, type Pod } from '../../platform/kube/objects.ts';
import { isLost, leaseState } from '../../signals/belief.ts';
import type { Step } from './step.ts';

/** Evictions asked for in one look: a node runs some 100 Pods, and each asks the API server once. */
const EVICTIONS_MAX = 50;
const AGAIN_MS = 2_000;

/** Asks every Pod that a drain may move to leave, by Eviction, so that PodDisruptionBudgets hold. */
export const drain: Step = async ({ client, operation, belief, startedAt, now }) => {
  // The API takes 50 s to doubt a dead node; our own probes and its lease know sooner.
  const dead = isLost(belief) && leaseState(belief, now) === 'Stalled';
  if (belief.ready.value !== 'True' || dead) {
    return {
      is: 'skipped',
      message: 'the kubelet does not work, so no Pod could end in order; nothing serves from here',
    };
  }
  const { node } = operation.spec;
  const { items } = await client.list<Pod>(PODS, { fieldSelector: `spec.nodeName=${node}` });
  const left = items.filter(isMovable);
  if (left.length === 0) return { is: 'done', message: 'no Pod is left that could be moved' };

  const refusals: string[] = [];
  for (const pod of left.filter((pod) => !pod.metadata.deletionTimestamp).slice(0, EVICTIONS_MAX)) {
    const { namespace = 'default', name } = pod.metadata;
    try {
      await client.evict(namespace, name);
    } catch (error) {
      if (isNotFound(error)) continue;
      if (!(error instanceof KubeError && error.status === 429)) throw error;
      refusals.push(`${namespace}/${name}`);
    }
  }
  const until_ms = startedAt + toMilliseconds(operation.spec.drain.timeout);
  const names = left.slice(0, 3).map((pod) => `${pod.metadata.namespace}/${pod.metadata.name}`);
  const evidence = {
    left: String(left.length),
    refused: String(refusals.length),
    first: names.join(', ').slice(0, 256),
  };
  if (now >= until_ms) {
    const message = `${left.length} Pods have not left ${node} within ${operation.spec.drain.timeout}, among them ${names.join(', ')}`;
    if (operation.spec.drain.onTimeout === 'Proceed')
      return { is: 'done', message: `${message}; going on as told` };
    return { is: 'failed', why: { reason: 'DrainTimedOut', message, evidence } };
  }
  const until = new Date(until_ms).toISOString();
  if (refusals.length > 0) {
    const message = `a PodDisruptionBudget does not let ${refusals[0]} go${refusals.length > 1 ? ` (and ${refusals.length - 1} more)` : ''}`;
    return {
      is: 'waiting',
      again_ms: AGAIN_MS,
      why: { reason: 'PodDisruptionBudget', message, evidence, until },
    };
  }
  return {
    is: 'waiting',
    again_ms: AGAIN_MS,
    why: { reason: 'PodsLeaving', message: `${left.length} Pods are still leaving`, evidence, until },
  };
};

/** What `kubectl drain` moves: no DaemonSet Pods, no mirror Pods, none that have ended. */
export function isMovable({ metadata, status }: Pod): boolean {
  if (metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return false;
  if (metadata.ownerReferences?.some((owner) => owner.controller && owner.kind === 'DaemonSet')) return false;
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}
