// `pods/NAME/eviction` and `pods/NAME/binding`.

import { toTime } from '../../platform/clock/clock.ts';
import type { ApiCore } from './core.ts';
import { deleteOptionsOf, remove } from './delete.ts';
import { budgetsOf, isReady, writeBudgetStatus } from './disruption.ts';
import { isObject, listAt, numberAt, objectAt, stringAt } from './json.ts';
import type { Stored } from './registry.ts';
import { ApiError, badRequest, conflict, type Status, success, tooManyRequests } from './status.ts';
import type { Collection, Entry } from './store.ts';
import { replace, type WriteOptions } from './write.ts';

const CANNOT = "Cannot evict pod as it would violate the pod's disruption budget.";
const RETRY_AFTER_SECONDS = 10;

export function evict(
  core: ApiCore,
  collection: Collection,
  entry: Entry,
  body: unknown,
  options: WriteOptions,
): Status {
  const name = stringAt(objectAt(body, 'metadata'), 'name');
  if (name !== entry.object.metadata.name)
    throw badRequest('name in URL does not match name in Eviction object');
  if (!mayIgnoreBudgets(entry.object)) takeFromBudget(core, entry.object, options.dryRun);
  const deletion = deleteOptionsOf({}, objectAt(body, 'deleteOptions'));
  if (options.dryRun || deletion.dryRun) return success();
  if (deletion.uid === undefined || deletion.uid === entry.object.metadata.uid)
    markTarget(core, collection, entry, options);
  remove(core, collection, entry, deletion);
  return success();
}

/** Pods that have ended, have not begun or are going already disrupt nothing. */
function mayIgnoreBudgets({ metadata, status }: Stored): boolean {
  const phase = stringAt(status, 'phase');
  return (
    metadata.deletionTimestamp !== undefined ||
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    phase === 'Pending'
  );
}

function takeFromBudget(core: ApiCore, pod: Stored, dryRun: boolean): void {
  const budgets = budgetsOf(core, pod);
  const [budget] = budgets;
  if (!budget) return;
  if (budgets.length > 1) {
    throw new ApiError(
      500,
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  const { name, generation = 0 } = budget.metadata;
  const status = objectAt(budget, 'status');
  const healthy = numberAt(status, 'currentHealthy') ?? 0;
  const desired = numberAt(status, 'desiredHealthy') ?? 0;
  const allowed = numberAt(status, 'disruptionsAllowed') ?? 0;
  if (!isReady(pod)) {
    if (stringAt(budget.spec, 'unhealthyPodEvictionPolicy') === 'AlwaysAllow') return;
    if (healthy >= desired && desired > 0) return;
  }
  if ((numberAt(status, 'observedGeneration') ?? 0) < generation) {
    const message = `The disruption budget ${name} is still being processed by the server.`;
    throw tooManyRequests(CANNOT, RETRY_AFTER_SECONDS, [{ reason: 'DisruptionBudget', message }]);
  }
  if (allowed <= 0) {
    const message = `The disruption budget ${name} needs ${desired} healthy pods and has ${healthy} currently`;
    throw tooManyRequests(CANNOT, 0, [{ reason: 'DisruptionBudget', message }]);
  }
  if (dryRun) return;
  const disruptedPods = {
    ...objectAt(status, 'disruptedPods'),
    [pod.metadata.name]: toTime(core.clock.now()),
  };
  writeBudgetStatus(core, budget, { ...status, disruptionsAllowed: allowed - 1, disruptedPods });
}

function markTarget(core: ApiCore, collection: Collection, entry: Entry, options: WriteOptions): void {
  const status = objectAt(entry.object, 'status');
  const others = listAt(status, 'conditions').filter(
    (condition) => stringAt(condition, 'type') !== 'DisruptionTarget',
  );
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime: toTime(core.clock.now()),
  };
  const body = { ...entry.object, status: { ...status, conditions: [...others, condition] } };
  replace(core, { collection, entry, subresource: 'status', body }, options);
}

export function bind(
  core: ApiCore,
  collection: Collection,
  entry: Entry,
  body: unknown,
  options: WriteOptions,
): Status {
  const pod = entry.object;
  const target = stringAt(objectAt(body, 'target'), 'name');
  if (!target) throw badRequest('target.name: Required value');
  const node = stringAt(pod.spec, 'nodeName');
  if (node)
    throw conflict(
      collection.kind,
      pod.metadata.name,
      `pod ${pod.metadata.name} is already assigned to node "${node}"`,
    );
  const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: toTime(core.clock.now()) };
  const status = objectAt(pod, 'status');
  const others = listAt(status, 'conditions').filter(
    (each) => isObject(each) && each.type !== 'PodScheduled',
  );
  const bound = {
    ...pod,
    spec: { ...objectAt(pod, 'spec'), nodeName: target },
    status: { ...status, conditions: [...others, scheduled] },
  };
  replace(core, { collection, entry, subresource: 'binding', body: bound }, options);
  return success();
}
