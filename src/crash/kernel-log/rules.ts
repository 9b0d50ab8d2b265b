// The rule tables, from YAML to what the reader runs on. They are data: see src/crash/rules and docs/crash-rules.md.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { NameSet } from './frames.ts';
import { type Needles, needlesOf } from './needles.ts';
import { compileOpening, compilePattern, type Pattern } from './pattern.ts';
import {
  type FormSource,
  type HardwareSource,
  type PlannedSource,
  type ReportRuleSource,
  type Site,
  siteSchema,
  type Weight,
} from './rule-schema.ts';

export interface Form extends Omit<FormSource, 'when' | 'near' | 'lacks' | 'skip'> {
  when?: Pattern;
  near: readonly (readonly Pattern[])[];
  lacks?: Pattern;
  skip?: readonly NameSet[];
}

export interface ReportRule
  extends Omit<ReportRuleSource, 'opens' | 'not' | 'near' | 'from' | 'forms' | 'skip' | 'keep' | 'absorbs'> {
  opens: readonly Pattern[];
  not: readonly Pattern[];
  near: readonly (readonly Pattern[])[];
  from: readonly Pattern[];
  skip: readonly NameSet[];
  /** To blame here, whatever the lists say. */
  keep: NameSet;
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
  /** A CPU in one of these waits for another CPU, whoever called. */
  crossCalls: NameSet;
  /** A stack with one of these is not that of the report. */
  foreign: NameSet;
  /** Lines that begin such a stack. */
  foreignLines: readonly Pattern[];
  sources: {
    reports: readonly ReportRuleSource[];
    hardware: readonly HardwareSource[];
    planned: readonly PlannedSource[];
  };
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
    ...site.map(({ name, text }) => checked(name, parsed(name, text))),
    checked('built-in', {
      reports: own('reports.yaml'),
      hardware: own('hardware.yaml'),
      planned: own('planned.yaml'),
      frames: own('frames.yaml'),
    }),
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

function checked(file: string, value: unknown): Site {
  const result = siteSchema.safeParse(value ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RuleError(`${file}: ${issue?.path.join('.') || 'file'}: ${issue?.message}`);
}

function compile(tables: readonly Site[]): RuleSet {
  const lists: Record<string, string[]> = {};
  for (const { frames } of tables)
    for (const [list, names] of Object.entries(frames)) lists[list] = [...(lists[list] ?? []), ...names];
  const sets = new Map(Object.entries(lists).map(([list, names]) => [list, new NameSet(names)]));
  const reports = unique(
    tables.flatMap(({ reports }) => reports),
    ({ rule }) => rule,
  );
  const hardware = unique(
    tables.flatMap(({ hardware }) => hardware),
    ({ sign }) => sign,
  );
  const planned = unique(
    tables.flatMap(({ planned }) => planned),
    ({ sign }) => sign,
  );

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
    for (const pattern of patterns(sign.name, opens, compileOpening))
      triggers.push({ pattern, order: triggers.length, sign });

  const byNeedle = Map.groupBy(triggers, ({ pattern }) => pattern.needle);
  return {
    needles: needlesOf([...byNeedle.keys()]),
    triggers: [...byNeedle.values()],
    foreign: sets.get('foreign') ?? new NameSet([]),
    foreignLines: triggers.flatMap((each) => ('rule' in each && each.rule.foreign ? [each.pattern] : [])),
    everywhere: sets.get('everywhere') ?? new NameSet([]),
    dispatch: sets.get('dispatch') ?? new NameSet([]),
    crossCalls: sets.get('cross-calls') ?? new NameSet([]),
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
    keep: new NameSet(source.keep),
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
