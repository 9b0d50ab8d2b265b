import type {
  CostAndBound,
  HeldMachines,
  HoldPeriod,
  HoldPlan,
  MachineKind,
  RentedMachines,
} from '../../planning/hold/answer.ts';
import { money } from '../../planning/index.ts';
import { csv } from '../crash/csv.ts';
import { serialize } from '../output.ts';
import { wrap } from '../wrap.ts';
import type { HoldCommandOptions } from './hold.ts';
import { columns, kindName, proofWords, table, withoutEmpty } from './print.ts';

const PERIODS_SHOWN = 40;
const RENTALS_SHOWN = 40;
/** Of the longest bar. */
const BAR = 28;

export async function printedHolding(
  plan: HoldPlan,
  output: HoldCommandOptions['output'],
  width: number,
): Promise<string> {
  switch (output) {
    case 'json':
    case 'yaml':
      return serialize(plan, output);
    case 'csv':
      return csv([...plan.held.map(heldCells), ...plan.rented.map(rentedCells)]);
    case 'markdown':
      return markdownOf(plan);
    case undefined:
      return textOf(plan, width);
  }
}

function textOf(plan: HoldPlan, width: number): string {
  const lines = [
    ...wrap(summaryOf(plan), width),
    ...wrap(eventWords(plan), width),
    ...plan.reasons.flatMap(({ message }) => wrap(`! ${message}`, width)),
  ];
  if (plan.held.length > 0) lines.push('', ...columns(heldRows(plan)));
  if (plan.rented.length > 0)
    lines.push(
      '',
      ...columns(rentedRows(plan).slice(0, RENTALS_SHOWN + 1)),
      ...more(plan.rented, RENTALS_SHOWN),
    );
  lines.push('', ...columns(chartOf(plan)), ...more(plan.periods, PERIODS_SHOWN), '█ held, ▒ rented');
  lines.push('', ...columns(comparisonRows(plan)));
  return `${lines.join('\n')}\n`;
}

function summaryOf(plan: HoldPlan): string {
  const { horizon, held, rented, cost } = plan;
  const sum = (all: readonly { count: number }[]) => all.reduce((total, { count }) => total + count, 0);
  return `From ${horizon.from} to ${horizon.to}: ${sum(held)} machines held, ${sum(rented)} rented for a part of it, cost ${money(cost)}: ${proofWords(plan)}.`;
}

function eventWords({ event }: HoldPlan): string {
  const names = Object.keys(event.peak);
  if (names.length === 0) return 'There is no event: what is usual is the most there ever is.';
  const { cost, least, most } = event;
  const range = least === most ? '' : ` (by the bounds ${money(least)} to ${money(most)})`;
  return `The event costs ${money(cost)} by itself${range}: the part of the Pods that is over the usual.`;
}

function kindWords(kind: MachineKind): string {
  return `${kindName(kind)}${kind.owned ? ' (owned)' : ''}`;
}

function heldRows({ held }: HoldPlan): string[][] {
  return withoutEmpty([
    ['HELD', 'COUNT', 'SPARE', 'COST'],
    ...held.map((each) => [
      kindWords(each),
      String(each.count),
      each.spare ? String(each.spare) : '',
      money(each.cost),
    ]),
  ]);
}

function rentedRows({ rented }: HoldPlan): string[][] {
  return withoutEmpty([
    ['RENTED', 'COUNT', 'SPARE', 'FROM', 'TO', 'ORDER BY', 'COST'],
    ...rented.map((each) => [
      kindWords(each),
      String(each.count),
      each.spare ? String(each.spare) : '',
      each.from,
      each.to,
      each.orderBy,
      money(each.cost),
    ]),
  ]);
}

function periodCells({ from, to, held, rented, used }: HoldPeriod): string[] {
  return [from, to, String(held), String(rented), String(used)];
}

function chartOf({ periods }: HoldPlan): string[][] {
  const most = Math.max(1, ...periods.map(({ held, rented }) => held + rented));
  const bar = ({ held, rented }: HoldPeriod) => {
    const end = Math.round(((held + rented) / most) * BAR);
    const middle = Math.min(end, Math.round((held / most) * BAR));
    return '█'.repeat(middle) + '▒'.repeat(end - middle);
  };
  return [
    ['FROM', 'TO', 'HELD', 'RENTED', 'FILLED', ''],
    ...periods.slice(0, PERIODS_SHOWN).map((period) => [...periodCells(period), bar(period)]),
  ];
}

function more(all: readonly unknown[], shown: number): string[] {
  return all.length > shown ? [`and ${all.length - shown} more; -o markdown shows them`] : [];
}

function comparisonRows({ cost, bound, comparison }: HoldPlan): string[][] {
  const row = (what: string, each: CostAndBound | undefined) => {
    if (!each) return [what, 'impossible', '', ''];
    const over = each.cost - cost;
    const share = cost > 0 ? ` (${over < 0 ? '−' : '+'}${Math.abs((over / cost) * 100).toFixed(1)} %)` : '';
    return [
      what,
      money(each.cost),
      money(each.bound),
      over === 0 ? 'the same' : `${over < 0 ? '−' : '+'}${money(Math.abs(over))}${share}`,
    ];
  };
  return [
    ['COMPARED', 'COST', 'AT LEAST', 'DIFFERENCE'],
    ['this plan', money(cost), money(bound), ''],
    row('all held', comparison.allHeld),
    row('all rented', comparison.allRented),
    row('without the event', comparison.withoutEvent),
  ];
}

function markdownOf(plan: HoldPlan): string {
  const periods = [['From', 'To', 'Held', 'Rented', 'Filled'], ...plan.periods.map(periodCells)];
  const sections = [
    summaryOf(plan),
    eventWords(plan),
    ...plan.reasons.map(({ message }) => `> ${message}`),
    ...[heldRows(plan), rentedRows(plan)].filter((rows) => rows.length > 1).map(table),
    table(periods),
    table(comparisonRows(plan)),
  ];
  return `${sections.join('\n\n')}\n`;
}

function heldCells(each: HeldMachines): Record<string, string> {
  const { spare = 0, cost } = each;
  return {
    how: 'held',
    ...ofKind(each),
    spare: String(spare),
    from: '',
    to: '',
    orderBy: '',
    cost: String(cost),
  };
}

function rentedCells(each: RentedMachines): Record<string, string> {
  const { spare = 0, from, to, orderBy, cost } = each;
  return { how: 'rented', ...ofKind(each), spare: String(spare), from, to, orderBy, cost: String(cost) };
}

function ofKind(each: MachineKind & { count: number }): Record<string, string> {
  return {
    class: each.class,
    zone: each.zone ?? '',
    profile: each.profile ?? '',
    owned: String(each.owned ?? false),
    count: String(each.count),
  };
}
