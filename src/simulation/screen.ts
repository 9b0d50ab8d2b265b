import type { Drover } from '../drover.ts';
import { isEnded } from '../healing/view.ts';
import type { World } from './world.ts';

/** What the terminal shows of a running fleet; a value, so that it can be printed, compared and tested. */
export interface ScreenFacts {
  now: number;
  startedAt: number;
  speed: number;
  machines: number;
  ready: number;
  schedulable: number;
  incidents: { machine: string; stage: string; cause: string; age_ms: number; waits: string }[];
  operations: { machine: string; type: string; state: string; waits: string }[];
  healed: number;
  recovered: number;
  escalated: number;
  recent: string[];
}

const ROWS_MAX = 8;

export function screenFacts(
  world: World,
  drover: Drover,
  recent: readonly string[],
  startedAt: number,
  speed: number,
): ScreenFacts {
  const now = world.clock.now();
  let ready = 0;
  let schedulable = 0;
  for (const node of drover.clusters.home.nodes.values()) {
    if (node.ready === 'True') ready++;
    if (node.ready === 'True' && !node.unschedulable) schedulable++;
  }
  const all = [...drover.caches.incidents.values()];
  const open = all.filter((incident) => !incident.status?.endedAt);
  const count = (stage: string) => all.filter((incident) => incident.status?.stage === stage).length;
  return {
    now,
    startedAt,
    speed,
    machines: drover.caches.machines.size,
    ready,
    schedulable,
    incidents: open.map(({ spec, status }) => ({
      machine: spec.machine,
      stage: status?.stage ?? 'Detected',
      cause: status?.diagnosis?.domain ?? status?.diagnosis?.cause ?? '…',
      age_ms: now - Date.parse(status?.firstSymptomAt ?? ''),
      waits: status?.waiting?.message ?? '',
    })),
    operations: [...drover.caches.operations.values()]
      .filter((operation) => !isEnded(operation))
      .map(({ spec, status }) => ({
        machine: spec.machine,
        type: spec.type,
        state: status?.state ?? 'Waiting',
        waits: status?.waiting?.message ?? '',
      })),
    healed: count('Healed'),
    recovered: count('Recovered'),
    escalated: open.filter((incident) => incident.status?.escalatedAt).length,
    recent: [...recent],
  };
}

/** One frame, at most `columns` wide. */
export function renderScreen(facts: ScreenFacts, columns: number): string {
  const percent = (part: number) => `${((part / Math.max(1, facts.machines)) * 100).toFixed(1)} %`;
  const lines = [
    `Drover   ${facts.machines} machines   ready ${facts.ready}   schedulable ${percent(facts.schedulable)}   fleet time ${clockOf(facts.now - facts.startedAt)} (×${facts.speed})`,
    `healed ${facts.healed}   recovered by themselves ${facts.recovered}   with a person ${facts.escalated}`,
    '',
    `INCIDENTS (${facts.incidents.length} open)`,
    ...table(
      facts.incidents.map((one) => [one.machine, one.stage, one.cause, clockOf(one.age_ms), one.waits]),
      [8, 10, 16, 8],
    ),
    '',
    `OPERATIONS (${facts.operations.length} under way)`,
    ...table(
      facts.operations.map((one) => [one.machine, one.type, one.state, one.waits]),
      [8, 15, 9],
    ),
    '',
    'LATEST',
    ...facts.recent.slice(0, ROWS_MAX).map((line) => `  ${line}`),
  ];
  return lines
    .map(shortTimes)
    .map((line) => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line))
    .join('\n');
}

/** A time of today needs no date. */
function shortTimes(line: string): string {
  return line.replaceAll(/\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)(\.\d+)?Z/g, '$1');
}

function table(rows: readonly string[][], widths: readonly number[]): string[] {
  const shown = rows
    .slice(0, ROWS_MAX)
    .map(
      (row) =>
        `  ${row.map((cell, at) => (widths[at] ? cell.padEnd(widths[at] as number) : cell)).join(' ')}`,
    );
  if (rows.length > ROWS_MAX) shown.push(`  … and ${rows.length - ROWS_MAX} more`);
  return shown.length > 0 ? shown : ['  none'];
}

/** `4m05s`, `1h02m`. */
export function clockOf(duration_ms: number): string {
  const seconds = Math.max(0, Math.round(duration_ms / 1000));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(seconds % 60).padStart(2, '0')}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}
