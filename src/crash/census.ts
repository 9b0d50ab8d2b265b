// How many machines of each kind there are, once a day: crash rates and common causes need what did not crash.
import type { Machine } from '../api/machine.ts';
import { nodeNameOf } from '../fleet/labels.ts';
import type { NodeView } from '../fleet/node-view.ts';
import { attributesOf } from './attributes.ts';

/** Kinds of one day that are kept. Racks and kernels of 50,000 machines make some thousands. */
export const KINDS_MAX = 50_000;

export interface Kind {
  attributes: Record<string, string>;
  machines: number;
}

/** Machines with the same attributes are one kind. The most frequent first, and what is beyond the limit left out. */
export function censusOf(
  machines: Iterable<Machine>,
  nodeOf: (machine: Machine, node: string) => NodeView | undefined,
  now: number,
): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const machine of machines) {
    const attributes = attributesOf(machine, nodeOf(machine, nodeNameOf(machine)), now);
    const key = JSON.stringify(Object.entries(attributes).sort());
    const kind = kinds.get(key);
    if (kind) kind.machines++;
    else kinds.set(key, { attributes, machines: 1 });
  }
  return [...kinds.values()].sort((a, b) => b.machines - a.machines).slice(0, KINDS_MAX);
}
