import { number } from '../../crash/correlate/because.ts';
import { type Answer, type Explanation, nameOf, type When } from '../../crash/correlate/index.ts';
import { TablePrinter } from '../table.ts';
import { wrap } from '../wrap.ts';

/** The answer for people: the verdict, then each explanation with its rates as bars, at most `width` wide. */
export function textOf(answer: Answer, width: number): string {
  const blocks = [wrapped(answer.because, width)];
  for (const explanation of answer.explanations) blocks.push(explanationOf(explanation, answer, width));
  const { cells, combinations } = answer.tried;
  blocks.push(
    [
      wrapped(
        `${number(cells)} cells of ${number(combinations)} combinations of attributes were counted.`,
        width,
      ),
      ...answer.notes.map((note) => wrapped(note, width)),
    ].join('\n'),
  );
  return `${blocks.join('\n\n')}\n`;
}

function explanationOf(explanation: Explanation, answer: Answer, width: number): string {
  const mark = explanation.cause ? 'CAUSE' : answer.verdict === 'ambiguous' ? 'OR' : 'NEAREST';
  return [
    wrapped(`${mark}  ${nameOf(explanation.when)}`, width),
    ...bars(explanation, width),
    wrapped(explanation.because, width, '  '),
  ].join('\n');
}

/** The rate inside and everywhere else, to one scale. */
function bars({ ratio }: Explanation, width: number): string[] {
  const lines = [
    { label: 'inside', value: ratio },
    { label: 'elsewhere', value: 1 },
  ];
  const digits = number(Math.max(ratio, 1)).length + 2;
  const room = width - '  elsewhere  '.length - digits - 2;
  return lines.map(({ label, value }) => {
    const bar = barOf((value / Math.max(ratio, 1)) * room);
    return `  ${label.padEnd(9)}  ${`${number(value)} ×`.padStart(digits)}  ${bar}`.trimEnd();
  });
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

function barOf(length: number): string {
  const eighths = Math.round(length * 8);
  if (eighths === 0 && length > 0) return '▏';
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
}

/** A row an explanation. */
export function wideOf({ verdict, explanations }: Answer): string {
  if (explanations.length === 0) return `${verdict}\n`;
  const columns = ['When', 'Cause', 'Events', 'Expected', 'Exposure', 'Ratio', 'Interval', 'P', 'Same as'];
  const printer = new TablePrinter(
    columns.map((name) => ({ name })),
    { wide: true, header: true },
  );
  return printer.print(
    explanations.map(({ when, cause, events, expected, exposure, ratio, interval, p, sameAs }) => [
      pairs(when),
      cause ? 'yes' : 'no',
      number(events),
      number(expected),
      number(exposure),
      number(ratio),
      interval.map(number).join('–'),
      p < 1e-9 ? '<1e-9' : p.toPrecision(2),
      sameAs.map((same) => pairs(same)).join(' '),
    ]),
  );
}

/** `model=ebmc6,kernel=4.19` */
export function pairs(when: When, separator = ','): string {
  return Object.entries(when)
    .map(([name, value]) => `${name}=${value}`)
    .join(separator);
}

function wrapped(text: string, width: number, indent = ''): string {
  return wrap(text.trim(), width - indent.length)
    .map((line) => indent + line)
    .join('\n');
}
