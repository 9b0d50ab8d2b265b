import { nameOf } from '../correlate/index.ts';
import type { Rate } from './rates.ts';
import type { BugState, CrashReport } from './report.ts';

/** For a bug tracker or a mail to the kernel team. */
export function markdownOf(report: CrashReport): string {
  const { title, signature, crashes, machines, firstAt, lastAt, rate, causes } = report;
  const lines = [`# ${title}`, ''];
  lines.push(
    `Signature ${signature}, class ${report.class}. ${crashes} crashes of ${machines} machines, first ${short(firstAt)}, last ${short(lastAt)}${rateText(rate)}.`,
  );
  const told = Object.entries(causes)
    .map(([cause, count]) => `${cause} ${count}`)
    .join(', ');
  lines.push('', `**${report.verdict.cause}**: ${report.verdict.because} (One by one: ${told}.)`);
  for (const note of report.notes) lines.push('', `> ${note}`);
  for (const bug of report.bugs) lines.push('', ...bugLines(bug));
  lines.push('', '## What the crashes have in common', '');
  if (report.common) {
    lines.push(report.common.because, '');
    for (const { when, cause, because } of report.common.explanations.slice(0, 5))
      lines.push(`- ${cause ? '**' : ''}${nameOf(when)}${cause ? '**' : ''}: ${because}`);
  } else lines.push(`Not known: ${report.commonMissing}.`);
  if (report.changes.length > 0) {
    lines.push('', '## What changed before the first one', '');
    for (const {
      key,
      value,
      machinesBefore,
      machinesAfter,
      from,
      to,
      shareOfCrashes,
    } of report.changes.slice(0, 8))
      lines.push(
        `- ${key} ${value}: ${machinesBefore} machines on ${from}, ${machinesAfter} on ${to}; ${Math.round(shareOfCrashes * 100)} % of the crashes`,
      );
  }
  for (const { key, rates } of report.by) lines.push('', `## By ${key}`, '', ...rateTable(rates));
  const running = report.running.map(({ name, count }) => `${name} ${count}`).join(', ');
  const modules = report.modules.map(({ name, count }) => `${name} ${count}`).join(', ');
  if (running) lines.push('', '## What was running', '', running + (modules ? `. Modules: ${modules}` : ''));
  if (report.hardware.length > 0) {
    lines.push('', '## What the hardware said', '');
    for (const { part, sign, weight, crashes: count } of report.hardware)
      lines.push(`- ${part}: ${sign} (${weight}) in ${count} of them`);
  }
  if (report.stacks.length > 0) lines.push('', '## Stacks', '');
  for (const { frames, count } of report.stacks)
    lines.push(`${count} ×`, '', '```', ...frames.map((frame) => `  ${frame}`), '```', '');
  if (report.logs.length > 0) lines.push('', '## Logs, the best preserved', '');
  for (const { machine, happenedAt, kernel, text } of report.logs)
    lines.push(`${machine}, ${short(happenedAt)}, kernel ${kernel || 'unknown'}`, '', '```', text, '```', '');
  return `${lines
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

function bugLines(bug: BugState): string[] {
  const { id, title, links, fixCommit, fixedIn, kernels, exposed, proof } = bug;
  const lines = [`## Known: ${title} (${id})`, ''];
  if (links.length > 0) lines.push(links.join(' '));
  const fix = [fixCommit && `commit ${fixCommit}`, fixedIn.length > 0 && `in ${fixedIn.join(', ')}`].filter(
    Boolean,
  );
  lines.push(fix.length > 0 ? `Fixed: ${fix.join(', ')}.` : 'No fix is known.');
  if (kernels.length > 0) {
    lines.push(`${exposed} machines of today’s fleet do not have the fix, as far as can be told.`, '');
    lines.push('| kernel | machines | fix | hotfix |', '|---|---|---|---|');
    for (const { kernel, machines, state, hotfixes } of kernels.slice(0, 12))
      lines.push(`| ${kernel} | ${machines} | ${state} | ${hotfixes.join(', ')} |`);
  }
  if (proof) lines.push('', `Did it help? ${proof.because}`);
  return lines;
}

function rateTable(rates: readonly Rate[]): string[] {
  const head = [
    '| value | crashes | machines | machine-days | ‰ a day | 95 % |',
    '|---|---|---|---|---|---|',
  ];
  return [
    ...head,
    ...rates.map(({ value, crashes, machines, exposure, permille, interval }) => {
      const range = interval ? `${figure(interval[0])} to ${figure(interval[1])}` : '';
      return `| ${value} | ${crashes} | ${machines} | ${exposure || ''} | ${permille === null ? '' : figure(permille)} | ${range} |`;
    }),
  ];
}

function rateText({ permille, interval }: Rate): string {
  if (permille === null || !interval) return '';
  return `; ${figure(permille)} ‰ of machine-days (${figure(interval[0])} to ${figure(interval[1])})`;
}

function figure(value: number): string {
  if (value === 0) return '0';
  return value >= 100 ? value.toFixed(0) : trimmed(value);
}

function trimmed(value: number): string {
  const digits = Math.max(0, 1 - Math.floor(Math.log10(value)));
  return value.toFixed(Math.min(6, digits));
}

function short(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`;
}
