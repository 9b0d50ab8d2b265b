import { type Command, Option } from 'commander';
import { type Difference, differences } from '../../planning/compare.ts';
import { money, type Plan } from '../../planning/index.ts';
import { planIn } from '../../planning/read/plan.ts';
import { csv } from '../crash/csv.ts';
import { readable, textOf } from '../input.ts';
import type { Io } from '../io.ts';
import { serialize } from '../output.ts';
import { told } from './input.ts';
import { columns } from './print.ts';

interface Options {
  output?: 'json' | 'yaml' | 'csv';
}

export function register(plan: Command, io: Io): void {
  plan
    .command('compare')
    .description('Say what two plans differ in: cost, machines, Pods without a place, use.')
    .argument('<a>', 'a plan as drover plan -o json wrote it')
    .argument('<b>', 'another one')
    .addOption(new Option('-o, --output <format>', 'a table by default').choices(['json', 'yaml', 'csv']))
    .addHelpText('after', '\nExample:\n  drover plan compare with-32-interfaces.json with-64-interfaces.json')
    .action((a: string, b: string, options: Options) => compare(a, b, options, io));
}

async function compare(a: string, b: string, { output }: Options, io: Io): Promise<void> {
  const rows = differences(await read(a, io), await read(b, io));
  if (output === 'csv')
    io.out(csv(rows.map(({ what, a: one, b: other }) => ({ what, a: String(one), b: String(other) }))));
  else if (output) io.out(await serialize(rows, output));
  else io.out(`${columns([['', 'A', 'B', 'CHANGE'], ...rows.map(wordsOf)]).join('\n')}\n`);
}

async function read(file: string, io: Io): Promise<Plan> {
  try {
    const text = await textOf(file, io);
    return told(() => planIn(text, file));
  } catch (error) {
    throw readable(error, file);
  }
}

function wordsOf({ what, a, b, unit }: Difference): string[] {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const words = unit === 'share' ? percent : money;
  if (a === b) return [what, words(a), words(b), ''];
  const signed = (text: string) => (b > a ? `+${text}` : text);
  if (unit === 'share') return [what, words(a), words(b), signed(`${((b - a) * 100).toFixed(1)} points`)];
  return [what, words(a), words(b), a === 0 ? signed(words(b - a)) : signed(percent((b - a) / a))];
}
