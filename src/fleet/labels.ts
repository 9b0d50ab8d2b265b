import type { Machine } from '../api/machine.ts';

/** Where a machine stands and what it is, as labels that selectors of policies and budgets may name. */
export const LABEL_PREFIX = 'drover.dev/';

/** Machines of a cache are never changed, only replaced: the gate asks for the labels of all at each count. */
const known = new WeakMap<Machine, Readonly<Record<string, string>>>();

/** A machine's own labels, and `drover.dev/{cluster,model,region,zone,rack,…}` from its spec. */
export function labelsOf(machine: Machine): Readonly<Record<string, string>> {
  let labels = known.get(machine);
  if (!labels) {
    labels = workedOut(machine);
    known.set(machine, labels);
  }
  return labels;
}

function workedOut(machine: Machine): Record<string, string> {
  const labels: Record<string, string> = { ...machine.metadata.labels };
  labels[`${LABEL_PREFIX}cluster`] = machine.spec.cluster;
  if (machine.spec.model) labels[`${LABEL_PREFIX}model`] = machine.spec.model;
  for (const [key, value] of Object.entries(machine.spec.location))
    if (value) labels[LABEL_PREFIX + key] = value;
  return labels;
}

/** Name of the Node that a machine is. */
export function nodeNameOf(machine: Machine): string {
  return machine.spec.nodeName ?? machine.metadata.name;
}
