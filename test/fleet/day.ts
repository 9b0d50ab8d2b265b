// A bad day of a fleet on a real control plane, and what became of it: found, located and healed after each
// fault, and the acts on each machine against those that it should have seen.

import type { Incident } from '../../src/api/incident.ts';
import { MINUTE, SECOND } from '../../src/platform/clock/clock.ts';
import { seededRandom } from '../../src/platform/clock/random.ts';
import { systemClock } from '../../src/platform/clock/system.ts';
import type { Fault, FaultKind } from '../../src/simulation/fleet/faults.ts';
import { type Stage, until } from './stage.ts';

export interface DayPlan {
  crashes: number;
  dumps: number;
  hangs: number;
  kubelets: number;
  /** How long the switch of the first rack is dark; it holds 20 machines. Absent: it is not cut. */
  rackDark_ms?: number;
  /** The faults are spread over this time. */
  spread_ms: number;
  seed: number;
  /** All that is open is given this long to end. */
  limit_ms: number;
}

/** One machine's story, in seconds after the fault. */
export interface Story {
  kind: FaultKind;
  machine: string;
  found_s: number | undefined;
  located_s: number | undefined;
  ended_s: number | undefined;
  stage: string;
  cause: string;
  /** Power acts of Drover on it, and how many it should have seen. */
  acts: number;
  expected: number;
}

export interface DayReport {
  stories: Story[];
  /** Acts on machines that nothing had happened to. */
  wrong: number;
  /** Acts for one operation beyond the first. */
  doubleActs: number;
  cordonsLeft: string[];
  incidentsLeft: string[];
  operationsLeft: string[];
}

/** Power acts that each kind of fault calls for: a dump and a kubelet need none, a hang one NMI. */
const ACTS: Partial<Record<FaultKind, number>> = { crash: 1, hang: 1 };

/** The machines of the first rack: three zones take turns, racks hold 20. */
function firstRack(machines: number): string[] {
  const names: string[] = [];
  for (let index = 0; index < Math.min(60, machines); index += 3) names.push(nameOf(index));
  return names;
}

const nameOf = (index: number) => `m${String(index + 1).padStart(5, '0')}`;

/** Strikes as planned, meanwhile lets `meanwhile` do what it likes with the replicas, and judges at the end. */
export async function runDay(
  stage: Stage,
  machines: number,
  plan: DayPlan,
  meanwhile: (signal: AbortSignal) => Promise<void> = async () => {},
): Promise<DayReport> {
  const over = new AbortController();
  const doing = meanwhile(over.signal);
  const faults = await strikeAll(stage, machines, plan);
  const done = () => systemClock.now() - lastAt(faults) > (plan.rackDark_ms ?? 0) + 30 * SECOND;
  await until('all incidents have ended', plan.limit_ms, async () => {
    if (!done()) return undefined;
    const [incidents, operations] = [await stage.incidents(), await stage.operations()];
    const open =
      incidents.some(({ status }) => !status?.endedAt) || operations.some(({ status }) => !status?.endedAt);
    return open ? undefined : true;
  }).catch(() => undefined); // what is left is in the report
  over.abort();
  await doing;
  return judge(stage, faults);
}

async function strikeAll(stage: Stage, machines: number, plan: DayPlan): Promise<Fault[]> {
  const random = seededRandom(plan.seed);
  const rack = new Set(firstRack(machines));
  const others = Array.from({ length: machines }, (_, index) => nameOf(index)).filter(
    (name) => !rack.has(name),
  );
  const draw = () => others.splice(Math.floor(random() * others.length), 1)[0] as string;
  const kinds: FaultKind[] = [
    ...new Array<FaultKind>(plan.crashes).fill('crash'),
    ...new Array<FaultKind>(plan.dumps).fill('crash-dump'),
    ...new Array<FaultKind>(plan.hangs).fill('hang'),
    ...new Array<FaultKind>(plan.kubelets).fill('kubelet'),
  ];
  const at = kinds.map((kind) => ({ kind, machine: draw(), wait_ms: random() * plan.spread_ms }));
  if (plan.rackDark_ms !== undefined)
    at.push({ kind: 'rack-switch', machine: nameOf(0), wait_ms: plan.spread_ms / 3 });
  return Promise.all(
    at.map(async ({ kind, machine, wait_ms }) => {
      await systemClock.sleep(wait_ms);
      return stage.strike(
        kind,
        machine,
        kind === 'rack-switch' ? { lasts_ms: plan.rackDark_ms as number } : {},
      );
    }),
  );
}

const lastAt = (faults: readonly Fault[]) => Math.max(...faults.map((fault) => fault.at));

async function judge(stage: Stage, faults: readonly Fault[]): Promise<DayReport> {
  const incidents = await stage.incidents();
  incidents.sort((a, b) => Date.parse(a.status?.detectedAt ?? '') - Date.parse(b.status?.detectedAt ?? ''));
  const operations = await stage.operations();
  const { acts } = await stage.truth();
  const nodes = await stage.nodes();
  const struck = new Set(faults.flatMap((fault) => fault.struck));
  const byKey = Map.groupBy(acts, (act) => act.key);
  return {
    stories: faults.flatMap((fault) =>
      fault.struck.map((machine) =>
        storyOf(fault, machine, incidents, acts.filter((act) => act.machine === machine).length),
      ),
    ),
    wrong: acts.filter((act) => !struck.has(act.machine)).length,
    doubleActs: [...byKey.values()].reduce((sum, same) => sum + same.length - 1, 0),
    cordonsLeft: nodes.filter((node) => node.spec?.unschedulable).map((node) => node.metadata.name),
    incidentsLeft: incidents
      .filter(({ status }) => !status?.endedAt)
      .map(({ metadata, status }) => `${metadata.name} ${status?.diagnosis?.cause} ${status?.stage}`),
    operationsLeft: operations.filter(({ status }) => !status?.endedAt).map(({ metadata }) => metadata.name),
  };
}

function storyOf({ kind, at }: Fault, machine: string, incidents: readonly Incident[], acts: number): Story {
  const own = incidents.find(
    ({ spec, status }) =>
      spec.machine === machine && Date.parse(status?.endedAt ?? '9999-01-01T00:00:00Z') > at,
  );
  const after = (time: string | undefined) =>
    time === undefined ? undefined : (Date.parse(time) - at) / SECOND;
  const { detectedAt, locatedAt, healedAt, stage = 'missed', diagnosis } = own?.status ?? {};
  return {
    kind,
    machine,
    found_s: after(detectedAt),
    located_s: after(locatedAt),
    ended_s: after(healedAt),
    stage,
    cause: diagnosis?.cause ?? '',
    acts,
    expected: ACTS[kind] ?? 0,
  };
}

/** Rows by kind of fault for people: how many, and P50, P99 and worst of each time. */
export function tableOf(report: DayReport): string {
  const rows = [
    ['fault', 'n', 'found P50/P99/max s', 'located', 'healed', 'causes', 'stages', 'acts', 'should be'],
  ];
  const kinds = Map.groupBy(report.stories, (story) => story.kind);
  for (const [kind, stories] of [...kinds, ['all', report.stories] as const]) {
    const times = (of: (story: Story) => number | undefined) => quantiles(stories.map(of));
    rows.push([
      kind,
      String(stories.length),
      times((story) => story.found_s),
      times((story) => story.located_s),
      times((story) => story.ended_s),
      counts(stories.map((story) => story.cause)),
      counts(stories.map((story) => story.stage)),
      String(stories.reduce((sum, story) => sum + story.acts, 0)),
      String(stories.reduce((sum, story) => sum + story.expected, 0)),
    ]);
  }
  const widths = (rows[0] as string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd(),
  );
  const { wrong, doubleActs, cordonsLeft, incidentsLeft, operationsLeft } = report;
  lines.push(
    `acts on machines that were well: ${wrong}; second acts for one operation: ${doubleActs}; left over: ` +
      `${cordonsLeft.length} cordons, ${incidentsLeft.length} incidents, ${operationsLeft.length} operations`,
    ...incidentsLeft,
  );
  return lines.join('\n');
}

function quantiles(values: readonly (number | undefined)[]): string {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return '-';
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number);
  const missing = values.length - sorted.length;
  return `${at(0.5)}/${at(0.99)}/${at(1)}${missing > 0 ? ` (${missing} not)` : ''}`;
}

function counts(words: readonly string[]): string {
  return [...Map.groupBy(words, (word) => word)]
    .map(([word, same]) => `${same.length} ${word || '-'}`)
    .join(', ');
}

/** Kills the one replica at random moments and starts the next, until told to stop; the last one is left alone. */
export function killAgainAndAgain(stage: Stage, kills: number, seed: number) {
  const random = seededRandom(seed);
  const killed = { count: 0, whileLeading: 0 };
  const work = async (signal: AbortSignal) => {
    for (; killed.count < kills && !signal.aborted; killed.count++) {
      // A lease runs out in 10 s: some die while they wait for it, more while they lead.
      await systemClock.sleep((4 + random() * 26) * SECOND);
      const identity = `drover-${killed.count}`;
      if ((await stage.leader()) === identity) killed.whileLeading++;
      await stage.kill(identity);
      stage.startReplica(`drover-${killed.count + 1}`);
    }
  };
  return { killed, work };
}

export const LIMIT_MS = 25 * MINUTE;
