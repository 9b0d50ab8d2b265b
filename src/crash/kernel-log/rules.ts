// The rule tables, from YAML to what the reader runs on. They are data: see src/crash/rules and docs/crash-rules.md.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { NameSet } from './frames.ts';
import { type Needles, needlesOf } from './needles.ts';
import { compileOpening, compilePattern, type Pattern } from './pattern.ts';

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

const formSchema = z.strictObject({
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
    .array(z.strictObject({ log: text.max(5000), title: z.string().max(500), corrupted: z.boolean().default(false) }))
    .min(1),
});

const signBase = { sign: name, opens: texts.min(1), not: texts.default([]), tests: texts.min(1) };
export const hardwareSchema = z.strictObject({ ...signBase, part: text, weight: z.enum(WEIGHTS) });
export const plannedSchema = z.strictObject({ ...signBase, means: text, ends: z.enum(['boot', 'crash']) });
const frameNames = z.array(z.string().regex(/^(?:[^*]*\*?[^*]*|\*[^*]+\*)$/, 'a * at the start, the end or both, or one in the middle')).max(2000);
const framesSchema = z.record(z.string(), frameNames);

/** What a site may put into its own file; its rules stand before ours. */
const siteSchema = z.strictObject({
  reports: z.array(reportRuleSchema).max(500).default([]),
  hardware: z.array(hardwareSchema).max(200).default([]),
  planned: z.array(plannedSchema).max(200).default([]),
  frames: framesSchema.default({}),
});

export type ReportRuleSource = z.infer<typeof reportRuleSchema>;
export type HardwareSource = z.infer<typeof hardwareSchema>;
export type PlannedSource = z.infer<typeof plannedSchema>;
type FormSource = z.infer<typeof formSchema>;

export interface Form extends Omit<FormSource, 'when' | 'near' | 'lacks' | 'skip'> {
  when?: Pattern;
  near: readonly (readonly Pattern[])[];
  lacks?: Pattern;
  skip?: readonly NameSet[];
}

export interface ReportRule extends Omit<ReportRuleSource, 'opens' | 'not' | 'near' | 'from' | 'forms' | 'skip' | 'absorbs'> {
  opens: readonly Pattern[];
  not: readonly Pattern[];
  near: readonly (readonly Pattern[])[];
  from: readonly Pattern[];
  skip: readonly NameSet[];
  absorbs: ReadonlySet<string>;
  forms: readonly Form[];
}

export interface Sign {
  name: string;
  not: readonly Pattern[];
  hardware?: { part: string; weight: Weight };
  planned?: { means: string; ends: 'boot' | 'crash' };
}

/** A pattern whose needle was found: what it stands for. `order` is that of the table. */
export type Trigger = { pattern: Pattern; order: number } & ({ rule: ReportRule } | { sign: Sign });

export interface RuleSet {
  needles: Needles;
  /** By number of the needle. */
  triggers: readonly (readonly Trigger[])[];
  everywhere: NameSet;
  dispatch: NameSet;
  /** A stack with one of these is not that of the report. */
  foreign: NameSet;
  /** Lines that begin such a stack. */
  foreignLines: readonly Pattern[];
  sources: { reports: readonly ReportRuleSource[]; hardware: readonly HardwareSource[]; planned: readonly PlannedSource[] };
}

/** Something is wrong with a rule file; says where and what would be right. */
export class RuleError extends Error {
  override readonly name = 'RuleError';
}

export interface RuleFile {
  name: string;
  text: string;
}

const OWN = new URL('../rules/', import.meta.url);

/**
 * Our tables, after those of the site.
 *
 * @throws RuleError naming file, rule and field
 */
export function loadRules(site: readonly RuleFile[] = []): RuleSet {
  const own = (file: string): unknown => parse(readFileSync(new URL(file, OWN), 'utf8'));
  const tables = [
    ...site.map(({ name, text }) => checked(name, parsed(name, text), siteSchema)),
    checked(
      'built-in',
      {
        reports: own('reports.yaml'),
        hardware: own('hardware.yaml'),
        planned: own('planned.yaml'),
        frames: own('frames.yaml'),
      },
      siteSchema,
    ),
  ];
  return compile(tables);
}

let builtIn: RuleSet | undefined;

/** Those that come with Drover, read once. */
export function builtInRules(): RuleSet {
  builtIn ??= loadRules();
  return builtIn;
}

function parsed(file: string, source: string): unknown {
  try {
    return parse(source);
  } catch (error) {
    throw new RuleError(`${file}: not YAML: ${error instanceof Error ? error.message : error}`);
  }
}

function checked(file: string, value: unknown, schema: typeof siteSchema): z.infer<typeof siteSchema> {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RuleError(`${file}: ${issue?.path.join('.') || 'file'}: ${issue?.message}`);
}

function compile(tables: readonly z.infer<typeof siteSchema>[]): RuleSet {
  const lists: Record<string, string[]> = {};
  for (const { frames } of tables)
    for (const [list, names] of Object.entries(frames)) lists[list] = [...(lists[list] ?? []), ...names];
  const sets = new Map(Object.entries(lists).map(([list, names]) => [list, new NameSet(names)]));
  const reports = unique(tables.flatMap(({ reports }) => reports), ({ rule }) => rule);
  const hardware = unique(tables.flatMap(({ hardware }) => hardware), ({ sign }) => sign);
  const planned = unique(tables.flatMap(({ planned }) => planned), ({ sign }) => sign);

  const triggers: Trigger[] = [];
  for (const source of reports) {
    const rule = reportRule(source, sets);
    for (const pattern of rule.opens) triggers.push({ pattern, order: triggers.length, rule });
  }
  const signs: { sign: Sign; opens: readonly string[] }[] = [
    ...hardware.map(({ sign: name, opens, not, part, weight }) => ({
      sign: { name, not: patterns(name, not), hardware: { part, weight } },
      opens,
    })),
    ...planned.map(({ sign: name, opens, not, means, ends }) => ({
      sign: { name, not: patterns(name, not), planned: { means, ends } },
      opens,
    })),
  ];
  for (const { sign, opens } of signs)
    for (const pattern of patterns(sign.name, opens, compileOpening)) triggers.push({ pattern, order: triggers.length, sign });

  const needles = [...new Set(triggers.map(({ pattern }) => pattern.needle))];
  return {
    needles: needlesOf(needles),
    triggers: needles.map((needle) => triggers.filter(({ pattern }) => pattern.needle === needle)),
    foreign: sets.get('foreign') ?? new NameSet([]),
    foreignLines: triggers.flatMap((each) => ('rule' in each && each.rule.foreign ? [each.pattern] : [])),
    everywhere: sets.get('everywhere') ?? new NameSet([]),
    dispatch: sets.get('dispatch') ?? new NameSet([]),
    sources: { reports, hardware, planned },
  };
}

/** The first of a name counts: a site's rule takes the place of ours. */
function unique<T>(all: readonly T[], nameOf: (each: T) => string): T[] {
  const seen = new Map<string, T>();
  for (const each of all) if (!seen.has(nameOf(each))) seen.set(nameOf(each), each);
  return [...seen.values()];
}

function reportRule(source: ReportRuleSource, sets: ReadonlyMap<string, NameSet>): ReportRule {
  const where = source.rule;
  return {
    ...source,
    opens: patterns(where, source.opens, compileOpening),
    not: patterns(where, source.not),
    near: nearOf(where, source.near),
    from: patterns(where, source.from),
    skip: listsOf(where, source.skip, sets),
    absorbs: new Set(source.absorbs),
    forms: source.forms.map(({ when, near, lacks, skip, ...rest }) => ({
      ...rest,
      ...(when && { when: pattern(where, when) }),
      ...(lacks && { lacks: pattern(where, lacks) }),
      ...(skip && { skip: listsOf(where, skip, sets) }),
      near: nearOf(where, near ?? []),
    })),
  };
}

function listsOf(where: string, names: readonly string[], sets: ReadonlyMap<string, NameSet>): NameSet[] {
  return names.map((name) => {
    const set = sets.get(name);
    if (set) return set;
    throw new RuleError(`rule ${where}: skip: no list "${name}"; there are ${[...sets.keys()].join(', ')}`);
  });
}

function nearOf(where: string, near: readonly (string | readonly string[])[]): Pattern[][] {
  return near.map((one) => patterns(where, typeof one === 'string' ? [one] : one));
}

function patterns(where: string, sources: readonly string[], compile = compilePattern): Pattern[] {
  return sources.map((source) => pattern(where, source, compile));
}

function pattern(where: string, source: string, compile = compilePattern): Pattern {
  try {
    return compile(source);
  } catch (error) {
    throw new RuleError(`rule ${where}: ${error instanceof Error ? error.message : error}`);
  }
}
