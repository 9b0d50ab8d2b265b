// Building blocks of our resources. Every string and list is bounded: the API server works out the cost
// of CEL rules from these bounds and refuses a CRD that could be dear.
import { z } from 'zod';

/** Kubernetes' longest object name. */
export const NAME_LENGTH_MAX = 253;
/** Longest `metav1.Condition` message is 32 KiB; ours are for people and for one terminal. */
export const MESSAGE_LENGTH_MAX = 1024;

export const text = (length_max: number) => z.string().max(length_max);

export const objectName = () =>
  z
    .string()
    .min(1)
    .max(NAME_LENGTH_MAX)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

/** A label value, as node selectors and topology keys use them. */
export const labelValue = () =>
  z
    .string()
    .max(63)
    .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/);

/** RFC 3339. The API server checks `format: date-time`; zod does the same where it did not. */
export const time = () => z.iso.datetime({ offset: true }).max(64).meta({ format: 'date-time' });

/** A day: `2026-11-11`. */
export const date = () => z.iso.date({ error: 'is no date; write it like 2026-11-11' }).max(10);

const DURATION = /^([0-9]{1,6}(ms|s|m|h|d))+$/;

/** `90s`, `1h30m`, `2d`. */
export const duration = () => z.string().min(2).max(32).regex(DURATION);

/** A count, or a share of what is selected in percent: `3`, `2%`, `0.5%`. */
export const countOrShare = () =>
  z
    .string()
    .min(1)
    .max(8)
    .regex(/^([0-9]{1,6}|[0-9]{1,3}(\.[0-9]{1,2})?%)$/);

export const condition = z.object({
  type: text(64).min(1),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: text(64)
    .min(1)
    .regex(/^[A-Z][A-Za-z0-9]*$/),
  message: text(MESSAGE_LENGTH_MAX),
  lastTransitionTime: time(),
  observedGeneration: z.int().min(0).optional(),
});

export const conditions = () =>
  z
    .array(condition)
    .max(16)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] });

const labelKey = () => z.string().min(1).max(317);

export const labelSelector = () =>
  z.object({
    matchLabels: z
      .record(labelKey(), labelValue())
      .optional()
      .describe('Labels that must have these values.')
      .meta({ maxProperties: 32 }),
    matchExpressions: z
      .array(
        z.object({
          key: labelKey(),
          operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
          values: z.array(labelValue()).max(256).optional(),
        }),
      )
      .max(32)
      .optional(),
  });

/**
 * Why something happens or does not: the one record which reaches the condition, the Event,
 * `drover explain`, the history and the console unchanged.
 */
export const reason = z.object({
  reason: text(64)
    .min(1)
    .regex(/^[A-Z][A-Za-z0-9]*$/)
    .describe('One CamelCase word.'),
  message: text(MESSAGE_LENGTH_MAX).describe('A sentence for people: what, the numbers, who can lift it.'),
  evidence: z
    .record(text(64), text(256))
    .optional()
    .describe('The numbers and readings which the decision rests on.')
    .meta({ maxProperties: 24 }),
  until: time().optional().describe('When it is looked at again at the latest, where that is known.'),
});

export type Reason = z.infer<typeof reason>;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of a `duration()`. Throws on what the schema would not have let in. */
export function toMilliseconds(value: string): number {
  if (!DURATION.test(value)) throw new Error(`"${value}" is no duration; write it like 90s, 10m or 1h30m`);
  let total_ms = 0;
  for (const [, count, unit] of value.matchAll(/([0-9]+)(ms|s|m|h|d)/g)) {
    total_ms += Number(count) * (UNIT_MS[unit as string] as number);
  }
  return total_ms;
}

/**
 * How many a `countOrShare()` allows of `total`. A share is rounded down, but is at least 1: 2 % of a
 * fleet of 30 would otherwise forbid all work for ever.
 */
export function allowanceOf(value: string, total: number): number {
  if (!value.endsWith('%')) return Number(value);
  const hundredths = hundredthsOf(value);
  return hundredths === 0 ? 0 : Math.max(1, Math.floor((total * hundredths) / 10_000));
}

/** Hundredths of a percent of a share like `0.5%`: whole numbers, since 100 × 0.29 is less than 29. */
export function hundredthsOf(share: string): number {
  return Math.round(Number(share.slice(0, -1)) * 100);
}
