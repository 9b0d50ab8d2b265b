// A plan as kube-scheduler sees it: Nodes with what they have, Pods with what they ask for.
import { type Offer, PlanError, type Wishes, type Workload } from '../model.ts';
import type { Plan, PlannedMachines } from '../plan.ts';
import { type Modelled, problemOf } from '../problem-of.ts';
import { type ExtendedResource, extendedOf, listOf, namesOf, type ResourceList } from './amounts.ts';

/** What an API server and a scheduler on one machine hold, with their watchers. */
export const NODES_MAX = 5_000;
export const PODS_MAX = 100_000;

/** Where a class says nothing of them, Pods are not what runs out. */
const PODS_UNLIMITED = '1000000';

export interface NodeKind {
  class: string;
  zone?: string;
  profile?: string;
  owned: boolean;
  count: number;
  /** Of one. */
  price: number;
  labels: Readonly<Record<string, string>>;
  allocatable: ResourceList;
}

export interface PodKind {
  workload: string;
  /** Its place among the workloads: the value of its label. */
  label: string;
  count: number;
  /** Of the resource that it needs most of, as a share of the largest machine. */
  share: number;
  requests: ResourceList;
  /** Labels of classes that it may be on; undefined: all of the plan. */
  classes?: readonly string[];
  /** Labels of workloads that it may not meet on a machine; its own, where one is the most on a machine. */
  apart: readonly string[];
  spread: boolean;
}

export interface Scene {
  nodes: NodeKind[];
  pods: PodKind[];
  resources: ExtendedResource[];
  /** Its machines are left out: the plan promises that it may fail. */
  lostZone?: string;
  /** Machines that are left out, since they are held for others that fail. */
  spares: number;
}

export const LABELS = {
  class: 'drover.dev/class',
  profile: 'drover.dev/offload-profile',
  zone: 'topology.kubernetes.io/zone',
  workload: 'drover.dev/workload',
} as const;

export interface SceneInput {
  workloads: readonly Workload[];
  offers: readonly Offer[];
  wishes: Wishes;
}

/** What is the same for all Nodes and Pods of a plan. */
interface Setting {
  input: SceneInput;
  plan: Plan;
  modelled: Modelled;
  /** Of resources, in the order of the problem. */
  names: readonly string[];
  /** Of workloads that may be more than once on a machine, but not as often as they fit: what counts them. */
  counters: ReadonlyMap<Workload, string>;
  classLabel(name: string): string;
  profileLabel(name: string): string;
  zoneLabel(name: string): string;
  lostZone: string | undefined;
}

/** Throws PlanError where there is more than a control plane takes. Headroom is room that the scheduler may use. */
export function sceneOf(input: SceneInput, plan: Plan): Scene {
  const { workloads, offers, wishes } = input;
  const modelled = problemOf(workloads, offers, { ...wishes, headroom: 0 });
  const setting: Setting = {
    input,
    plan,
    modelled,
    names: namesOf(modelled),
    counters: countersOf(workloads),
    classLabel: labelsOf(plan.machines, 'class'),
    profileLabel: labelsOf(plan.machines, 'profile'),
    zoneLabel: labelsOf(plan.machines, 'zone'),
    lostZone: wishes.loseZone ? fullestZone(plan.machines) : undefined,
  };
  const nodes = nodesOf(setting);
  const pods = podsOf(setting, nodes);
  if (countOf(nodes) > NODES_MAX || countOf(pods) > PODS_MAX)
    throw new PlanError(
      `the plan has ${countOf(nodes)} machines and ${countOf(pods)} Pods; ${NODES_MAX} and ${PODS_MAX} at most can be verified: verify a part of it`,
    );
  const { names, counters, lostZone } = setting;
  const counted = [...counters].map(([{ name }, as]) => ({
    resource: `${name} on one machine`,
    as,
    unit: '1',
  }));
  return {
    nodes,
    pods,
    resources: [...extendedOf(modelled, names), ...counted],
    ...(lostZone !== undefined && { lostZone }),
    spares: plan.machines.reduce((sum, { spare }) => sum + (spare ?? 0), 0),
  };
}

function nodesOf({ plan, modelled, names, counters, lostZone, ...labelled }: Setting): NodeKind[] {
  const most = Object.fromEntries([...counters].map(([{ perMachine }, as]) => [as, String(perMachine)]));
  return plan.machines.flatMap((machines): NodeKind[] => {
    const { class: name, zone, profile, price, owned = false } = machines;
    const count = machines.count - (machines.spare ?? 0);
    if (count === 0 || (lostZone !== undefined && zone === lostZone)) return [];
    const labels = {
      [LABELS.class]: labelled.classLabel(name),
      ...(zone && { [LABELS.zone]: labelled.zoneLabel(zone) }),
      ...(profile && { [LABELS.profile]: labelled.profileLabel(profile) }),
    };
    const room = listOf(roomOf(machines, modelled), modelled, names, 'Down');
    const allocatable = { pods: PODS_UNLIMITED, ...room, ...most };
    const place = { ...(zone && { zone }), ...(profile && { profile }) };
    return [{ class: name, ...place, owned, count, price, labels, allocatable }];
  });
}

function podsOf(setting: Setting, nodes: readonly NodeKind[]): PodKind[] {
  const { input, plan, modelled, names, counters, classLabel } = setting;
  const zones = new Set(nodes.map(({ zone }) => zone));
  const rooms = plan.machines.map((each) => roomOf(each, modelled));
  const largest = modelled.resources.map((_, at) => Math.max(1, ...rooms.map((room) => room[at] ?? 0)));
  const labels = new Map(input.workloads.map(({ name }, at) => [name, `workload-${at + 1}`]));
  const needs = new Map(
    modelled.items.map(({ workload }, at) => [workload, modelled.problem.items[at]?.need]),
  );
  return input.workloads.flatMap((workload): PodKind[] => {
    const { name, perMachine } = workload;
    const count = workload.replicas - (plan.unplaced[name] ?? 0);
    const need = needs.get(workload);
    if (count <= 0 || !need) return [];
    const allowed = classesOf(workload, input.offers, nodes);
    const apart = perMachine === 1 ? [name, ...workload.apart] : workload.apart;
    // Every Pod counts as one without being asked.
    const { pods: _, ...requests } = listOf(need, modelled, names, 'Up');
    const counter = counters.get(workload);
    return [
      {
        workload: name,
        label: labels.get(name) ?? '',
        count,
        share: Math.max(...need.map((amount, at) => amount / (largest[at] as number))),
        requests: { ...requests, ...(counter && { [counter]: '1' }) },
        ...(allowed && { classes: allowed.map(classLabel) }),
        apart: apart.flatMap((other) => labels.get(other) ?? []),
        spread: workload.spread && zones.size > 1,
      },
    ];
  });
}

export function countOf(kinds: readonly { count: number }[]): number {
  return kinds.reduce((sum, { count }) => sum + count, 0);
}

function countersOf(workloads: readonly Workload[]): Map<Workload, string> {
  return new Map(
    workloads.flatMap((workload, at): [Workload, string][] =>
      (workload.perMachine ?? 1) > 1 ? [[workload, `drover.dev/per-machine-${at + 1}`]] : [],
    ),
  );
}

function roomOf(
  { class: name, zone, profile, owned }: PlannedMachines,
  modelled: Modelled,
): readonly number[] {
  const at = modelled.bins.findIndex(
    (bin) =>
      bin.offer.name === name &&
      bin.zone === zone &&
      bin.profile === profile &&
      bin.offer.owned === (owned ?? false),
  );
  const bin = modelled.problem.bins[at];
  if (!bin) throw new Error(`the plan has machines of ${name} that are not offered`);
  return bin.room;
}

/** Undefined where every class of the plan will do. */
function classesOf(
  { classes, kind }: Workload,
  offers: readonly Offer[],
  nodes: readonly NodeKind[],
): string[] | undefined {
  const used = [...new Set(nodes.map((node) => node.class))];
  const suits = (offer: Offer) =>
    (classes?.includes(offer.name) ?? true) && (kind === undefined || (offer.kinds?.includes(kind) ?? true));
  const allowed = used.filter((name) => offers.some((offer) => offer.name === name && suits(offer)));
  return allowed.length < used.length ? allowed : undefined;
}

/** The zone whose loss takes most machines. */
function fullestZone(machines: readonly PlannedMachines[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { zone, count } of machines) if (zone) counts.set(zone, (counts.get(zone) ?? 0) + count);
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0];
}

const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** Names themselves where all can be labels, else all by number: so no two become one. */
function labelsOf(
  machines: readonly PlannedMachines[],
  of: 'class' | 'profile' | 'zone',
): (name: string) => string {
  const all = [...new Set(machines.flatMap((each) => each[of] ?? []))];
  const asTheyAre = all.every((name) => LABEL_VALUE.test(name));
  const labels = new Map(all.map((name, at) => [name, asTheyAre ? name : `${of}-${at + 1}`]));
  return (name) => labels.get(name) ?? '';
}
