// What readers of custom resources share: objects and where they were written, sums, and how faults are told.
import type { Kind, ObjectOf } from '../../api/kind.ts';
import { parseAs } from '../../api/parse.ts';
import type { KubeObject } from '../../platform/kube/objects.ts';
import { parseQuantity } from '../../platform/kube/quantity.ts';
import { type Amounts, PlanError } from '../model.ts';

const NAMES_SHOWN_MAX = 10;

/** An object that nobody has checked yet. */
export interface Written {
  /** `fleet.yaml, document 3`, or `cluster home`. */
  from: string;
  object: KubeObject;
}

export interface Read<T> {
  /** `fleet.yaml, document 3, MachineClass/ebmc6`. */
  from: string;
  name: string;
  spec: T;
}

/** All objects of the kind; throws for the first that its schema refuses, and for a name that is there twice. */
export function readAs<K extends Kind>(kind: K, written: readonly Written[]): Read<ObjectOf<K>['spec']>[] {
  const places = new Map<string, string>();
  return written
    .filter(({ object }) => object.kind === kind.resource.kind)
    .map(({ from: place, object }) => {
      const { name } = object.metadata;
      const from = `${place}, ${object.kind}/${name}`;
      const before = places.get(name);
      if (before)
        throw fault(from, 'metadata.name', `"${name}" is there already, in ${before}; write it once`);
      places.set(name, place);
      const parsed = parseAs(kind, object);
      if (!parsed.ok) throw new PlanError(`${from}: ${parsed.message}`);
      return { from, name, spec: parsed.value.spec };
    });
}

export function fault(from: string, field: string, message: string): PlanError {
  return new PlanError(`${from}: ${field}: ${message}`);
}

/** Of a map that the schema has let in. */
export function amountsIn(map: Readonly<Record<string, number | string>> | undefined): Amounts {
  return new Map(
    Object.entries(map ?? {}).map(([name, written]) => [name, parseQuantity(String(written)) ?? 0n]),
  );
}

/** By name, exactly. */
export function sumOf(all: readonly Amounts[]): Amounts {
  const sum = new Map<string, bigint>();
  for (const [name, amount] of all.flatMap((amounts) => [...amounts]))
    sum.set(name, (sum.get(name) ?? 0n) + amount);
  return sum;
}

export function isNothing(amounts: Amounts): boolean {
  return [...amounts.values()].every((amount) => amount === 0n);
}

export function listed(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN_MAX;
  return `${names.slice(0, NAMES_SHOWN_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
