import {
  byWeight,
  machinesOf,
  money,
  type Plan,
  type PlannedMachines,
  pictureOf,
  podsWords,
  wasteWords,
} from '../../planning/index.ts';
import { amountWords, binaryUnit } from '../../platform/kube/quantity.ts';
import { csv } from '../crash/csv.ts';
import { serialize } from '../output.ts';
import { wrap } from '../wrap.ts';

export type PlanOutput = 'wide' | 'json' | 'yaml' | 'csv' | 'markdown' | 'svg';

/** Shapes of Pods of which the containers are shown, where not all are wanted. */
const SHAPES_SHOWN = 10;
/** Ways of filling shown where not all are wanted. */
const PATTERNS_SHOWN = 5;
const WASTE_SHOWN = 8;
const LIMITS_SHOWN = 5;

export async function printed(plan: Plan, output: PlanOutput | undefined, width: number): Promise<string> {
  if (output === 'json' || output === 'yaml') return serialize(plan, output);
  if (output === 'csv') return csv(plan.machines.map(cellsOf));
  if (output === 'markdown') return markdownOf(plan);
  if (output === 'svg') return pictureOf(plan, summaryOf(plan));
  return textOf(plan, width, output === 'wide');
}

function textOf(plan: Plan, width: number, wide: boolean): string {
  const parts = [
    ...wrap(summaryOf(plan), width),
    ...plan.reasons.flatMap(({ message }) => wrap(`! ${message}`, width)),
  ];
  const lines = [...parts];
  const summed = plan.pods.filter(({ containers }) => containers).length;
  if (wide || (summed > 0 && plan.pods.length <= SHAPES_SHOWN)) lines.push('', ...columns(podRows(plan)));
  lines.push('', ...columns(machineRows(plan)));
  const patterns = plan.machines.flatMap((machines) => patternRows(machines, wide));
  if (patterns.length > 0)
    lines.push('', ...columns([['COUNT', 'CLASS', 'PODS ON ONE MACHINE'], ...patterns]));
  const use = useRows(plan);
  if (use.length > 1) lines.push('', ...columns(use));
  const waste = plan.waste.toSorted(byWeight).flatMap(wasteWords);
  if (waste.length > 0) lines.push('', ...(wide ? waste : mostOf(plan)));
  if (plan.limits.length > 0)
    lines.push('', ...columns(limitRows(plan, wide ? plan.limits.length : LIMITS_SHOWN)));
  if (plan.changes.length > 0) lines.push('', ...columns(changeRows(plan)));
  return `${lines.join('\n')}\n`;
}

function summaryOf(plan: Plan): string {
  const machines = machinesOf(plan);
  const owned = plan.machines.reduce((sum, each) => (each.owned ? sum + each.count : sum), 0);
  const left = Object.values(plan.unplaced).reduce((sum, count) => sum + count, 0);
  const words = [
    `${machines} machines${owned > 0 ? `, ${owned} of them owned` : ''}, cost ${money(plan.cost)}: ${proofWords(plan)}`,
  ];
  if (left > 0) words.push(`${left} Pods have no place`);
  return `${words.join('; ')}.`;
}

export function proofWords({ cost, bound, gap }: Pick<Plan, 'cost' | 'bound' | 'gap'>): string {
  if (cost === bound) return 'no plan costs less';
  return `at most ${(gap * 100).toFixed(gap < 0.0001 ? 4 : 2)} % over the best possible (no plan costs less than ${money(bound)})`;
}

/** Each with what it needs in all, and under it what its containers need. */
function podRows({ pods }: Plan): string[][] {
  const resources = [...new Set(pods.flatMap(({ size }) => Object.keys(size)))];
  const amounts = (size: Record<string, number>) =>
    resources.map((resource) => (size[resource] ? amountWords(size[resource]) : ''));
  const rows = pods.flatMap(({ name, replicas, size, containers = {}, cloudDiskSize }) => [
    [name, String(replicas), ...amounts(size), cloudDiskSize === undefined ? '' : amountWords(cloudDiskSize)],
    ...Object.entries(containers).map(([role, its]) => [`  ${role.toLowerCase()}`, '', ...amounts(its), '']),
  ]);
  return withoutEmpty([
    ['PODS', 'REPLICAS', ...resources.map((resource) => resource.toUpperCase()), 'SIZE OF A DISK'],
    ...rows,
  ]);
}

function machineRows({ machines }: Plan): string[][] {
  const rows = machines.map((each) => [
    each.class,
    each.zone ?? '',
    each.profile ?? '',
    String(each.count),
    each.spare ? String(each.spare) : '',
    each.owned ? 'owned' : money(each.price),
    money(each.cost),
  ]);
  return withoutEmpty([['CLASS', 'ZONE', 'OFFLOAD', 'COUNT', 'SPARE', 'PRICE', 'COST'], ...rows]);
}

function patternRows(machines: PlannedMachines, wide: boolean): string[][] {
  const { patterns } = machines;
  const name = kindName(machines);
  const shown = wide ? patterns : patterns.slice(0, PATTERNS_SHOWN);
  // A machine may be there only for the share of its class.
  const rows = shown.map(({ count, pods }) => [String(count), name, podsWords(pods) || 'none']);
  const more = patterns.length - shown.length;
  if (more > 0) {
    const others = patterns.slice(shown.length).reduce((sum, { count }) => sum + count, 0);
    rows.push([String(others), name, `in ${more} more ways; -o wide shows them`]);
  }
  return rows;
}

/** `ebmc6/cn-hangzhou-i/4-8`. */
export function kindName({
  class: name,
  zone,
  profile,
}: Pick<PlannedMachines, 'class' | 'zone' | 'profile'>): string {
  return [name, zone, profile].filter(Boolean).join('/');
}

/** Use by class and resource. */
function useRows({ waste }: Plan): string[][] {
  const resources = [...new Set(waste.map(({ resource }) => resource))];
  const classes = [...new Set(waste.map((each) => each.class))];
  const cell = (name: string, resource: string) => {
    const found = waste.find((each) => each.class === name && each.resource === resource);
    return found ? percent(found.used) : '';
  };
  return [
    ['USED', ...resources.map((resource) => resource.toUpperCase())],
    ...classes.map((name) => [name, ...resources.map((resource) => cell(name, resource))]),
  ];
}

function mostOf({ waste }: Plan): string[] {
  const sorted = waste.toSorted(byWeight).flatMap(wasteWords);
  const more = sorted.length - WASTE_SHOWN;
  return more > 0 ? [...sorted.slice(0, WASTE_SHOWN), `and ${more} more; -o wide shows them`] : sorted;
}

/** Those that were planned again come first, as they bind most. */
function limitRows({ limits }: Plan, shown: number): string[][] {
  return [
    ['CLASS', 'LIMIT', 'HAS', 'WITH', 'COST', 'SAVES', 'MACHINES', 'ONE MORE SAVES'],
    ...limits
      .slice(0, shown)
      .map((each) => [
        each.class,
        each.resource,
        amountWords(each.has),
        amountWords(each.tried),
        each.cost === undefined ? '' : money(each.cost),
        each.saving === undefined ? '' : percent(each.saving),
        each.machines ? `${each.machines.before} to ${each.machines.after}` : '',
        perUnitWords(each),
      ]),
  ];
}

function changeRows({ changes }: Plan): string[][] {
  const rows = changes.map(({ what, cost, saving, machines, unplaced }) => {
    const left = Object.values(unplaced).reduce((sum, count) => sum + count, 0);
    return [
      what,
      money(cost),
      percent(saving),
      `${machines.before} to ${machines.after}`,
      left > 0 ? String(left) : '',
    ];
  });
  return withoutEmpty([['IF', 'COST', 'SAVES', 'MACHINES', 'WITHOUT A PLACE'], ...rows]);
}

/** Of memory the saving is for a Gi, not for a byte. */
function perUnitWords({ has, perUnit }: Plan['limits'][number]): string {
  const unit = binaryUnit(has);
  return unit ? `${money(perUnit * unit.size)} for 1${unit.suffix}` : money(perUnit);
}

function markdownOf(plan: Plan): string {
  const sections = [
    summaryOf(plan),
    ...plan.reasons.map(({ message }) => `> ${message}`),
    table(podRows(plan)),
    table(machineRows(plan)),
  ];
  const patterns = plan.machines.flatMap((machines) => patternRows(machines, true));
  if (patterns.length > 0) sections.push(table([['Count', 'Class', 'Pods on one machine'], ...patterns]));
  const use = useRows(plan);
  if (use.length > 1) sections.push(table(use));
  const waste = plan.waste.toSorted(byWeight).flatMap(wasteWords);
  if (waste.length > 0) sections.push(waste.map((words) => `- ${words}`).join('\n'));
  if (plan.limits.length > 0) sections.push(table(limitRows(plan, plan.limits.length)));
  if (plan.changes.length > 0) sections.push(table(changeRows(plan)));
  return `${sections.join('\n\n')}\n`;
}

/** As Markdown. */
export function table([head = [], ...rows]: readonly string[][]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function cellsOf(each: PlannedMachines): Record<string, string> {
  return {
    class: each.class,
    zone: each.zone ?? '',
    profile: each.profile ?? '',
    owned: String(each.owned ?? false),
    count: String(each.count),
    spare: String(each.spare ?? 0),
    price: String(each.price),
    cost: String(each.cost),
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Leaves out columns in which no row says anything. */
export function withoutEmpty(rows: readonly string[][]): string[][] {
  const [head = [], ...body] = rows;
  const kept = head.flatMap((_, at) => (body.some((row) => row[at] !== '') ? [at] : []));
  return rows.map((row) => kept.map((at) => row[at] ?? ''));
}

export function columns(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}
