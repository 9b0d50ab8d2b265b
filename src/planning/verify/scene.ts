// A plan as kube-scheduler sees it: Nodes with what they have, Pods with what they ask for.
import { formatQuantity, NANO, type Quantity } from '../../platform/kube/quantity.ts';
import { type Offer, PlanError, type Wishes, type Workload } from '../model.ts';
import type { Plan, PlannedMachines } from '../plan.ts';
import { type Modelled, problemOf } from '../problem-of.ts';

/** What an API server and a scheduler on one machine hold, with their watchers. */
export const NODES_MAX = 5_000;
export const PODS_MAX = 100_000;

/** Resources that every kubelet reports; all others are extended ones, `drover.dev/resource-1` and on. */
const NATIVE: Record<string, { step: Quantity; suffix: string }> = {
  cpu: { step: NANO / 1000n, suffix: 'm' },
  memory: { step: NANO, suffix: '' },
  pods: { step: NANO, suffix: '' },
};
/** Where a class says nothing of them, Pods are not what runs out. */
const PODS_UNLIMITED = '1000000';

export type ResourceList = Readonly<Record<string, string>>;

export interface NodeKind {
  class: string;
  zone?: string;
  profile?: string;
  owned: boolean;
  count: number;
  /** Of one. */
  price: number;
  labels: ResourceList;
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

/** An extended resource, integers only: one of it is `unit` of what the plan calls `resource`. */
export interface ExtendedResource {
  resource: string;
  as: string;
  unit: string;
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

/** Throws PlanError where there is more than a control plane takes. Headroom is room that the scheduler may use. */
export function sceneOf(
  { workloads, offers, wishes }: { workloads: readonly Workload[]; offers: readonly Offer[]; wishes: Wishes },
  plan: Plan,
): Scene {
  const modelled = problemOf(workloads, offers, { ...wishes, headroom: 0 });
  const names = namesOf(modelled);
  const lostZone = wishes.loseZone ? fullestZone(plan.machines) : undefined;
  const classes = labelsOf(
    plan.machines.map((each) => each.class),
    'class',
  );
  const profiles = labelsOf(
    plan.machines.map(({ profile }) => profile ?? ''),
    'profile',
  );
  const counters = workloads.filter(({ perMachine }) => perMachine !== undefined && perMachine > 1);
  const counterOf = (workload: Workload) => `drover.dev/per-machine-${workloads.indexOf(workload) + 1}`;
  const perMachine = Object.fromEntries(counters.map((each) => [counterOf(each), String(each.perMachine)]));

  const nodes = plan.machines.flatMap((machines): NodeKind[] => {
    const count = machines.count - (machines.spare ?? 0);
    if (count === 0 || (lostZone !== undefined && machines.zone === lostZone)) return [];
    const { class: name, zone, profile, price } = machines;
    const labels = {
      [LABELS.class]: classes.get(name) ?? '',
      ...(zone && { [LABELS.zone]: zone }),
      ...(profile && { [LABELS.profile]: profiles.get(profile) ?? '' }),
    };
    const room = modelled.problem.bins[binOf(machines, modelled)]?.room ?? [];
    const allocatable = {
      pods: PODS_UNLIMITED,
      ...amountsOf(room, modelled, names, (amount, step) => amount / step),
      ...perMachine,
    };
    const place = { ...(zone && { zone }), ...(profile && { profile }) };
    return [{ class: name, ...place, owned: machines.owned ?? false, count, price, labels, allocatable }];
  });

  const zones = new Set(nodes.map(({ zone }) => zone));
  const largest = modelled.resources.map((_, at) =>
    Math.max(1, ...plan.machines.map((each) => modelled.problem.bins[binOf(each, modelled)]?.room[at] ?? 0)),
  );
  const labelOf = new Map(workloads.map(({ name }, at) => [name, `workload-${at + 1}`]));
  const pods = workloads.flatMap((workload): PodKind[] => {
    const count = workload.replicas - (plan.unplaced[workload.name] ?? 0);
    const item = modelled.items.findIndex((each) => each.workload === workload);
    if (count <= 0 || item < 0) return [];
    const need = modelled.problem.items[item]?.need ?? [];
    const allowed = classesOf(workload, offers, nodes);
    const apart = workload.perMachine === 1 ? [workload.name, ...workload.apart] : workload.apart;
    const { pods: _, ...requests } = amountsOf(
      need,
      modelled,
      names,
      (amount, step) => (amount + step - 1n) / step,
    );
    return [
      {
        workload: workload.name,
        label: labelOf.get(workload.name) ?? '',
        count,
        share: Math.max(...need.map((amount, at) => amount / (largest[at] as number))),
        requests: { ...requests, ...(counters.includes(workload) && { [counterOf(workload)]: '1' }) },
        ...(allowed && { classes: allowed.map((name) => classes.get(name) ?? '') }),
        apart: apart.flatMap((name) => labelOf.get(name) ?? []),
        spread: workload.spread && zones.size > 1,
      },
    ];
  });
  checkSize(nodes, pods);
  return {
    nodes,
    pods,
    resources: extendedOf(modelled, names, counters, counterOf),
    ...(lostZone !== undefined && { lostZone }),
    spares: plan.machines.reduce((sum, { spare }) => sum + (spare ?? 0), 0),
  };
}

export function countOf(kinds: readonly { count: number }[]): number {
  return kinds.reduce((sum, { count }) => sum + count, 0);
}

function checkSize(nodes: readonly NodeKind[], pods: readonly PodKind[]): void {
  if (countOf(nodes) > NODES_MAX || countOf(pods) > PODS_MAX)
    throw new PlanError(
      `the plan has ${countOf(nodes)} machines and ${countOf(pods)} Pods; ${NODES_MAX} and ${PODS_MAX} at most can be verified: verify a part of it`,
    );
}

/** By resource of the problem, as Kubernetes is told of it. */
function namesOf({ resources, steps, problem }: Modelled): string[] {
  let extended = 0;
  return resources.map((name, at) => {
    const native = NATIVE[name];
    // Every Pod counts as one Pod; where the plan counts otherwise, they are two things.
    const step = steps[at] as Quantity;
    const isCount =
      name !== 'pods' || problem.items.every(({ need }) => BigInt(need[at] as number) * step === NANO);
    return native && isCount ? name : `drover.dev/resource-${++extended}`;
  });
}

function amountsOf(
  amounts: readonly number[],
  { steps }: Modelled,
  names: readonly string[],
  divide: (amount: bigint, step: bigint) => bigint,
): Record<string, string> {
  const entries = names.map((name, at): [string, string] => {
    const native = NATIVE[name];
    const whole = BigInt(amounts[at] as number);
    if (!native) return [name, String(whole)];
    return [name, `${divide(whole * (steps[at] as Quantity), native.step)}${native.suffix}`];
  });
  return Object.fromEntries(entries.filter(([, amount]) => !/^0m?$/.test(amount)));
}

function extendedOf(
  { resources, steps }: Modelled,
  names: readonly string[],
  counters: readonly Workload[],
  counterOf: (workload: Workload) => string,
): ExtendedResource[] {
  return [
    ...resources.flatMap((resource, at) =>
      NATIVE[names[at] as string]
        ? []
        : [{ resource, as: names[at] as string, unit: formatQuantity(steps[at] as Quantity) }],
    ),
    ...counters.map((each) => ({
      resource: `${each.name} on one machine`,
      as: counterOf(each),
      unit: '1',
    })),
  ];
}

function binOf({ class: name, zone, profile, owned }: PlannedMachines, { bins }: Modelled): number {
  const at = bins.findIndex(
    (bin) =>
      bin.offer.name === name &&
      bin.zone === zone &&
      bin.profile === profile &&
      bin.offer.owned === (owned ?? false),
  );
  if (at < 0) throw new Error(`the plan has machines of ${name} that are not offered`);
  return at;
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

/** The names themselves where all can be labels, else all by number: so no two become one. */
function labelsOf(names: readonly string[], word: string): Map<string, string> {
  const all = [...new Set(names)].filter((name) => name !== '');
  const asTheyAre = all.every((name) => LABEL_VALUE.test(name));
  return new Map(all.map((name, at) => [name, asTheyAre ? name : `${word}-${at + 1}`]));
}
