// What a kernel engineer wants to know of one signature: how often, where, since when, with what log, and what
// changed before. Pure: records and the fleet's days come in, a report goes out.
import { DAY, dayOf } from '../../platform/clock/clock.ts';
import type { CrashRecord } from '../../platform/history/crash-record.ts';
import type { FleetDay } from '../../platform/history/crashes.ts';
import { type Answer, correlate, QuestionError } from '../correlate/index.ts';
import { bugsOf, fixStateOf, hotfixesFor, type KnownBug } from '../families/index.ts';
import { type Proof, prove } from '../proof/index.ts';
import { type Change, changesBefore } from './changes.ts';
import { columnsOf } from './columns.ts';
import { machinesBy, machinesIn, type Rate, rateOf, ratesBy } from './rates.ts';
import { Pseudonyms, scrubbed, TECHNICAL } from './scrub.ts';
import { type FamilyVerdict, verdictOf } from './verdict.ts';

export interface ReportInput {
  /** Of this signature, in any order, at least one. */
  records: readonly CrashRecord[];
  /** Days of the fleet, oldest first, from some weeks before the first crash. */
  days: readonly FleetDay[];
  known: readonly KnownBug[];
  since: number;
  now: number;
  /** Names of the site's machines and places stay in it. */
  site: boolean;
}

export interface CrashReport {
  signature: string;
  title: string;
  class: string;
  causes: Record<string, number>;
  /** What all of them together say. */
  verdict: FamilyVerdict;
  crashes: number;
  machines: number;
  firstAt: string;
  lastAt: string;
  /** All of the fleet together. */
  rate: Rate;
  by: { key: string; rates: Rate[] }[];
  common: Answer | undefined;
  /** Why there is no common ground. */
  commonMissing?: string;
  changes: Change[];
  running: { name: string; count: number }[];
  modules: { name: string; count: number }[];
  stacks: { frames: string[]; count: number }[];
  hardware: { part: string; sign: string; weight: string; crashes: number }[];
  logs: { machine: string; happenedAt: string; kernel: string; text: string }[];
  bugs: BugState[];
  notes: string[];
}

export interface BugState {
  id: string;
  title: string;
  links: string[];
  fixCommit?: string;
  fixedIn: string[];
  /** Kernels of the fleet, with what is known of the fix in them. */
  kernels: { kernel: string; machines: number; state: string; because: string; hotfixes: string[] }[];
  /** Machines of today's fleet without the fix. */
  exposed: number;
  proof?: Proof;
}

/** How far back one looks for what changed. */
export const CHANGES_DAYS = 21;
const LOGS_MAX = 3;
const RATES_SHOWN = 12;
const BY = ['kernel', 'model', 'os', 'cpu', 'bios', 'bmc', 'nic', 'age', 'workload'];

export function crashReport(input: ReportInput): CrashReport {
  const records = [...input.records].sort((a, b) => a.happenedAt.localeCompare(b.happenedAt));
  const first = records[0] as CrashRecord;
  const last = records.at(-1) as CrashRecord;
  const { hide, hideKey } = hiding(input.site);
  const sinceDay = dayOf(input.since);
  const days = input.days.filter(({ day }) => day >= sinceDay);
  const exposure = days.reduce((sum, { machines }) => sum + machines, 0);
  const notes =
    exposure === 0 ? ['The fleet was not counted in this time: there are counts, but no rates.'] : [];
  const common = commonGround(records, days, hide, hideKey);
  return {
    signature: first.signature,
    title: first.title,
    class: first.class,
    causes: tally(records.map(({ cause }) => cause)),
    verdict: verdictOf(records, common.common),
    crashes: records.length,
    machines: machinesIn(records),
    firstAt: first.happenedAt,
    lastAt: last.happenedAt,
    rate: rateOf('all', records, exposure),
    by: keysOf(records, input.site).flatMap((key) => {
      const rates = ratesBy(key, records, days).slice(0, RATES_SHOWN);
      const shown = rates.map((rate) => ({ ...rate, value: hide(key, rate.value) }));
      return rates.length > 0 ? [{ key, rates: shown }] : [];
    }),
    ...common,
    changes: changesBefore(
      windowBefore(input.days, first.happenedAt),
      records.map(({ attributes }) => attributes),
    ),
    running: most(records.map(({ process }) => process?.replace(/[:/].*$/, '') ?? '')),
    modules: most(records.map(({ module }) => module ?? '')),
    stacks: stacksOf(records),
    hardware: hardwareOf(records),
    logs: bestLogs(records, input.site),
    bugs: bugsOf(input.known, { signature: first.signature, title: first.title }).map((bug) =>
      bugState(bug, records, days),
    ),
    notes,
  };
}

function hiding(site: boolean) {
  const names = new Pseudonyms();
  const hideKey = (key: string) => site || TECHNICAL.has(key);
  const hide = (key: string, value: string) => (hideKey(key) ? value : names.of(key, value));
  return { hide, hideKey };
}

function keysOf(records: readonly CrashRecord[], site: boolean): string[] {
  const there = new Set(records.flatMap(({ attributes }) => Object.keys(attributes)));
  const own = site ? [...there].filter((key) => !BY.includes(key) && key !== 'rack').sort() : [];
  return [...BY.filter((key) => there.has(key)), ...own];
}

function windowBefore(days: readonly FleetDay[], firstAt: string): FleetDay[] {
  const to = firstAt.slice(0, 10);
  const from = dayOf(Date.parse(firstAt) - CHANGES_DAYS * DAY);
  return days.filter(({ day }) => day >= from && day <= to);
}

function commonGround(
  records: readonly CrashRecord[],
  days: readonly FleetDay[],
  hide: (key: string, value: string) => string,
  mayName: (key: string) => boolean,
): { common: Answer | undefined; commonMissing?: string } {
  if (days.length === 0)
    return { common: undefined, commonMissing: 'the fleet was not counted in this time' };
  try {
    const answer = correlate({
      events: columnsOf(records.map(({ attributes }) => ({ attributes, count: 1 }))),
      population: columnsOf(days.map(({ attributes, machines }) => ({ attributes, count: machines }))),
    });
    return { common: hidden(answer, hide, mayName) };
  } catch (error) {
    if (error instanceof QuestionError) return { common: undefined, commonMissing: error.message };
    throw error;
  }
}

/** Values of the site get other names, also in the sentences. */
function hidden(
  answer: Answer,
  hide: (key: string, value: string) => string,
  mayName: (key: string) => boolean,
): Answer {
  const swaps: [string, string][] = [];
  const when = (one: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(one).map(([key, value]) => {
        const other = hide(key, value);
        if (!mayName(key)) swaps.push([value, other]);
        return [key, other];
      }),
    );
  const explanations = answer.explanations.map((each) => ({
    ...each,
    when: when(each.when),
    sameAs: each.sameAs.map(when),
  }));
  const say = (text: string) => swaps.reduce((said, [value, other]) => said.replaceAll(value, other), text);
  return {
    ...answer,
    because: say(answer.because),
    explanations: explanations.map((each) => ({ ...each, because: say(each.because) })),
    notes: answer.notes.map(say),
  };
}

function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

function most(values: readonly string[]): { name: string; count: number }[] {
  return Object.entries(tally(values.filter((value) => value !== '')))
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || a.name.localeCompare(b.name))
    .slice(0, 5);
}

function stacksOf(records: readonly CrashRecord[]): { frames: string[]; count: number }[] {
  const stacks = new Map<string, { frames: string[]; count: number }>();
  for (const { frames } of records) {
    const key = frames.slice(0, 8).join('\n');
    const known = stacks.get(key);
    if (known) known.count++;
    else if (frames.length > 0) stacks.set(key, { frames: frames.slice(0, 12), count: 1 });
  }
  return [...stacks.values()].sort((a, b) => b.count - a.count).slice(0, 3);
}

function hardwareOf(records: readonly CrashRecord[]): CrashReport['hardware'] {
  const signs = new Map<string, CrashReport['hardware'][number]>();
  for (const { hardware } of records) {
    for (const { part, sign, weight } of hardware) {
      const known = signs.get(sign);
      if (known) known.crashes++;
      else signs.set(sign, { part, sign, weight, crashes: 1 });
    }
  }
  return [...signs.values()].sort((a, b) => b.crashes - a.crashes);
}

/** Whole ones first, of different kernels where there are. */
function bestLogs(records: readonly CrashRecord[], site: boolean): CrashReport['logs'] {
  const names = [...new Set(records.map(({ machine }) => machine))];
  const worth = ({ corrupted, confidence, excerpt }: CrashRecord) =>
    (corrupted ? 0 : 1000) + confidence * 100 + Math.min(60, excerpt.split('\n').length);
  const sorted = records.filter(({ excerpt }) => excerpt !== '').sort((a, b) => worth(b) - worth(a));
  const kernels = new Set<string>();
  const fresh = sorted.filter(
    ({ attributes: { kernel = '' } }) => !kernels.has(kernel) && kernels.add(kernel),
  );
  const chosen = [...new Set([...fresh, ...sorted])].slice(0, LOGS_MAX);
  return chosen.map(({ machine, happenedAt, attributes, excerpt }, at) => ({
    machine: site ? machine : `machine ${at + 1}`,
    happenedAt,
    kernel: attributes.kernel ?? '',
    text: site ? excerpt : scrubbed(excerpt, names),
  }));
}

function bugState(bug: KnownBug, records: readonly CrashRecord[], days: readonly FleetDay[]): BugState {
  const today = days.at(-1)?.day;
  const machines = machinesBy(
    'kernel',
    days.filter(({ day }) => day === today),
  );
  machines.delete('');
  const kernels = [...machines].map(([kernel, count]) => {
    const { state, because } = fixStateOf(bug, kernel);
    return { kernel, machines: count, state, because, hotfixes: hotfixesFor(bug, kernel) };
  });
  kernels.sort((a, b) => b.machines - a.machines);
  const exposed = kernels.reduce(
    (sum, { state, machines: count }) => sum + (state === 'fixed' ? 0 : count),
    0,
  );
  const proof = proofOf(bug, records, days);
  return {
    id: bug.id,
    title: bug.title,
    links: bug.links,
    ...(bug.fixCommit && { fixCommit: bug.fixCommit }),
    fixedIn: bug.fixedIn,
    kernels,
    exposed,
    ...(proof && { proof }),
  };
}

/**
 * Kernels with the fix against those without, since the first machine had it. Both share the time before: which
 * machine would get the fix is not known of a count by kinds.
 */
function proofOf(
  bug: KnownBug,
  records: readonly CrashRecord[],
  days: readonly FleetDay[],
): Proof | undefined {
  const fixed = (attributes: Readonly<Record<string, string>>) =>
    attributes.kernel !== undefined && fixStateOf(bug, attributes.kernel).state === 'fixed';
  const start = days.find(({ attributes }) => fixed(attributes))?.day;
  if (start === undefined || start === days[0]?.day) return undefined;
  const observed = (after: boolean, isFixed: boolean) => ({
    events: records.filter(
      ({ happenedAt, attributes }) =>
        happenedAt.slice(0, 10) >= start === after && fixed(attributes) === isFixed,
    ).length,
    exposure: days
      .filter(({ day, attributes }) => day >= start === after && fixed(attributes) === isFixed)
      .reduce((sum, { machines }) => sum + machines, 0),
  });
  const before = observed(false, false);
  const control = observed(true, false);
  return prove({
    before,
    after: observed(true, true),
    ...(control.exposure > 0 && { control: { before, after: control } }),
  });
}
