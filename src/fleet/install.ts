import { crdOf, typeMetaOf } from '../api/crd.ts';
import { disruptionBudgetKind } from '../api/disruption-budget.ts';
import { healingPolicyKind } from '../api/healing-policy.ts';
import { KINDS } from '../api/index.ts';
import type { Kind } from '../api/kind.ts';
import { SECOND } from '../platform/clock/clock.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { type Condition, CRDS, type KubeObject, NAMESPACES } from '../platform/kube/objects.ts';

const FIELD_MANAGER = 'drover-install';
export const NAMESPACE = 'drover-system';
/** How long a server may take to serve a new CRD. */
const ESTABLISHED_MS_MAX = 30 * SECOND;

/** What an installation begins with: the limits of the schema's defaults, over everything. */
const DEFAULTS: readonly { kind: Kind; name: string }[] = [
  { kind: healingPolicyKind, name: 'default' },
  { kind: disruptionBudgetKind, name: 'default' },
];

export interface Installed {
  what: string;
  how: 'applied' | 'created' | 'kept';
}

/**
 * Puts the CRDs and the namespace on a cluster, by server-side apply, so that a second time changes nothing.
 * With `defaults`, also a HealingPolicy and a DisruptionBudget of that name where there is none yet.
 */
export async function install(
  client: KubeClient,
  options: { defaults: boolean; observe?: boolean },
): Promise<Installed[]> {
  const done: Installed[] = [];
  for (const kind of KINDS) {
    const crd = crdOf(kind) as unknown as KubeObject;
    await client.apply(CRDS, crd, { fieldManager: FIELD_MANAGER, force: true });
    done.push({ what: `customresourcedefinition/${crd.metadata.name}`, how: 'applied' });
  }
  for (const kind of KINDS) await established(client, crdOf(kind).metadata.name);
  await client.apply(
    NAMESPACES,
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } },
    { fieldManager: FIELD_MANAGER },
  );
  done.push({ what: `namespace/${NAMESPACE}`, how: 'applied' });
  if (!options.defaults) return done;
  for (const { kind, name } of DEFAULTS) {
    const what = `${kind.resource.kind.toLowerCase()}/${name}`;
    if (await client.get(kind.resource, name)) {
      done.push({ what, how: 'kept' });
      continue;
    }
    const spec = kind === healingPolicyKind && options.observe ? { mode: 'Observe' } : {};
    const object = { ...typeMetaOf(kind), metadata: { name }, spec };
    await client.create<KubeObject>(kind.resource, object, FIELD_MANAGER);
    done.push({ what, how: 'created' });
  }
  return done;
}

async function established(client: KubeClient, name: string): Promise<void> {
  const { clock } = client;
  for (const end = clock.now() + ESTABLISHED_MS_MAX; ; ) {
    const crd = await client.get<KubeObject & { status?: { conditions?: Condition[] } }>(CRDS, name);
    const bad = crd?.status?.conditions?.find(
      ({ type, status }) => type === 'NamesAccepted' && status === 'False',
    );
    if (bad) throw new Error(`customresourcedefinition ${name}: ${bad.message}`);
    if (crd?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True'))
      return;
    if (clock.now() >= end)
      throw new Error(`customresourcedefinition ${name} is not served after ${ESTABLISHED_MS_MAX / 1000} s`);
    await clock.sleep(100);
  }
}
