// How the fields of a kind merge: which lists are maps by key, sets, or atomic. Strategic merge
// patches, server-side apply and field ownership all walk an object along its Shape.

import { isObject, type JsonObject, listAt, objectAt, stringAt } from './json.ts';

export interface Shape {
  /** Replaced as a whole: never merged, owned as one field. */
  atomic?: boolean;
  /** Fields with a shape of their own. Others have the shape `rest`. */
  fields?: Readonly<Record<string, Shape>>;
  rest?: Shape;
  /** A list: atomic unless `keys` (map) or `set` is there. */
  keys?: readonly string[];
  set?: boolean;
  item?: Shape;
  /** Values for keys that an item leaves out. */
  keyDefaults?: JsonObject;
  /** Key by which a strategic merge patch joins items (built-in kinds only). */
  patchKey?: string;
}

/** Objects merge field by field, lists are atomic: what the real server deduces without a schema. */
export const DEDUCED: Shape = {};
export const ATOMIC: Shape = { atomic: true };
const SET: Shape = { set: true };

export function fieldShape(shape: Shape, field: string): Shape {
  return shape.fields?.[field] ?? shape.rest ?? DEDUCED;
}

export const itemShape = (shape: Shape): Shape => shape.item ?? DEDUCED;

const by = (key: string, item: Shape = DEDUCED): Shape => ({ keys: [key], patchKey: key, item });
const fields = (inner: Record<string, Shape>): Shape => ({ fields: inner });

export const METADATA: Shape = fields({ finalizers: SET, ownerReferences: by('uid', ATOMIC) });

const PORTS: Shape = {
  keys: ['containerPort', 'protocol'],
  keyDefaults: { protocol: 'TCP' },
  patchKey: 'containerPort',
};
const CONTAINER = fields({
  env: by('name'),
  ports: PORTS,
  volumeDevices: by('devicePath'),
  volumeMounts: by('mountPath'),
});
const POD_SPEC = fields({
  containers: by('name', CONTAINER),
  initContainers: by('name', CONTAINER),
  ephemeralContainers: by('name', CONTAINER),
  hostAliases: by('ip'),
  imagePullSecrets: by('name'),
  nodeSelector: ATOMIC,
  resourceClaims: by('name'),
  schedulingGates: by('name'),
  topologySpreadConstraints: { keys: ['topologyKey', 'whenUnsatisfiable'], patchKey: 'topologyKey' },
  volumes: by('name'),
});
const CONDITIONS = fields({ conditions: by('type') });

const kind = (inner: Record<string, Shape>): Shape => fields({ metadata: METADATA, ...inner });

/** List types of the built-in kinds, from the OpenAPI document of Kubernetes v1.37. */
export const BUILTIN_SHAPES: Readonly<Record<string, Shape>> = {
  Node: kind({
    // Taints are atomic in the real API too: `kubectl taint` sends the whole list.
    spec: fields({ podCIDRs: SET }),
    status: fields({ addresses: by('type'), conditions: by('type') }),
  }),
  Pod: kind({
    spec: POD_SPEC,
    status: fields({ conditions: by('type'), podIPs: by('ip'), resourceClaimStatuses: by('name') }),
  }),
  ReplicaSet: kind({
    spec: fields({ selector: ATOMIC, template: fields({ metadata: METADATA, spec: POD_SPEC }) }),
    status: CONDITIONS,
  }),
  PodDisruptionBudget: kind({ spec: fields({ selector: ATOMIC }), status: CONDITIONS }),
  Namespace: kind({ status: CONDITIONS }),
  ServiceAccount: kind({ secrets: by('name') }),
  Service: kind({
    spec: fields({
      ports: { keys: ['port', 'protocol'], keyDefaults: { protocol: 'TCP' }, patchKey: 'port' },
      selector: ATOMIC,
    }),
    status: CONDITIONS,
  }),
  ClusterRole: kind({}),
  ClusterRoleBinding: kind({ roleRef: ATOMIC }),
  CustomResourceDefinition: kind({ status: CONDITIONS }),
};

export const DEFAULT_KIND_SHAPE = kind({});

/** The shape of a custom resource from its structural schema. */
export function shapeOfSchema(schema: JsonObject, root = true): Shape {
  const shape: Shape = {};
  if (schema['x-kubernetes-map-type'] === 'atomic') return ATOMIC;
  if (schema.type === 'array') {
    const listType = stringAt(schema, 'x-kubernetes-list-type');
    if (listType === 'set') return SET;
    if (listType !== 'map') return ATOMIC;
    const items = objectAt(schema, 'items');
    const keys = listAt(schema, 'x-kubernetes-list-map-keys').map(String);
    const keyDefaults: Record<string, unknown> = {};
    for (const key of keys) {
      const fallback = objectAt(objectAt(items, 'properties'), key).default;
      if (fallback !== undefined) keyDefaults[key] = fallback;
    }
    return { keys, item: shapeOfSchema(items, false), keyDefaults };
  }
  const properties = objectAt(schema, 'properties');
  const inner: Record<string, Shape> = {};
  for (const name of Object.keys(properties)) {
    if (isObject(properties[name])) inner[name] = shapeOfSchema(properties[name], false);
  }
  if (root) inner.metadata = METADATA;
  shape.fields = inner;
  if (isObject(schema.additionalProperties)) shape.rest = shapeOfSchema(schema.additionalProperties, false);
  return shape;
}
