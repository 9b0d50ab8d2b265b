// A WorkloadProfile as a workload: its outer size, how many there are on a day, and where they may be.
import { twice } from '../../api/amounts.ts';
import { CONTAINER_ROLES, NO_NEED, NO_REPLICAS, type WorkloadProfile } from '../../api/workload-profile.ts';
import { NANO, parseQuantity } from '../../platform/kube/quantity.ts';
import { replicasOn } from '../by-date.ts';
import type { Amounts, Offer, Workload } from '../model.ts';
import { amountsIn, fault, isNothing, listed, type Read, sumOf } from './written.ts';

type Profile = Read<WorkloadProfile['spec']>;

/** What a profile may name. */
export interface Known {
  offers: readonly Offer[];
  /** Resources that offers name. */
  resources: ReadonlySet<string>;
  /** Those of which a Pod needs one, if it says nothing else. */
  ones: readonly string[];
  classes: ReadonlySet<string>;
  profiles: ReadonlySet<string>;
}

/** Throws a PlanError that names object and field. */
export function workloadOf(read: Profile, known: Known, at: string | undefined): Workload {
  const { spec, from, name } = read;
  checkForm(read);
  checkNames(read, known);
  const containers = new Map(
    CONTAINER_ROLES.flatMap((role): [string, Amounts][] => {
      const its = spec.containers.filter((container) => container.role === role);
      return its.length > 0 ? [[role, sumOf(its.map(({ resources }) => amountsIn(resources)))]] : [];
    }),
  );
  const said = sumOf([...containers.values(), amountsIn(spec.resources)]);
  if (isNothing(said))
    throw fault(
      from,
      'spec.resources',
      'all amounts are 0: a Pod that needs nothing fits anywhere, and can’t be planned for',
    );
  const ones = known.ones.filter((resource) => !said.has(resource));
  return {
    name,
    from,
    replicas: replicasOn(spec, at),
    need: new Map([...said, ...ones.map((resource) => [resource, NANO] as const)]),
    part: spec.kind === 'Offline' ? 'Offline' : 'Online',
    kind: spec.kind,
    ...(spec.classes.length > 0 && { classes: spec.classes }),
    ...(spec.perMachine !== undefined && { perMachine: spec.perMachine }),
    apart: spec.apart,
    spread: spec.spread,
    ...(containers.size > 0 && { containers }),
    ...(spec.cloudDiskSize !== undefined && {
      cloudDiskSize: parseQuantity(String(spec.cloudDiskSize)) ?? 0n,
    }),
  };
}

/** What the API checks by list keys and rules. */
function checkForm({ from, spec }: Profile): void {
  const { containers, series } = spec;
  const container = twice(containers.map(({ name }) => name));
  if (container !== undefined)
    throw fault(from, 'spec.containers', `${container} is there twice; write it once`);
  const date = twice(series.map((each) => each.date));
  if (date !== undefined) throw fault(from, 'spec.series', `${date} is there twice; write it once`);
  if (spec.replicas === undefined && series.length === 0) throw fault(from, 'spec.replicas', NO_REPLICAS);
  if (containers.length === 0 && Object.keys(spec.resources).length === 0)
    throw fault(from, 'spec.containers', NO_NEED);
}

function checkNames(read: Profile, known: Known): void {
  const { from, name, spec } = read;
  spec.apart.forEach((other, at) => {
    const field = `spec.apart[${at}]`;
    if (other === name)
      throw fault(from, field, 'it names itself; perMachine: 1 keeps Pods of one profile from one another');
    if (!known.profiles.has(other))
      throw fault(
        from,
        field,
        `there is no WorkloadProfile "${other}"; there are ${listed([...known.profiles])}`,
      );
  });
  // Without any class there is one thing to say, and whoever asks for the plan says it.
  if (known.offers.length === 0) return;
  spec.classes.forEach((each, at) => {
    if (!known.classes.has(each))
      throw fault(
        from,
        `spec.classes[${at}]`,
        `there is no MachineClass "${each}"; there are ${listed([...known.classes])}`,
      );
  });
  for (const [field, resources] of mapsOf(read))
    for (const [resource, amount] of amountsIn(resources))
      if (amount > 0n && !known.resources.has(resource))
        throw fault(
          from,
          `${field}.${resource}`,
          `no class has ${resource}; there are ${listed([...known.resources].sort())}`,
        );
}

function mapsOf({ spec }: Profile): [string, Readonly<Record<string, number | string>>][] {
  return [
    ...spec.containers.map(({ resources }, at): [string, typeof resources] => [
      `spec.containers[${at}].resources`,
      resources,
    ]),
    ['spec.resources', spec.resources],
  ];
}
