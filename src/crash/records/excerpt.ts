import type { Report } from '../kernel-log/report.ts';

const LINES_MAX = 60;
const LINE_LENGTH_MAX = 200;

/** The first lines of the report that matters: what an engineer looks at first, and all that must not be lost. */
export function excerptOf(log: string, report: Report | undefined): string {
  if (!report) return '';
  const { from, to } = report.span;
  const lines: string[] = [];
  let number = 1;
  for (let at = 0; at <= log.length && number <= to && lines.length < LINES_MAX; number++) {
    let end = log.indexOf('\n', at);
    if (end < 0) end = log.length;
    if (number >= from) lines.push(printable(log.slice(at, Math.min(end, at + LINE_LENGTH_MAX))));
    at = end + 1;
  }
  return lines.join('\n');
}

/** Consoles have bytes in them that terminals obey and JSON of a database refuses. */
function printable(line: string): string {
  return line.replaceAll(/[^\x20-\x7e\t]/g, '');
}
