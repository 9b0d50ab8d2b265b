import type { DisruptionBudget, TopologyKey } from '../api/disruption-budget.ts';
import { toMilliseconds } from '../api/fields.ts';
import type { Machine } from '../api/machine.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import { isDisruptive } from '../api/operation-types.ts';
import { labelsOf } from '../fleet/labels.ts';
import { matches } from '../platform/kube/labels.ts';

/** One budget with what is used of it now. */
export interface Stock {
  budget: DisruptionBudget;
  selected: number;
  /** Nodes that take Pods. */
  schedulable: number;
  /** Operations admitted and not ended on nodes that took Pods. */
  disrupted: number;
  inFlight: number;
  /** `disrupted` and `selected` by topology key and value. */
  within: Map<string, { selected: number; disrupted: number }>;
  /** Disruptions admitted within the budget's rate period. */
  recent: number;
}

export interface FleetState {
  machines: Iterable<Machine>;
  /** Admitted operations: those under way, and those that ended within the longest rate period. */
  operations: readonly NodeOperation[];
  takesPods(machine: string): boolean;
  now: number;
}

/** Topology values of a machine; undefined where it has none for the key. */
export function topologyOf(machine: Machine, key: TopologyKey): string | undefined {
  const { location, model, cluster } = machine.spec;
  if (key === 'model') return model;
  if (key === 'cluster') return cluster;
  // Racks are numbered anew in each zone.
  if (key === 'rack' && location.rack) return `${location.zone ?? ''}/${location.rack}`;
  return location[key as keyof typeof location];
}

/** Counts what every budget selects and has given out. One pass over the fleet for each budget. */
export function takeStock(budgets: Iterable<DisruptionBudget>, fleet: FleetState): Stock[] {
  const byMachine = new Map<string, NodeOperation[]>();
  for (const operation of fleet.operations) {
    const list = byMachine.get(operation.spec.machine);
    if (list) list.push(operation);
    else byMachine.set(operation.spec.machine, [operation]);
  }
  const stocks = [...budgets].map(
    (budget): Stock => ({
      budget,
      selected: 0,
      schedulable: 0,
      disrupted: 0,
      inFlight: 0,
      within: new Map(),
      recent: 0,
    }),
  );
  for (const machine of fleet.machines) {
    const labels = labelsOf(machine);
    const takesPods = fleet.takesPods(machine.metadata.name);
    const operations = byMachine.get(machine.metadata.name) ?? [];
    // Its cordon may not be there yet: it counts as away from its admission on.
    const givenOut = operations.some(takesAway);
    for (const stock of stocks) {
      if (!matches(stock.budget.spec.selector, labels)) continue;
      stock.selected++;
      if (takesPods && !givenOut) stock.schedulable++;
      for (const { key } of stock.budget.spec.per) cell(stock, machine, key).selected++;
      for (const operation of operations) count(stock, machine, operation, fleet.now);
    }
  }
  return stocks;
}

/** Takes a just admitted operation from the stocks that select its machine. */
export function charge(
  stocks: readonly Stock[],
  machine: Machine,
  operation: NodeOperation,
  now: number,
): void {
  const labels = labelsOf(machine);
  for (const stock of stocks) {
    if (!matches(stock.budget.spec.selector, labels)) continue;
    count(stock, machine, operation, now);
    if (takesAway(operation)) stock.schedulable--;
  }
}

/** The node takes Pods no more, because of this operation. */
function takesAway({ spec, status }: NodeOperation): boolean {
  return isDisruptive(spec.type) && status?.costsBudget === true && status.endedAt === undefined;
}

export function cell(
  stock: Stock,
  machine: Machine,
  key: TopologyKey,
): { selected: number; disrupted: number } {
  const name = `${key}=${topologyOf(machine, key) ?? ''}`;
  let found = stock.within.get(name);
  if (!found) {
    found = { selected: 0, disrupted: 0 };
    stock.within.set(name, found);
  }
  return found;
}

function count(stock: Stock, machine: Machine, operation: NodeOperation, now: number): void {
  const { status } = operation;
  if (!status?.admittedAt || !isDisruptive(operation.spec.type)) return;
  const { rate, per } = stock.budget.spec;
  if (rate && status.costsBudget && now - Date.parse(status.admittedAt) < toMilliseconds(rate.per))
    stock.recent++;
  if (status.endedAt) return;
  stock.inFlight++;
  if (!status.costsBudget) return;
  stock.disrupted++;
  for (const { key } of per) cell(stock, machine, key).disrupted++;
}
