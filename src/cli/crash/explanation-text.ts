// What a log says, for a person at three in the morning: the name first, then why we think so.
import type { LogExplanation } from '../../crash/kernel-log/explain.ts';
import type { Report } from '../../crash/kernel-log/report.ts';
import { wrap } from '../wrap.ts';

const LABEL_WIDTH = 10;
const OTHERS_SHOWN = 5;

export function explanationText(
  explanation: LogExplanation,
  { columns, wide }: { columns: number; wide: boolean },
): string {
  const { report } = explanation;
  const lines: string[] = [];
  const say = (label: string, text: string | undefined) => {
    if (text) lines.push(...wrapped(label, text, columns));
  };
  lines.push(explanation.title || 'No crash in this log.');
  if (report) sayReport(report, explanation, wide, say);
  if (explanation.title !== '' || explanation.cause !== 'unknown')
    say('cause', `${explanation.cause}: ${explanation.because}`);
  for (const { part, weight, sample, count, firstLine } of explanation.hardware)
    say('hardware', `${part}, ${weight}, ${times(count)}, first in line ${firstLine}: ${sample}`);
  for (const { means, line, sample } of explanation.planned)
    say('planned', `${means} Line ${line}: ${sample}`);
  if (explanation.boots > 0) say('boots', `the kernel starts ${times(explanation.boots)} in this log`);
  sayOthers(explanation, wide, say);
  return `${lines.join('\n')}\n`;
}

type Say = (label: string, text: string | undefined) => void;

function sayReport(report: Report, explanation: LogExplanation, wide: boolean, say: Say): void {
  const { facts, span } = report;
  say(
    'what',
    `${report.about} (${report.class}, ${report.severity}${report.panicked ? ', then the kernel panicked' : ''})`,
  );
  if (report.frame) {
    const path = [report.frame, ...report.otherFrames.slice(0, wide ? undefined : 4)];
    say('blame', `${path.join(' ← ')}${report.module ? `, module ${report.module}` : ''}`);
  }
  const who = [
    facts.cpu === undefined ? '' : `CPU ${facts.cpu}`,
    facts.process ? `process ${facts.process}${facts.pid === undefined ? '' : ` (${facts.pid})`}` : '',
    facts.workqueue ? `work ${facts.workqueue}` : '',
  ];
  say('where', who.filter(Boolean).join(', '));
  const tainted = facts.taints ? `, tainted ${facts.taints}` : '';
  say('kernel', explanation.kernel && `${explanation.kernel}${tainted}`);
  say('machine', facts.hardwareName);
  const after = report.time === undefined ? '' : `, ${report.time.toFixed(1)} s after boot`;
  say('lines', `${span.from} to ${span.to} of ${explanation.lines}${after}`);
  if (report.corrupted)
    say('trust', 'little: the report is damaged, cut or mixed with others, so the name may be wrong.');
  if (wide) {
    say('opens', report.opening);
    say('modules', facts.modules?.join(' '));
    say('also', report.alternatives.join(' · '));
  }
}

/** The same report many times is one line with its count. */
function sayOthers({ others, count, report }: LogExplanation, wide: boolean, say: Say): void {
  const byTitle = new Map<string, { count: number; line: number }>();
  for (const { title, span } of others) {
    const seen = byTitle.get(title);
    if (seen) seen.count++;
    else byTitle.set(title, { count: 1, line: span.from });
  }
  const shown = [...byTitle].slice(0, wide ? undefined : OTHERS_SHOWN);
  for (const [title, { count, line }] of shown)
    say('other', `${title} (line ${line}${count > 1 ? `, ${times(count)}` : ''})`);
  const kept = others.length + (report ? 1 : 0);
  const hidden = byTitle.size - shown.length;
  if (hidden > 0 || count > kept) say('', `${hidden + count - kept} more; -o json lists those that are kept`);
}

function times(count: number): string {
  return count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`;
}

function wrapped(label: string, text: string, columns: number): string[] {
  const lines = wrap(text, Math.max(30, columns - LABEL_WIDTH - 2));
  return lines.map((each, at) => `  ${(at === 0 ? label : '').padEnd(LABEL_WIDTH)}${each}`);
}
