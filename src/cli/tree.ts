import { wrap } from './wrap.ts';

/** A finding and what it rests on. One tree for the command line and the console. */
export interface Tree {
  label: string;
  text: string;
  tone?: 'good' | 'bad' | 'wait';
  children?: Tree[];
}

const COLOURS = { good: '\u001b[32m', bad: '\u001b[31m', wait: '\u001b[33m' } as const;
const BOLD = '\u001b[1m';
const RESET = '\u001b[0m';

export interface TreeStyle {
  colour: boolean;
  /** Wraps at this width; undefined for readers that are no people. */
  columns?: number;
}

/** Lines with branches; the labels of siblings that lead nowhere deeper stand in one column. */
export function printTree(tree: Tree, style: TreeStyle): string {
  const lines: string[] = [];
  const head = tree.text ? `${tree.label}  ${tree.text}` : tree.label;
  lines.push(style.colour ? `${BOLD}${paint(head, tree, style)}${RESET}` : head);
  branches(tree.children ?? [], '', style, lines);
  return `${lines.join('\n')}\n`;
}

function branches(children: readonly Tree[], before: string, style: TreeStyle, lines: string[]): void {
  const width = Math.max(0, ...children.map(({ label }) => label.length));
  children.forEach((child, index) => {
    const last = index === children.length - 1;
    const below = before + (last ? '   ' : '│  ');
    const hang = below + (child.children?.length ? '│  ' : '   ') + ' '.repeat(Math.max(0, width - 1));
    const label = child.label.padEnd(width);
    const room = style.columns && style.columns - below.length - width - 2;
    const [first = '', ...more] = room ? wrap(child.text, Math.max(20, room)) : [child.text];
    lines.push(`${before}${last ? '└─ ' : '├─ '}${label}  ${paint(first, child, style)}`.trimEnd());
    for (const line of more) lines.push(`${hang}${paint(line, child, style)}`);
    branches(child.children ?? [], below, style, lines);
  });
}

function paint(text: string, { tone }: Tree, { colour }: TreeStyle): string {
  return colour && tone && text !== '' ? `${COLOURS[tone]}${text}${RESET}` : text;
}
