// The columns of tables, in which kubectl shows objects.

import { isObject, type JsonObject, listAt, numberAt, objectAt, stringAt } from './json.ts';
import { parseJsonPath } from './json-path.ts';

export interface Column {
  name: string;
  type: string;
  format?: string;
  description: string;
  /** 0: always shown; more: with `-o wide`. */
  priority: number;
  cell: (object: JsonObject, now_ms: number) => unknown;
}

const column = (name: string, cell: Column['cell'], options: Partial<Column> = {}): Column => ({
  name,
  type: 'string',
  description: '',
  priority: 0,
  cell,
  ...options,
});
const wide = { priority: 1 };

export const NAME = column('Name', (object) => objectAt(object, 'metadata').name, {
  format: 'name',
  description: 'Name must be unique within a namespace.',
});
const age = (now_ms: number, time: string | undefined) =>
  time === undefined ? '<unknown>' : duration(now_ms - Date.parse(time));
export const AGE = column('Age', (object, now_ms) =>
  age(now_ms, stringAt(object.metadata, 'creationTimestamp')),
);

/** As kubectl prints it: `45s`, `3m12s`, `47m`, `5h12m`, `2d3h`, `25d`, `3y`. */
export function duration(elapsed_ms: number): string {
  const s = Math.floor(elapsed_ms / 1000);
  if (s < -1) return '<invalid>';
  if (s < 0) return '0s';
  if (s < 120) return `${s}s`;
  const m = Math.floor(s / 60);
  if (m < 10) return s % 60 === 0 ? `${m}m` : `${m}m${s % 60}s`;
  if (m < 180) return `${m}m`;
  const h = Math.floor(m / 60);
  if (h < 8) return m % 60 === 0 ? `${h}h` : `${h}h${m % 60}m`;
  if (h < 48) return `${h}h`;
  const d = Math.floor(h / 24);
  if (h < 192) return h % 24 === 0 ? `${d}d` : `${d}d${h % 24}h`;
  if (d < 730) return `${d}d`;
  const y = Math.floor(d / 365);
  if (y < 8) return d % 365 === 0 ? `${y}y` : `${y}y${d % 365}d`;
  return `${y}y`;
}

/** Columns of a CRD; without any: name and age. */
export function customColumns(declared: readonly unknown[]): Column[] {
  if (declared.length === 0) return [NAME, AGE];
  return [
    NAME,
    ...declared.map((entry) => {
      const type = stringAt(entry, 'type') ?? 'string';
      const read = parseJsonPath(stringAt(entry, 'jsonPath') ?? '');
      return column(stringAt(entry, 'name') ?? '', (object, now_ms) => cellOf(read(object), type, now_ms), {
        type,
        format: stringAt(entry, 'format') ?? '',
        description: stringAt(entry, 'description') ?? '',
        priority: numberAt(entry, 'priority') ?? 0,
      });
    }),
  ];
}

function cellOf(values: readonly unknown[], type: string, now_ms: number): unknown {
  const [value] = values;
  if (value === undefined || value === null) return type === 'date' ? '<unknown>' : null;
  switch (type) {
    case 'date':
      return typeof value === 'string' ? age(now_ms, value) : '<unknown>';
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    default: {
      const texts = values.map((each) => (typeof each === 'object' ? JSON.stringify(each) : String(each)));
      return texts.join(',');
    }
  }
}

function nodeStatus(node: JsonObject): string {
  const ready = conditionOf(node, 'Ready');
  const word = ready === 'True' ? 'Ready' : ready === undefined ? 'Unknown' : 'NotReady';
  return objectAt(node, 'spec').unschedulable === true ? `${word},SchedulingDisabled` : word;
}

function conditionOf(object: JsonObject, type: string): string | undefined {
  const conditions = listAt(object.status, 'conditions');
  return stringAt(
    conditions.find((condition) => stringAt(condition, 'type') === type),
    'status',
  );
}

const ROLE = 'node-role.kubernetes.io/';

function nodeRoles(node: JsonObject): string {
  const labels = Object.keys(objectAt(node.metadata, 'labels'));
  const roles = labels.filter((label) => label.startsWith(ROLE)).map((label) => label.slice(ROLE.length));
  return roles.length > 0 ? roles.sort().join(',') : '<none>';
}

const nodeInfo = (key: string) => (node: JsonObject) =>
  stringAt(objectAt(node.status, 'nodeInfo'), key) || '<unknown>';
const address = (type: string) => (node: JsonObject) =>
  stringAt(
    listAt(node.status, 'addresses').find((entry) => stringAt(entry, 'type') === type),
    'address',
  ) ?? '<none>';

function podReady(pod: JsonObject): string {
  const statuses = listAt(pod.status, 'containerStatuses');
  const ready = statuses.filter((status) => isObject(status) && status.ready === true).length;
  return `${ready}/${listAt(pod.spec, 'containers').length}`;
}

function podStatus(pod: JsonObject): string {
  const phase = stringAt(pod.status, 'reason') ?? stringAt(pod.status, 'phase') ?? 'Unknown';
  return objectAt(pod, 'metadata').deletionTimestamp === undefined ? phase : 'Terminating';
}

const podRestarts = (pod: JsonObject): number =>
  listAt(pod.status, 'containerStatuses').reduce<number>(
    (sum, status) => sum + (numberAt(status, 'restartCount') ?? 0),
    0,
  );

const specText = (key: string) => (object: JsonObject) => stringAt(object.spec, key) ?? '<none>';
const statusNumber = (key: string) => (object: JsonObject) => numberAt(object.status, key) ?? 0;

const eventTime = (event: JsonObject): string | undefined =>
  stringAt(event.series, 'lastObservedTime') ??
  stringAt(event, 'deprecatedLastTimestamp') ??
  stringAt(event, 'eventTime') ??
  stringAt(event.metadata, 'creationTimestamp');

export const BUILTIN_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  Node: [
    NAME,
    column('Status', nodeStatus),
    column('Roles', nodeRoles),
    AGE,
    column('Version', (node) => stringAt(objectAt(node.status, 'nodeInfo'), 'kubeletVersion') ?? ''),
    column('Internal-IP', address('InternalIP'), wide),
    column('External-IP', address('ExternalIP'), wide),
    column('OS-Image', nodeInfo('osImage'), wide),
    column('Kernel-Version', nodeInfo('kernelVersion'), wide),
    column('Container-Runtime', nodeInfo('containerRuntimeVersion'), wide),
  ],
  Pod: [
    NAME,
    column('Ready', podReady),
    column('Status', podStatus),
    column('Restarts', podRestarts),
    AGE,
    column('IP', (pod) => stringAt(pod.status, 'podIP') ?? '<none>', wide),
    column('Node', specText('nodeName'), wide),
    column('Nominated Node', (pod) => stringAt(pod.status, 'nominatedNodeName') ?? '<none>', wide),
  ],
  Lease: [NAME, column('Holder', (lease) => stringAt(lease.spec, 'holderIdentity') ?? ''), AGE],
  Event: [
    column('Last Seen', (event, now_ms) => age(now_ms, eventTime(event))),
    column('Type', (event) => stringAt(event, 'type') ?? ''),
    column('Reason', (event) => stringAt(event, 'reason') ?? ''),
    column('Object', (event) => {
      const regarding = objectAt(event, 'regarding');
      return `${String(regarding.kind ?? '').toLowerCase()}/${String(regarding.name ?? '')}`;
    }),
    column('Message', (event) => (stringAt(event, 'note') ?? '').trim()),
    column('Name', (event) => objectAt(event, 'metadata').name, wide),
  ],
  Namespace: [NAME, column('Status', (namespace) => stringAt(namespace.status, 'phase') ?? ''), AGE],
  Secret: [
    NAME,
    column('Type', (secret) => stringAt(secret, 'type') ?? ''),
    column('Data', (secret) => Object.keys(objectAt(secret, 'data')).length),
    AGE,
  ],
  ConfigMap: [NAME, column('Data', (map) => Object.keys(objectAt(map, 'data')).length), AGE],
  ReplicaSet: [
    NAME,
    column('Desired', (set) => numberAt(set.spec, 'replicas') ?? 0),
    column('Current', statusNumber('replicas')),
    column('Ready', statusNumber('readyReplicas')),
    AGE,
  ],
  PodDisruptionBudget: [
    NAME,
    column('Min Available', (budget) => String(objectAt(budget, 'spec').minAvailable ?? 'N/A')),
    column('Max Unavailable', (budget) => String(objectAt(budget, 'spec').maxUnavailable ?? 'N/A')),
    column('Allowed Disruptions', statusNumber('disruptionsAllowed')),
    AGE,
  ],
  CustomResourceDefinition: [
    NAME,
    column('Created At', (crd) => stringAt(crd.metadata, 'creationTimestamp') ?? ''),
  ],
};

export const DEFAULT_COLUMNS: readonly Column[] = [NAME, AGE];
