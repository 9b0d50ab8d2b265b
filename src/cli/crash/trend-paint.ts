// Bars of a series: rows of block characters, the expected level as a dotted line, alarms underneath.
import type { JudgedPoint } from '../../crash/trend/index.ts';

const ROWS = 6;
const BLOCKS = ' ▁▂▃▄▅▆▇█';
const RED = '\x1b[31m';
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';

/** One column a point; of a long series the newest that fit. */
export function paint(
  points: readonly JudgedPoint[],
  unit: 'day' | 'hour',
  { columns, colour }: { columns: number; colour: boolean },
): string[] {
  const highest = Math.max(1, ...points.slice(-columns).map(({ count }) => count));
  const margin = `${highest}`.length + 2;
  const bars = points.slice(-(columns - margin));
  const top = Math.ceil(Math.max(1, ...bars.map(({ count, expected }) => Math.max(count, expected ?? 0))));
  const hasAlarm = bars.some(({ alarm }) => alarm);
  const space = ' '.repeat(margin);
  const lines: string[] = [];
  for (let row = ROWS - 1; row >= 0; row--) {
    const label = row === ROWS - 1 ? `${top}` : row === 0 ? '0' : '';
    const cells = bars.map((bar) => cell(bar, row, top, colour)).join('');
    lines.push(`${label.padStart(margin - 1)} ${cells}`.trimEnd());
  }
  if (hasAlarm) {
    const marks = bars
      .map(({ alarm }) => (alarm ? '▲' : ' '))
      .join('')
      .trimEnd();
    lines.push(`${space}${colour ? `${RED}${marks}${PLAIN}` : marks}`);
  }
  const from = bars[0]?.date ?? '';
  const to = bars.at(-1)?.date ?? '';
  const room = bars.length - from.length - to.length;
  lines.push(`${space}${room > 0 ? `${from}${' '.repeat(room)}${to}` : to}`);
  const some = bars.length < points.length ? `, the last ${bars.length}` : '';
  lines.push(`${space}events each ${unit}${some}; ┈ expected${hasAlarm ? '; ▲ surge' : ''}`);
  return lines;
}

function cell({ count, expected, alarm }: JudgedPoint, row: number, top: number, colour: boolean): string {
  const eighths = Math.round((count / top) * ROWS * 8) - row * 8;
  const block = BLOCKS[Math.max(0, Math.min(8, eighths))] as string;
  if (block !== ' ') return colour && alarm ? `${RED}${block}${PLAIN}` : block;
  const isHere = expected !== null && Math.min(ROWS - 1, Math.floor((expected / top) * ROWS)) === row;
  if (!isHere) return ' ';
  return colour ? `${DIM}┈${PLAIN}` : '┈';
}
