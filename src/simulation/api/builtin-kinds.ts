import {
  CRDS,
  EVENTS,
  LEASES,
  NAMESPACES,
  NODES,
  PDBS,
  PODS,
  REPLICASETS,
  type Resource,
  SECRETS,
} from '../../platform/kube/objects.ts';
import { type JsonObject, listAt, objectAt, stringAt } from './json.ts';
import type { Kind } from './registry.ts';
import { BUILTIN_SHAPES, DEFAULT_KIND_SHAPE } from './shape.ts';
import type { Cause } from './status.ts';
import { BUILTIN_COLUMNS } from './table-columns.ts';

const core = (kind: string, plural: string, namespaced = true): Resource => ({
  group: '',
  version: 'v1',
  kind,
  plural,
  namespaced,
});
const rbac = (kind: string, plural: string): Resource => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind,
  plural,
  namespaced: false,
});

type Traits = Partial<
  Pick<
    Kind,
    | 'shortNames'
    | 'categories'
    | 'status'
    | 'actions'
    | 'nameRule'
    | 'generation'
    | 'createOnUpdate'
    | 'unconditionalUpdate'
    | 'selectable'
    | 'prepare'
    | 'validate'
  >
>;

function builtin(resource: Resource, traits: Traits = {}): Kind {
  return {
    ...resource,
    singular: resource.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    status: false,
    actions: [],
    nameRule: 'subdomain',
    shape: BUILTIN_SHAPES[resource.kind] ?? DEFAULT_KIND_SHAPE,
    generation: false,
    createOnUpdate: false,
    unconditionalUpdate: true,
    selectable: {},
    columns: BUILTIN_COLUMNS[resource.kind],
    schema: undefined,
    ...traits,
  };
}

const text = (object: JsonObject, ...path: string[]): string => {
  let value: unknown = object;
  for (const key of path) value = objectAt({ value }, 'value')[key];
  return value === undefined || value === null ? '' : String(value);
};

const POD_SELECTABLE: Kind['selectable'] = {
  'spec.nodeName': (pod) => text(pod, 'spec', 'nodeName'),
  'spec.restartPolicy': (pod) => text(pod, 'spec', 'restartPolicy'),
  'spec.schedulerName': (pod) => text(pod, 'spec', 'schedulerName'),
  'spec.serviceAccountName': (pod) => text(pod, 'spec', 'serviceAccountName'),
  'status.phase': (pod) => text(pod, 'status', 'phase'),
  'status.podIP': (pod) => text(pod, 'status', 'podIP'),
};

function preparePod(pod: JsonObject): JsonObject {
  const spec = {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    schedulerName: 'default-scheduler',
    ...objectAt(pod, 'spec'),
  };
  return { ...pod, spec, status: { ...objectAt(pod, 'status'), phase: 'Pending' } };
}

const required = (field: string): Cause => ({
  reason: 'FieldValueRequired',
  message: 'Required value',
  field,
});

function validatePod(pod: JsonObject, old: JsonObject | undefined): Cause[] {
  if (old) return [];
  const containers = listAt(pod.spec, 'containers');
  if (containers.length === 0) return [required('spec.containers')];
  return containers.flatMap((container, i) =>
    stringAt(container, 'name') ? [] : [required(`spec.containers[${i}].name`)],
  );
}

const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function validateNode(node: JsonObject, old: JsonObject | undefined): Cause[] {
  const spec = objectAt(node, 'spec');
  if (old && objectAt(old, 'spec').taints === spec.taints) return [];
  const causes: Cause[] = [];
  const seen = new Set<string>();
  listAt(spec, 'taints').forEach((taint, i) => {
    const at = `spec.taints[${i}]`;
    const effect = stringAt(taint, 'effect') ?? '';
    if (!TAINT_EFFECTS.includes(effect)) {
      const list = TAINT_EFFECTS.map((known) => `"${known}"`).join(', ');
      causes.push({
        reason: 'FieldValueNotSupported',
        message: `Unsupported value: "${effect}": supported values: ${list}`,
        field: `${at}.effect`,
      });
    }
    const key = `${stringAt(taint, 'key')}:${effect}`;
    if (seen.has(key)) {
      causes.push({
        reason: 'FieldValueDuplicate',
        message: `Duplicate value: ${JSON.stringify(taint)}: taints must be unique by key and effect pair`,
        field: at,
      });
    }
    seen.add(key);
  });
  return causes;
}

function prepareNamespace(namespace: JsonObject): JsonObject {
  const metadata = objectAt(namespace, 'metadata');
  const labels = { ...objectAt(metadata, 'labels'), 'kubernetes.io/metadata.name': metadata.name };
  return {
    ...namespace,
    metadata: { ...metadata, labels },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}

/** `stringData` is written, never read. */
export function foldStringData(secret: JsonObject): JsonObject {
  if (secret.stringData === undefined) return { type: 'Opaque', ...secret };
  const { stringData, ...rest } = secret;
  const data: Record<string, unknown> = { ...objectAt(secret, 'data') };
  for (const [key, value] of Object.entries(stringData as JsonObject)) {
    data[key] = Buffer.from(String(value)).toString('base64');
  }
  return { type: 'Opaque', ...rest, data };
}

const withoutStatus = (object: JsonObject): JsonObject => {
  const { status: _, ...rest } = object;
  return rest;
};

const prepareReplicaSet = (set: JsonObject): JsonObject => ({
  ...set,
  spec: { replicas: 1, ...objectAt(set, 'spec') },
  status: { replicas: 0 },
});

const prepareBudget = (budget: JsonObject): JsonObject => ({
  ...withoutStatus(budget),
  status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
});

export const BUILTIN_KINDS: readonly Kind[] = [
  builtin(NODES, {
    shortNames: ['no'],
    status: true,
    selectable: {
      'spec.unschedulable': (node) => String(objectAt(node, 'spec').unschedulable === true),
    },
    validate: validateNode,
  }),
  builtin(PODS, {
    shortNames: ['po'],
    categories: ['all'],
    status: true,
    actions: ['eviction', 'binding'],
    generation: true,
    selectable: POD_SELECTABLE,
    prepare: preparePod,
    validate: validatePod,
  }),
  builtin(NAMESPACES, {
    shortNames: ['ns'],
    status: true,
    nameRule: 'label',
    selectable: { 'status.phase': (namespace) => text(namespace, 'status', 'phase') },
    prepare: prepareNamespace,
  }),
  builtin(SECRETS, {
    selectable: { type: (secret) => text(secret, 'type') },
    prepare: foldStringData,
  }),
  builtin(core('ConfigMap', 'configmaps'), { shortNames: ['cm'] }),
  builtin(core('ServiceAccount', 'serviceaccounts'), { shortNames: ['sa'] }),
  builtin(core('Service', 'services'), {
    shortNames: ['svc'],
    categories: ['all'],
    status: true,
    nameRule: 'label',
    createOnUpdate: true,
  }),
  builtin(LEASES, { createOnUpdate: true, unconditionalUpdate: false }),
  builtin(EVENTS, {
    shortNames: ['ev'],
    createOnUpdate: true,
    selectable: {
      reason: (event) => text(event, 'reason'),
      type: (event) => text(event, 'type'),
      'regarding.kind': (event) => text(event, 'regarding', 'kind'),
      'regarding.name': (event) => text(event, 'regarding', 'name'),
    },
  }),
  builtin(REPLICASETS, {
    shortNames: ['rs'],
    categories: ['all'],
    status: true,
    generation: true,
    prepare: prepareReplicaSet,
  }),
  builtin(PDBS, {
    shortNames: ['pdb'],
    status: true,
    generation: true,
    unconditionalUpdate: false,
    prepare: prepareBudget,
  }),
  builtin(rbac('ClusterRole', 'clusterroles'), { nameRule: 'path', createOnUpdate: true }),
  builtin(rbac('ClusterRoleBinding', 'clusterrolebindings'), { nameRule: 'path', createOnUpdate: true }),
  builtin(CRDS, {
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    status: true,
    generation: true,
    unconditionalUpdate: false,
  }),
];
