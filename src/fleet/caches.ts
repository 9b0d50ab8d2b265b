import { clusterKind } from '../api/cluster.ts';
import { disruptionBudgetKind } from '../api/disruption-budget.ts';
import { healingPolicyKind } from '../api/healing-policy.ts';
import { incidentKind } from '../api/incident.ts';
import type { Kind, ObjectOf } from '../api/kind.ts';
import { machineKind } from '../api/machine.ts';
import { machineProviderKind } from '../api/machine-provider.ts';
import { nodeOperationKind } from '../api/node-operation.ts';
import { parseAs } from '../api/parse.ts';
import { remediationKind } from '../api/remediation.ts';
import { KubeCache } from '../platform/kube/cache.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import type { KubeObject } from '../platform/kube/objects.ts';

/** Drover's own objects, all of them in the home cluster. */
export interface Caches {
  clusters: KubeCache<ObjectOf<typeof clusterKind>>;
  providers: KubeCache<ObjectOf<typeof machineProviderKind>>;
  machines: KubeCache<ObjectOf<typeof machineKind>>;
  policies: KubeCache<ObjectOf<typeof healingPolicyKind>>;
  /** Indexed by `machine`. */
  incidents: KubeCache<ObjectOf<typeof incidentKind>>;
  /** Indexed by `machine`, and by `live`: `yes` while not ended. */
  operations: KubeCache<ObjectOf<typeof nodeOperationKind>>;
  budgets: KubeCache<ObjectOf<typeof disruptionBudgetKind>>;
  /** What others' health checks ask of us, by `namespace/name`. Indexed by `machine`, once that is known. */
  remediations: KubeCache<ObjectOf<typeof remediationKind>>;
}

export function openCaches(client: KubeClient): Caches {
  return {
    clusters: cacheOf(client, clusterKind),
    providers: cacheOf(client, machineProviderKind),
    machines: cacheOf(client, machineKind, {
      node: (machine) => [`${machine.spec.cluster}/${machine.spec.nodeName ?? machine.metadata.name}`],
    }),
    policies: cacheOf(client, healingPolicyKind),
    incidents: cacheOf(client, incidentKind, {
      machine: (incident) => [incident.spec.machine],
      open: (incident) => (incident.status?.endedAt ? [] : ['yes']),
    }),
    operations: cacheOf(client, nodeOperationKind, {
      machine: (operation) => [operation.spec.machine],
      live: (operation) => (operation.status?.endedAt ? [] : ['yes']),
    }),
    budgets: cacheOf(client, disruptionBudgetKind),
    remediations: cacheOf(client, remediationKind, {
      machine: ({ status }) => (status?.machine ? [status.machine] : []),
    }),
  };
}

function cacheOf<K extends Kind>(
  client: KubeClient,
  kind: K,
  indexes: Readonly<Record<string, (item: ObjectOf<K>) => readonly string[]>> = {},
): KubeCache<ObjectOf<K>> {
  const project = (object: KubeObject): ObjectOf<K> => {
    const parsed = parseAs(kind, object);
    if (!parsed.ok) throw new Error(parsed.message);
    // Who owns which field is 1 KB an object that nobody here reads.
    const { managedFields: _, ...metadata } = parsed.value.metadata;
    return { ...parsed.value, metadata };
  };
  return new KubeCache({ client, resource: kind.resource, project, indexes });
}

/** The cache whose data is oldest: a decision is only as fresh as that. */
export function oldestOf(caches: readonly KubeCache<never>[]): { what: string; age_ms: number } {
  let oldest = { what: 'nothing', age_ms: 0 };
  for (const cache of caches) {
    const age_ms = cache.age_ms();
    if (age_ms >= oldest.age_ms) oldest = { what: cache.resource.plural, age_ms };
  }
  return oldest;
}
