// For tests: objects as the API server would hand them out, and machines as our witnesses would see them.
import { type DisruptionBudget, disruptionBudgetKind } from './api/disruption-budget.ts';
import { type HealingPolicy, healingPolicyKind } from './api/healing-policy.ts';
import { type Incident, incidentKind } from './api/incident.ts';
import type { Kind, ObjectOf } from './api/kind.ts';
import { type Machine, machineKind } from './api/machine.ts';
import { type NodeOperation, nodeOperationKind } from './api/node-operation.ts';
import { parseAs } from './api/parse.ts';
import type { NodeView } from './fleet/node-view.ts';
import type { Clock } from './platform/clock/clock.ts';
import type { Answer } from './platform/hosts/prober.ts';
import type { KubeObject } from './platform/kube/objects.ts';
import { abilities, type Power, type Reading } from './platform/providers/provider.ts';
import type { Belief, ConsoleSign } from './signals/belief.ts';
import { symptomsOf } from './signals/symptoms.ts';

export const NOW = Date.UTC(2026, 0, 2, 3, 10, 0);
/** RFC 3339 of so many seconds after NOW. */
export const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

/** A clock that only a test moves. What sleeps needs a VirtualClock. */
export function steppedClock(): Clock & { step(seconds: number): void } {
  let now = NOW;
  const step = (seconds: number) => {
    now += seconds * 1000;
  };
  return { now: () => now, step } as Clock & { step(seconds: number): void };
}

type Metadata = Partial<KubeObject['metadata']>;

/** With all defaults; throws on what the schema would not let in. */
export function make<K extends Kind>(
  kind: K,
  name: string,
  spec: unknown,
  status: unknown = {},
  metadata: Metadata = {},
): ObjectOf<K> {
  const { group, version, kind: kindName } = kind.resource;
  const object = {
    apiVersion: `${group}/${version}`,
    kind: kindName,
    metadata: { name, generation: 1, ...metadata },
    spec,
    status,
  };
  const parsed = parseAs(kind, object as KubeObject);
  if (!parsed.ok) throw new Error(parsed.message);
  kind.status.parse(status);
  return parsed.value;
}

export function machine(
  spec: Record<string, unknown> = {},
  { name = 'm1', status = {}, ...metadata }: Metadata & { status?: unknown } = {},
): Machine {
  const whole = {
    provider: { name: 'ecs', id: `i-${name}` },
    location: { zone: 'z1', rack: 'r1' },
    ...spec,
  };
  return make(machineKind, name, whole, status, metadata);
}

export const policy = (spec: Record<string, unknown> = {}, name = 'default'): HealingPolicy =>
  make(healingPolicyKind, name, spec);

export const budget = (spec: Record<string, unknown> = {}, name = 'default'): DisruptionBudget =>
  make(disruptionBudgetKind, name, spec);

export function operation(
  spec: Record<string, unknown> = {},
  status: unknown = {},
  metadata: Metadata = {},
): NodeOperation {
  const whole = {
    machine: 'm1',
    node: 'm1',
    type: 'Reboot',
    reason: { kind: 'Incident', name: 'm1-x' },
    ...spec,
  };
  const { name = 'm1-x-1', ...rest } = metadata;
  return make(nodeOperationKind, name, whole, status, {
    uid: `uid-${name}`,
    creationTimestamp: at(0),
    ...rest,
  });
}

export const incident = (status: unknown = {}, metadata: Metadata = {}): Incident =>
  make(incidentKind, metadata.name ?? 'm1-x', { machine: 'm1', node: 'm1' }, status, {
    creationTimestamp: at(0),
    ...metadata,
  });

export const nodeView = (more: Partial<NodeView> = {}): NodeView => ({
  name: 'm1',
  ready: 'True',
  readyReason: 'KubeletReady',
  readyMessage: '',
  bootID: 'boot-1',
  kernelVersion: '6.6.1',
  unschedulable: false,
  cordonedBy: '',
  freedBy: '',
  address: '10.0.0.1',
  conditions: {},
  osImage: '',
  architecture: '',
  instanceType: '',
  ...more,
});

/** What each witness says; one that is undefined was not asked. */
export interface Looks {
  ssh?: Answer | undefined;
  kubelet?: Answer | undefined;
  ready?: 'True' | 'False' | 'Unknown' | undefined;
  readyMessage?: string;
  bootID?: string;
  cordonedBy?: string;
  /** The Node does not exist. */
  noNode?: boolean;
  lease?: 'Moving' | 'Stalled' | undefined;
  power?: Power | undefined;
  console?: ConsoleSign | undefined;
  maintenance?: string;
}

export const WELL: Looks = { ssh: 'Answers', kubelet: 'Answers', ready: 'True' };
/** No answer on any port, and the control plane misses it too. */
export const SILENT: Looks = { ssh: 'Timeout', kubelet: 'Timeout', ready: 'Unknown', lease: 'Stalled' };
export const PANICKED: Looks = { ...SILENT, power: 'On', console: 'Panicked' };
export const DUMPING: Looks = { ...SILENT, power: 'On', console: 'Dumping' };

/** A line of the console that carries the sign. */
export const CONSOLE_LINES: Readonly<Record<ConsoleSign, string>> = {
  None: 'audit: type=1400',
  Running: 'host login:',
  Booting: 'Linux version 6.6.1',
  Panicked: 'Kernel panic - not syncing: Fatal exception',
  Dumping: 'kdump: saving vmcore',
  LinkDown: 'eth0: NIC Link is Down',
  LockedUp: 'watchdog: BUG: soft lockup - CPU#3 stuck for 22s!',
  ShutDown: 'reboot: Power down',
};

export const reading = (more: Partial<Reading> = {}): Reading => ({
  power: 'On',
  console: [],
  can: abilities(true, {}),
  ...more,
});

/** A machine that has looked like this for `for_s` seconds, its readings taken just now. */
export function beliefOf(looks: Looks = WELL, for_s = 30, now = NOW): Belief {
  const since = now - for_s * 1000;
  const belief: Belief = {
    machine: 'm1',
    cluster: 'home',
    node: 'm1',
    location: { zone: 'z1', rack: 'r1' },
    labels: {},
    model: '',
    ready: { value: looks.ready ?? 'Unknown', since },
    boot: { value: looks.bootID ?? 'boot-1', since: 0 },
  };
  if (!looks.noNode && looks.ready) belief.nodeFace = nodeView(viewOf(looks));
  if (looks.ssh) belief.ssh = { value: looks.ssh, since };
  if (looks.kubelet) belief.kubelet = { value: looks.kubelet, since };
  if (looks.lease) {
    const movedAt = looks.lease === 'Moving' ? now : now - 40_000;
    belief.lease = { renewTime: at(0), movedAt, readAt: now };
  }
  if (looks.power) belief.power = { value: looks.power, since, readAt: now };
  if (looks.console) belief.console = { value: looks.console, since, readAt: now };
  if (looks.maintenance) belief.maintenance = looks.maintenance;
  if (symptomsOf(belief, now).length > 0) belief.sickSince = since;
  else belief.wellSince = since;
  return belief;
}

/** The part of what is seen that the Node shows. */
export function viewOf(looks: Looks): Partial<NodeView> {
  return {
    ready: looks.ready ?? 'Unknown',
    bootID: looks.bootID ?? 'boot-1',
    readyMessage: looks.readyMessage ?? '',
    cordonedBy: looks.cordonedBy ?? '',
    unschedulable: (looks.cordonedBy ?? '') !== '',
  };
}
