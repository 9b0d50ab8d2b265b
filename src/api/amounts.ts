// Amounts of resources, as machines have them and Pods need them, and what they cost.
import { z } from 'zod';
import { parseQuantity } from '../platform/kube/quantity.ts';

const RESOURCES_MAX = 32;
const QUANTITY_LENGTH_MAX = 32;
/** What `parseQuantity` takes, but for a sign. */
const QUANTITY = '^([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]{1,2}|Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)?$';
const WRITTEN = new RegExp(QUANTITY);

/** A Kubernetes quantity of 0 or more: 16, `500m`, `60Gi`. */
export const quantity = () =>
  z
    .union([z.int(), z.string()], { error: ({ input }) => noQuantity(input) })
    .superRefine((value, context) => {
      const amount = String(value).length > QUANTITY_LENGTH_MAX ? undefined : parseQuantity(String(value));
      if (amount !== undefined && amount < 0n) context.addIssue(`${value} is negative; 0 or more is wanted`);
      else if (!WRITTEN.test(String(value)) || amount === undefined) context.addIssue(noQuantity(value));
    })
    .meta({
      'x-kubernetes-int-or-string': true,
      minimum: 0,
      maxLength: QUANTITY_LENGTH_MAX,
      pattern: QUANTITY,
    });

/** By name of the resource, so that any that a machine runs short of can be counted. */
export const amounts = () =>
  boundedMap(
    z
      .string()
      .max(128)
      .regex(/^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$/),
    quantity(),
    RESOURCES_MAX,
  );

/** A map whose size is bounded here as at the API. */
export function boundedMap<Value extends z.ZodType>(key: z.ZodString, value: Value, size_max: number) {
  return z
    .record(key, value)
    .refine((map) => Object.keys(map).length <= size_max, `must have at most ${size_max} entries`)
    .meta({ maxProperties: size_max });
}

/** Money in whatever unit all prices are in. As text, since binary fractions are not exact. */
export const price = () =>
  z
    .string({ error: 'write the price as text: "12.50"' })
    .max(32)
    .regex(/^[0-9]{1,12}(\.[0-9]{1,9})?$/, 'is no price; write it like "12.50"');

/** A key that is there a second time. The API refuses that in lists with keys; in files we do. */
export function twice(keys: readonly string[]): string | undefined {
  return keys.find((key, at) => keys.indexOf(key) < at);
}

function noQuantity(value: unknown): string {
  const text = String(value);
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  const numbers = typeof value === 'number' ? ', as text where it is no whole number' : '';
  return `"${shown}" is no quantity; write it like 16, 500m or 60Gi${numbers}`;
}
