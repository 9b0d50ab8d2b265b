// The disruption controller: keeps the status of each PodDisruptionBudget right as its Pods change.

import { type LabelSelector, PDBS, PODS } from '../../platform/kube/objects.ts';
import type { ApiCore } from './core.ts';
import { isObject, type JsonObject, listAt, numberAt, objectAt, same, stringAt } from './json.ts';
import type { Kind, Stored } from './registry.ts';
import { matchesSelector } from './selectors.ts';
import { replace } from './write.ts';

const MANAGER = 'kube-controller-manager';

export function keepBudgets(core: ApiCore): void {
  /** Namespaces with something to work out; one timer for all that changes at one instant. */
  const dirty = new Set<string>();
  core.store.onChange((change, { kind }) => {
    const isPod = kind.plural === PODS.plural && kind.group === PODS.group;
    if (!isPod && !(kind.plural === PDBS.plural && kind.group === PDBS.group)) return;
    const namespace = change.object.metadata.namespace ?? '';
    if (isPod && !budgetsIn(core, namespace).next().value) return;
    if (dirty.size === 0) {
      core.clock.timer(0, () => {
        const namespaces = [...dirty];
        dirty.clear();
        for (const each of namespaces) updateBudgets(core, each);
      });
    }
    dirty.add(namespace);
  });
}

function* budgetsIn(core: ApiCore, namespace: string): Generator<Stored, undefined> {
  yield* core.store
    .collection(core.registry.find(PDBS.group, PDBS.version, PDBS.plural) as Kind)
    .inOrder(namespace);
  return undefined;
}

/** Budgets that select a Pod. */
export function budgetsOf(core: ApiCore, pod: Stored): Stored[] {
  const labels = pod.metadata.labels ?? {};
  return [...budgetsIn(core, pod.metadata.namespace ?? '')].filter((budget) => selects(budget, labels));
}

function selects(budget: Stored, labels: JsonObject): boolean {
  const { selector } = objectAt(budget, 'spec');
  return isObject(selector) && matchesSelector(selector as LabelSelector, labels);
}

function updateBudgets(core: ApiCore, namespace: string): void {
  const pods = [
    ...core.store.collection(core.registry.find('', 'v1', PODS.plural) as Kind).inOrder(namespace),
  ];
  for (const budget of [...budgetsIn(core, namespace)]) updateBudget(core, budget, pods);
}

export function isReady(pod: Stored): boolean {
  return listAt(pod.status, 'conditions').some(
    (condition) => isObject(condition) && condition.type === 'Ready' && condition.status === 'True',
  );
}

function updateBudget(core: ApiCore, budget: Stored, pods: readonly Stored[]): void {
  const known = objectAt(budget, 'status');
  const ended = ['Succeeded', 'Failed'];
  const selected = pods.filter(
    (pod) =>
      selects(budget, pod.metadata.labels ?? {}) && !ended.includes(stringAt(pod.status, 'phase') ?? ''),
  );
  const present = new Set(selected.map((pod) => pod.metadata.name));
  // An evicted Pod counts as disrupted until it is seen to be going.
  const disruptedPods: Record<string, unknown> = {};
  const disrupted = objectAt(known, 'disruptedPods');
  for (const name of Object.keys(disrupted)) {
    const pod = selected.find((each) => each.metadata.name === name);
    if (pod && present.has(name) && pod.metadata.deletionTimestamp === undefined)
      disruptedPods[name] = disrupted[name];
  }
  const healthy = selected.filter(
    (pod) =>
      isReady(pod) && pod.metadata.deletionTimestamp === undefined && !(pod.metadata.name in disruptedPods),
  ).length;
  const { expected, desired } = wantedOf(core, budget, selected);
  const status: JsonObject = {
    currentHealthy: healthy,
    desiredHealthy: desired,
    disruptionsAllowed: Math.max(0, expected > 0 ? healthy - desired : 0),
    expectedPods: expected,
    observedGeneration: budget.metadata.generation,
    ...(Object.keys(disruptedPods).length > 0 ? { disruptedPods } : {}),
  };
  if (!same(known, status)) writeBudgetStatus(core, budget, status);
}

function wantedOf(
  core: ApiCore,
  budget: Stored,
  pods: readonly Stored[],
): { expected: number; desired: number } {
  const { minAvailable, maxUnavailable } = objectAt(budget, 'spec');
  const expected = expectedOf(core, pods);
  if (maxUnavailable !== undefined) {
    return { expected, desired: Math.max(0, expected - scaled(maxUnavailable, expected)) };
  }
  // A plain number of available Pods is counted against the Pods that are there.
  if (typeof minAvailable === 'number') return { expected: pods.length, desired: minAvailable };
  return { expected, desired: scaled(minAvailable ?? 0, expected) };
}

/** Replicas that the owners want; Pods without a known owner count themselves. */
function expectedOf(core: ApiCore, pods: readonly Stored[]): number {
  const owners = new Map<string, number>();
  let bare = 0;
  for (const pod of pods) {
    const owner = listAt(pod.metadata, 'ownerReferences').find(
      (each) => isObject(each) && each.controller === true,
    );
    const kind = core.registry.findKind(stringAt(owner, 'apiVersion') ?? '', stringAt(owner, 'kind') ?? '');
    const found =
      kind && core.store.collection(kind).find(pod.metadata.namespace ?? '', stringAt(owner, 'name') ?? '');
    const replicas = numberAt(found?.object.spec, 'replicas');
    if (found && replicas !== undefined) owners.set(found.object.metadata.uid, replicas);
    else bare++;
  }
  return [...owners.values()].reduce((sum, replicas) => sum + replicas, bare);
}

/** A number or a percentage, rounded up as the real one rounds both. */
function scaled(value: unknown, total: number): number {
  if (typeof value === 'number') return value;
  const percent = /^(\d+)%$/.exec(String(value))?.[1];
  return percent === undefined ? 0 : Math.ceil((Number(percent) * total) / 100);
}

export function writeBudgetStatus(core: ApiCore, budget: Stored, status: JsonObject): void {
  const kind = core.registry.find(PDBS.group, PDBS.version, PDBS.plural) as Kind;
  const collection = core.store.collection(kind);
  const entry = collection.find(budget.metadata.namespace ?? '', budget.metadata.name);
  if (!entry) return;
  const body = { ...entry.object, status };
  const options = { manager: MANAGER, dryRun: false, fieldValidation: 'Ignore', warnings: [] };
  replace(core, { collection, entry, subresource: 'status', body }, options);
}
