import { toMilliseconds } from '../../api/fields.ts';
import { isNotFound, KubeError, messageOf } from '../../platform/kube/errors.ts';
import { PODS, type Pod } from '../../platform/kube/objects.ts';
import { isLost, leaseState } from '../../signals/belief.ts';
import type { Step } from './step.ts';

/** Evictions asked for in one look. A kubelet runs 110 Pods by default, the largest sites allow 500. */
const EVICTIONS_MAX = 500;
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
  let because = '';
  for (const pod of left.filter((pod) => !pod.metadata.deletionTimestamp).slice(0, EVICTIONS_MAX)) {
    const { namespace = 'default', name } = pod.metadata;
    try {
      await client.evict(namespace, name);
    } catch (error) {
      if (isNotFound(error)) continue;
      if (!(error instanceof KubeError)) throw error;
      refusals.push(`${namespace}/${name}`);
      because ||= isBudget(error) ? '' : messageOf(error);
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
    const which = `${refusals[0]}${refusals.length > 1 ? ` (and ${refusals.length - 1} more)` : ''}`;
    const why = because
      ? {
          reason: 'EvictionRefused',
          message: `the API server does not evict ${which}: ${because}`.slice(0, 1000),
        }
      : { reason: 'PodDisruptionBudget', message: `a PodDisruptionBudget does not let ${which} go` };
    return { is: 'waiting', again_ms: AGAIN_MS, why: { ...why, evidence, until } };
  }
  return {
    is: 'waiting',
    again_ms: AGAIN_MS,
    why: { reason: 'PodsLeaving', message: `${left.length} Pods are still leaving`, evidence, until },
  };
};

/** 429 is also the answer of a server that is busy; only a budget names itself as the cause. */
function isBudget({ status, details }: KubeError): boolean {
  const { causes = [] } = (details ?? {}) as { causes?: { reason?: string }[] };
  return status === 429 && causes.some(({ reason }) => reason === 'DisruptionBudget');
}

/** What `kubectl drain` moves: no DaemonSet Pods, no mirror Pods, none that have ended. */
export function isMovable({ metadata, status }: Pod): boolean {
  if (metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return false;
  if (metadata.ownerReferences?.some((owner) => owner.controller && owner.kind === 'DaemonSet')) return false;
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}
