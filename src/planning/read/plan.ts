// A plan as `drover plan -o json` wrote it.
import { z } from 'zod';
import { reason } from '../../api/fields.ts';
import { PlanError } from '../model.ts';
import type { Plan } from '../plan.ts';

const share = z
  .number()
  .min(-1e-9)
  .max(1 + 1e-9);

const amounts = z.record(z.string(), z.number().min(0));

const plan = z.object({
  pods: z
    .array(
      z.object({
        name: z.string(),
        replicas: z.int().min(0),
        size: amounts,
        containers: z.record(z.string(), amounts).optional(),
        cloudDiskSize: z.number().min(0).optional(),
      }),
    )
    .default([]),
  machines: z.array(
    z.object({
      class: z.string(),
      zone: z.string().optional(),
      profile: z.string().optional(),
      owned: z.literal(true).optional(),
      count: z.int().min(0),
      spare: z.int().min(0).optional(),
      price: z.number().min(0),
      cost: z.number().min(0),
      patterns: z.array(z.object({ count: z.int().min(1), pods: z.record(z.string(), z.int().min(1)) })),
    }),
  ),
  cost: z.number().min(0),
  bound: z.number().min(0),
  gap: share,
  unplaced: z.record(z.string(), z.int().min(1)),
  waste: z.array(
    z.object({
      class: z.string(),
      machines: z.int().min(0),
      resource: z.string(),
      has: z.number(),
      used: share,
      idle: share,
      because: z.array(z.object({ resource: z.string(), idle: share, has: z.number() })),
      noMorePods: share,
    }),
  ),
  limits: z.array(
    z.object({
      class: z.string(),
      resource: z.string(),
      has: z.number(),
      tried: z.number(),
      perUnit: z.number(),
      cost: z.number().optional(),
      saving: z.number().optional(),
      machines: z.object({ before: z.int(), after: z.int() }).optional(),
    }),
  ),
  changes: z
    .array(
      z.object({
        what: z.string(),
        cost: z.number(),
        bound: z.number(),
        saving: z.number(),
        machines: z.object({ before: z.int(), after: z.int() }),
        unplaced: z.record(z.string(), z.int()),
      }),
    )
    .default([]),
  reasons: z.array(reason),
});

/** Throws a PlanError that names the field. */
export function planIn(text: string, file: string): Plan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PlanError(`${file}: is no JSON; a plan is wanted as "drover plan -o json" writes it`);
  }
  const { success, data, error } = plan.safeParse(value);
  if (success) return data as Plan;
  const [issue] = error.issues;
  throw new PlanError(
    `${file}: ${issue?.path.join('.') || 'the file'}: ${issue?.message}; a plan is wanted as "drover plan -o json" writes it`,
  );
}
