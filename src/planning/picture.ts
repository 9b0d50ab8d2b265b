// Use and waste by class as an SVG: one bar for each resource, what is used, and what stands idle by its cause.
import { amountWords } from '../platform/kube/quantity.ts';
import type { Plan } from './plan.ts';
import type { Waste } from './waste.ts';

const WIDTH = 760;
const LEFT = 190;
const RIGHT = 20;
const BAR = 18;
const ROW = 28;
const HEAD = 34;
const LEGEND = 24;
/** Causes beyond these share the last colour. */
const COLOURS = ['#e8a33d', '#d9643a', '#b5538f', '#7b62c9', '#3f8fc4', '#4aa98b', '#8d9a3b', '#8a8a8a'];
const NO_MORE = '#c9ced6';
const USED = '#2f6fd0';

export function pictureOf({ waste }: Plan, title: string): string {
  const classes = [...new Set(waste.map((each) => each.class))];
  const causes = [...new Set(waste.flatMap(({ because }) => because.map(({ resource }) => resource)))];
  const colourOf = (cause: string) => COLOURS[Math.min(causes.indexOf(cause), COLOURS.length - 1)] as string;
  const parts: string[] = [];
  let y = 30;
  for (const name of classes) {
    const rows = waste.filter((each) => each.class === name);
    parts.push(text(12, y + 18, `${name} · ${rows[0]?.machines ?? 0} machines`, 'head'));
    y += HEAD;
    for (const row of rows) {
      parts.push(...bar(row, y, colourOf));
      y += ROW;
    }
    y += 6;
  }
  const legend: [string, string][] = [
    [USED, 'used'],
    ...causes.map((cause): [string, string] => [colourOf(cause), `idle because of ${cause}`]),
    [NO_MORE, 'idle, no more Pods'],
  ];
  for (const [at, [colour, words]] of legend.entries()) {
    const [x, row] = [12 + (at % 3) * 245, Math.floor(at / 3)];
    parts.push(rect(x, y + row * LEGEND, 12, 12, colour), text(x + 18, y + row * LEGEND + 10, words, ''));
  }
  y += Math.ceil(legend.length / 3) * LEGEND + 6;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="${escaped(title)}">`,
    STYLE,
    `<rect class="page" width="${WIDTH}" height="${y}"/>`,
    text(12, 20, title, 'title'),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function bar(row: Waste, y: number, colourOf: (cause: string) => string): string[] {
  const all = WIDTH - LEFT - RIGHT;
  const pieces: { share: number; colour: string; words: string }[] = [
    { share: row.used, colour: USED, words: 'used' },
    ...row.because.map(({ resource, idle }) => ({
      share: idle,
      colour: colourOf(resource),
      words: `idle because of ${resource}`,
    })),
    { share: row.noMorePods, colour: NO_MORE, words: 'idle, no more Pods' },
  ];
  const drawn: string[] = [text(LEFT - 8, y + 13, `${row.resource} (${amountWords(row.has)})`, 'label')];
  let x = LEFT;
  for (const { share, colour, words } of pieces) {
    const width = share * all;
    if (width < 0.5) continue;
    drawn.push(rect(x, y, width, BAR, colour, `${row.resource}: ${percent(share)} ${words}`));
    if (width > 40)
      drawn.push(text(x + width / 2, y + 13, percent(share), colour === NO_MORE ? 'dark' : 'inside'));
    x += width;
  }
  return drawn;
}

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #1f2430 }
.page { fill: #ffffff }
.title { font-size: 14px; font-weight: 600 }
.head { font-size: 13px; font-weight: 600 }
.label { text-anchor: end }
.inside { fill: #ffffff; text-anchor: middle }
.dark { fill: #1f2430; text-anchor: middle }
@media (prefers-color-scheme: dark) { text { fill: #e6e9ef } .page { fill: #14171d } .inside { fill: #ffffff } .dark { fill: #1f2430 } }
</style>`;

function rect(x: number, y: number, width: number, height: number, colour: string, title?: string): string {
  const inside = title ? `<title>${escaped(title)}</title>` : '';
  return `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${height}" fill="${colour}">${inside}</rect>`;
}

function text(x: number, y: number, words: string, style: string): string {
  return `<text x="${short(x)}" y="${short(y)}"${style && ` class="${style}"`}>${escaped(words)}</text>`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function short(value: number): string {
  return String(+value.toFixed(1));
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
