import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import type { FamilyDecision } from '../../crash/families/index.ts';
import { decisionsOf, familiesOf } from '../../crash/records/families.ts';
import { CRASHES_READ_MAX } from '../../platform/history/crashes.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { openStore, type StoreOptions, timeOf, withStoreOptions } from './store.ts';

interface Options extends StoreOptions {
  reason?: string;
  until?: string;
  by?: string;
}

const ACTIONS: Readonly<
  Record<string, { args: string; decide(args: readonly string[]): Partial<FamilyDecision> | string }>
> = {
  merge: {
    args: 'FAMILY INTO',
    decide: ([family, into]) => (family && into ? { kind: 'merge', family, into } : 'two families'),
  },
  split: {
    args: 'FAMILY SIGNATURE…',
    decide: ([family, ...signatures]) =>
      family && signatures.length > 0
        ? { kind: 'split', family, signatures, newFamily: `family-${signatures[0]}` }
        : 'a family and the signatures that shall leave it',
  },
  rename: {
    args: 'FAMILY TITLE',
    decide: ([family, ...title]) =>
      family && title.length > 0
        ? { kind: 'rename', family, title: title.join(' ') }
        : 'a family and its new title',
  },
  mute: { args: 'FAMILY', decide: ([family]) => (family ? { kind: 'mute', family } : 'a family') },
  unmute: { args: 'FAMILY', decide: ([family]) => (family ? { kind: 'unmute', family } : 'a family') },
};

export function register(program: Command, io: Io): void {
  const usage = Object.entries(ACTIONS).map(([name, { args }]) => `  ${name} ${args}`);
  withStoreOptions(
    program
      .command('family')
      .description('Say which crashes belong together, where the machine has it wrong. It is remembered.')
      .argument('<action>', Object.keys(ACTIONS).join(', '))
      .argument('<name...>', 'families and signatures, as drover crash list --by family prints them'),
  )
    .option('--reason <text>', 'why, for those who come after')
    .option('--until <time>', 'mute: until this date')
    .addOption(new Option('--by <name>', 'who says so; you by default'))
    .addHelpText(
      'after',
      `\nActions:\n${usage.join('\n')}\n\nExample:\n  drover crash family mute family-c-1a2b3c4d5e --until 2026-12-24 --reason "fixed in the next kernel"`,
    )
    .action((action: string, names: string[], options: Options) => decide(action, names, options, io));
}

async function decide(action: string, names: readonly string[], options: Options, io: Io): Promise<void> {
  const known = ACTIONS[action];
  if (!known)
    throw new CliError(
      `error: unknown action "${action}"; one of: ${Object.keys(ACTIONS).join(', ')}`,
      EXIT.usage,
    );
  const wanted = known.decide(names);
  if (typeof wanted === 'string')
    throw new CliError(
      `error: ${action} needs ${wanted}: drover crash family ${action} ${known.args}`,
      EXIT.usage,
    );
  const now = new Date(io.clock.now());
  const by = options.by ?? userInfo().username;
  const decision = {
    ...wanted,
    by,
    at: now.toISOString(),
    ...(options.reason && { reason: options.reason }),
    ...(action === 'mute' &&
      options.until && { until: new Date(timeOf('--until', options.until, io)).toISOString() }),
  } as FamilyDecision;
  await using store = await openStore(options, io);
  const decisions = await decisionsOf(store);
  const records = await store.list({ planned: true, limit: CRASHES_READ_MAX });
  const { conflicts } = familiesOf(records, [...decisions, decision]);
  const conflict = conflicts.find((each) => each.decision === decision);
  if (conflict) throw new CliError(`error: ${conflict.message}`);
  await store.addOrder(by, now, decision);
  io.out(`${decision.family} ${action}${action.endsWith('e') ? 'd' : action === 'split' ? '' : 'ed'}\n`);
}
