// What a file of rules may say. docs/crash-rules.md explains each field.
import { z } from 'zod';

/** What may be wrong with a kernel, in words that its developers use. */
export const CLASSES = [
  'memory-corruption',
  'bad-access',
  'null-pointer',
  'stack-overflow',
  'double-fault',
  'divide-error',
  'undefined-behaviour',
  'memory-leak',
  'data-race',
  'kernel-bug',
  'soft-lockup',
  'hard-lockup',
  'rcu-stall',
  'hung-task',
  'deadlock',
  'lock-misuse',
  'atomic-sleep',
  'reference-count',
  'object-life',
  'warning',
  'report',
  'panic',
  'hardware',
  'nmi',
  'planned',
  'reboot',
  'debug-limit',
  'test-harness',
] as const;
export type CrashClass = (typeof CLASSES)[number];

/** fatal: the machine dies of it; error: it limps on; warning: it goes on; note: counts only when nothing else is there. */
export const SEVERITIES = ['fatal', 'error', 'warning', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const WEIGHTS = ['certain', 'strong', 'weak'] as const;
export type Weight = (typeof WEIGHTS)[number];

const text = z.string().min(1).max(500);
const texts = z.array(text).max(100);
const near = z.array(z.union([text, texts.min(1)])).max(10);
const name = z.string().regex(/^[a-z][a-z0-9-]{1,40}$/, 'small letters, digits and hyphens');

export const formSchema = z.strictObject({
  when: text.optional(),
  near: near.optional(),
  lacks: text.optional(),
  title: text.optional(),
  alternatives: texts.optional(),
  class: z.enum(CLASSES).optional(),
  frame: texts.optional(),
  skip: texts.optional(),
  sorted: z.tuple([text, text]).optional(),
  torn: z.boolean().optional(),
});

export const reportRuleSchema = z.strictObject({
  rule: name,
  about: text,
  opens: texts.min(1),
  only: text.optional(),
  not: texts.default([]),
  class: z.enum(CLASSES),
  severity: z.enum(SEVERITIES),
  title: text,
  alternatives: texts.default([]),
  frame: texts.default([]),
  skip: texts.default([]),
  keep: texts.default([]),
  from: texts.default([]),
  near: near.default([]),
  next: text.optional(),
  stack: z.enum(['needed', 'optional']).default('needed'),
  absorbs: texts.default([]),
  continues: z.boolean().default(false),
  torn: z.boolean().default(false),
  boot: z.boolean().default(false),
  foreign: z.boolean().default(false),
  headless: z.boolean().default(false),
  unknown: text.optional(),
  forms: z.array(formSchema).max(50).default([]),
  tests: z
    .array(
      z.strictObject({
        log: text.max(5000),
        title: z.string().max(500),
        corrupted: z.boolean().default(false),
      }),
    )
    .min(1),
});

const signBase = { sign: name, opens: texts.min(1), not: texts.default([]), tests: texts.min(1) };
export const hardwareSchema = z.strictObject({ ...signBase, part: text, weight: z.enum(WEIGHTS) });
export const plannedSchema = z.strictObject({ ...signBase, means: text, ends: z.enum(['boot', 'crash']) });
const frameNames = z
  .array(
    z
      .string()
      .regex(/^(?:[^*]*\*?[^*]*|\*[^*]+\*)$/, 'a * at the start, the end or both, or one in the middle'),
  )
  .max(2000);
const framesSchema = z.record(z.string(), frameNames);

/** What a site may put into its own file; its rules stand before ours. */
export const siteSchema = z.strictObject({
  reports: z.array(reportRuleSchema).max(500).default([]),
  hardware: z.array(hardwareSchema).max(200).default([]),
  planned: z.array(plannedSchema).max(200).default([]),
  frames: framesSchema.default({}),
});

export type ReportRuleSource = z.infer<typeof reportRuleSchema>;
export type HardwareSource = z.infer<typeof hardwareSchema>;
export type PlannedSource = z.infer<typeof plannedSchema>;
export type FormSource = z.infer<typeof formSchema>;
export type Site = z.infer<typeof siteSchema>;
