// A trend as people read it: a small chart, and under it what the rule says and why.
import type { Alarm, JudgedPoint, Series, Trend } from '../../crash/trend/index.ts';
import { paint } from './trend-paint.ts';

export interface ChartOptions {
  columns: number;
  colour: boolean;
  falseAlarms: number;
}

const ALARMS_SHOWN = 5;

export function textOf(
  name: string,
  series: Series,
  { points, alarms }: Trend,
  options: ChartOptions,
): string {
  const total = points.reduce((sum, { count }) => sum + count, 0);
  const first = points[0] as JudgedPoint;
  const last = points.at(-1) as JudgedPoint;
  const unit = series.step;
  const lines = [
    `${name}: ${plural(points.length, unit)}, ${first.date} to ${last.date}, ${plural(total, 'event')}`,
    '',
    ...paint(points, unit, options),
    '',
    ...verdictOf(series, points, alarms, options),
    ...series.notes.map((note) => `Note: ${note}.`),
  ];
  return `${lines.flatMap((line) => wrap(line, options.columns)).join('\n')}\n`;
}

function verdictOf(
  series: Series,
  points: readonly JudgedPoint[],
  alarms: readonly Alarm[],
  { falseAlarms }: ChartOptions,
): string[] {
  const unit = series.step;
  const last = points.at(-1) as JudgedPoint;
  const lines: string[] = [];
  const on = alarms.at(-1);
  if (on && on.until === null) lines.push(`Surge, still on: ${sentenceOf(on, unit)}`);
  else if (last.expected === null) lines.push(`No history yet: the first ${unit} cannot be judged.`);
  else
    lines.push(
      `No surge now. The last ${unit}, ${last.date}, had ${last.count}; ${round(last.expected)} were expected, more than ${last.upper} would be a surge by itself.`,
    );
  const over = alarms.filter(({ until }) => until !== null);
  if (over.length > 0) lines.push('');
  for (const alarm of over.slice(-ALARMS_SHOWN))
    lines.push(
      `Surge until ${alarm.until}${alarm.ended === 'new level' ? ' (the new level is normal now)' : ''}: ${sentenceOf(alarm, unit)}`,
    );
  if (over.length > ALARMS_SHOWN) lines.push(`… and ${over.length - ALARMS_SHOWN} before these.`);
  if (alarms.length > 0 && !series.hasExposure)
    lines.push(
      'No exposure was given: a fleet that grew would look the same. Name machine-days with --exposure.',
    );
  lines.push(`Without a surge the rule would raise at most ${falseAlarms} false alarms in 30 days.`);
  return lines;
}

/** Why it is a surge, what was expected, since when, how sure. */
export function sentenceOf(alarm: Alarm, unit: Series['step']): string {
  const { since, raisedAt, events, expected, excess, ratio, p, rule } = alarm;
  const why = rule === 'sudden' ? `one ${unit} above its limit` : `several ${unit}s together`;
  return (
    `since ${since} ${plural(events, 'event')} where ${round(expected)} were expected, ` +
    `${round(excess)} more (×${round(ratio)}). Seen ${raisedAt}, by ${why}. ${surenessOf(p)}`
  );
}

function surenessOf(p: number): string {
  const months = 1 / p;
  if (months < 100) return `Chance does this at most once in ${round(months)} months.`;
  if (months < 1.2e6) return `Chance does this at most once in ${round(months / 12)} years.`;
  return 'Chance does this less than once in 100,000 years.';
}

function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** Two or three telling digits. */
function round(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}

function wrap(line: string, columns: number): string[] {
  if (line.length <= columns || !line.includes(' ') || line.startsWith(' ')) return [line];
  const lines: string[] = [];
  let now = '';
  for (const word of line.split(' ')) {
    if (now !== '' && now.length + 1 + word.length > columns) {
      lines.push(now);
      now = `  ${word}`;
    } else now = now === '' ? word : `${now} ${word}`;
  }
  return [...lines, now];
}
