import { money } from '../../planning/index.ts';
import type { Margin, Unplaced, Verification } from '../../planning/verify/verify.ts';

const UNPLACED_SHOWN = 20;
const REASONS_SHOWN = 4;

export function verificationText(verification: Verification): string {
  const { machines, pods, placed, unplaced, trials, scheduler, order, lostZone, spares } = verification;
  const left = [
    ...(lostZone === undefined ? [] : [`zone ${lostZone} is lost`]),
    ...(spares === 0 ? [] : [`${spares} spare machines are left out`]),
  ];
  const lines = [
    `${placed} of ${pods} Pods have a place on the ${machines} machines of the plan${left.length > 0 ? ` (${left.join(', ')})` : ''}, by ${scheduler}, ${order === 'largest' ? 'the largest first' : 'all workloads mixed'}.`,
    marginWords(verification),
  ];
  if (unplaced.length > 0)
    lines.push('', ...unplaced.slice(0, UNPLACED_SHOWN).map(unplacedWords), ...moreWords(unplaced));
  lines.push('', 'MORE   MACHINES   PODS PLACED   SECONDS');
  for (const each of trials) {
    const cells = [
      `${each.percent} %`,
      String(each.machines),
      `${each.placed}${each.sufficed ? ', all' : ''}`,
    ];
    const [more = '', count = '', done = ''] = cells;
    lines.push(`${more.padEnd(7)}${count.padEnd(11)}${done.padEnd(14)}${each.seconds}`);
  }
  return `${lines.join('\n')}\n`;
}

function marginWords({ placed, pods, margin, trials }: Verification): string {
  if (placed === pods) return 'No margin is needed.';
  if (margin) return neededWords(margin);
  const most = Math.max(...trials.map(({ percent }) => percent));
  return most === 0
    ? 'The margin at which all have one was not looked for.'
    : `Not even ${most} % more machines are enough: see what the Pods were told.`;
}

function neededWords({ percent, machines, cost, kinds }: Margin): string {
  const which = kinds.map(
    ({ class: name, zone, profile, more }) => `${more} ${[name, zone, profile].filter(Boolean).join('/')}`,
  );
  return `All have one with ${percent} % more machines: ${machines} more (${which.join(', ')}), cost ${money(cost)}.`;
}

function unplacedWords({ workload, pods, why, message }: Unplaced): string {
  const said = why
    ? why.reasons
        .slice(0, REASONS_SHOWN)
        .map(({ reason, nodes }) => `${reason} (${nodes} of ${why.nodes})`)
        .join(', ')
    : (message ?? 'the scheduler said nothing');
  return `${pods} of ${workload}: ${said}`;
}

function moreWords(unplaced: readonly Unplaced[]): string[] {
  const more = unplaced.length - UNPLACED_SHOWN;
  return more > 0 ? [`and of ${more} more workloads; -o json has them all`] : [];
}
