// Everything that a provider needs to work, looked at without changing anything: a line each.
import type { Command } from 'commander';
import { type Machine, machineKind } from '../../api/machine.ts';
import { providerType } from '../../api/machine-provider.ts';
import { parseAs } from '../../api/parse.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import type { KubeObject } from '../../platform/kube/objects.ts';
import type { Outside } from '../../platform/outside.ts';
import {
  ABILITIES,
  type Abilities,
  type Failure,
  ProviderError,
  type Reading,
} from '../../platform/providers/provider.ts';
import { sideBySide } from '../../platform/side-by-side.ts';
import { someOf } from '../../platform/some-of.ts';
import { withClient } from '../connect.ts';
import { countOption } from '../durations.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { findProvider, withOutside } from '../reach.ts';

const ASKED_AT_ONCE_MAX = 32;
/** Machines of one trouble that a line names. */
const NAMED_MAX = 3;

const MARKS: Readonly<Record<string, string>> = { true: '✔', false: '✖', undefined: ' ' };

interface Options {
  machines: number;
}

type Asked = { machine: Machine } & ({ reading: Reading } | { error: ProviderError });

export function register(program: Command, io: Io): void {
  program
    .command('check')
    .description('Check credentials, rights, reachability and abilities of a provider. It changes nothing.')
    .argument('<provider>', 'name of the MachineProvider')
    .option('--machines <n>', 'ask at most so many of its machines', countOption(1, 100_000), 100)
    .action((name: string, options: Options, command: Command) =>
      withClient(command, io, async (client) => {
        const provider = await findProvider(client, name);
        const machines = await machinesOf(client, name);
        const picked = spread(machines, options.machines);
        const asked = await withOutside(client, io, provider, (outside) => askAll(outside, picked));
        io.out(
          `machineprovider/${name}  ${providerType(provider)}, ${machines.length} machines, ${picked.length} asked\n`,
        );
        const lines = findings(asked);
        for (const { ok, text } of lines) io.out(`${MARKS[String(ok)]} ${text}\n`);
        if (machines.length === 0) io.out('No Machine names it yet: drover machine import makes them.\n');
        if (lines.some(({ ok }) => ok === false)) throw new CliError('', EXIT.error);
      }),
    );
}

async function machinesOf(client: KubeClient, provider: string): Promise<Machine[]> {
  const { items } = await client.list<KubeObject>(machineKind.resource);
  return items.flatMap((item) => {
    const parsed = parseAs(machineKind, item);
    return parsed.ok && parsed.value.spec.provider.name === provider ? [parsed.value] : [];
  });
}

/** So many of them, from all over the list: racks stand together in it. */
function spread<T>(all: readonly T[], most: number): T[] {
  const step = Math.max(1, all.length / most);
  return Array.from({ length: Math.min(most, all.length) }, (_, at) => all[Math.floor(at * step)] as T);
}

async function askAll({ provider }: Outside, machines: readonly Machine[]): Promise<Asked[]> {
  const asked: Asked[] = [];
  await sideBySide(machines, ASKED_AT_ONCE_MAX, async (machine) => {
    try {
      asked.push({ machine, reading: await provider.describe(machine.spec.provider.id) });
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      asked.push({ machine, error });
    }
  });
  return asked;
}

/** What each failure is a failure of. */
const ABOUT: Readonly<Record<Failure, string>> = {
  BadCredentials: 'credentials',
  NotFound: 'known',
  TryAgain: 'reachable',
  Throttled: 'limits',
  Quota: 'limits',
  NoStock: 'limits',
  Refused: 'rights',
  Broken: 'protocol',
  Unknown: 'reachable',
};

interface Finding {
  /** Undefined: as it is, neither good nor bad. */
  ok: boolean | undefined;
  text: string;
}

function findings(asked: readonly Asked[]): Finding[] {
  const readings = asked.flatMap((each) => ('reading' in each ? [each.reading] : []));
  const failed = asked.flatMap((each) => ('error' in each ? [each] : []));
  const troubles = Map.groupBy(failed, ({ error }) => error.reason);
  const lines: Finding[] = [];
  if (readings.length > 0) {
    const powers = Map.groupBy(readings, ({ power }) => power);
    const counts = [...powers].map(([power, all]) => `${power} ${all.length}`).join(', ');
    lines.push({ ok: true, text: line('answers', `${readings.length} of ${asked.length}: power ${counts}`) });
  }
  for (const [reason, all] of troubles) {
    const [first] = all as [(typeof all)[number]];
    const names = all.map(({ machine }) => machine.metadata.name);
    const text = `${reason} of ${someOf(names, NAMED_MAX)}: ${first.error.message}`;
    lines.push({ ok: false, text: line(ABOUT[first.error.failure], text) });
  }
  const sick = asked.flatMap((each) => ('reading' in each && each.reading.health ? [each] : []));
  if (sick.length > 0) {
    const names = sick.slice(0, NAMED_MAX).map(({ machine }) => machine.metadata.name);
    lines.push({
      ok: true,
      text: line('health', `${sick.length} with trouble: ${names.join(', ')}: ${sick[0]?.reading.health}`),
    });
  }
  return [...lines, ...abilityLines(readings.map(({ can }) => can))];
}

/** What all can do, and of the rest why how many cannot. */
function abilityLines(all: readonly Abilities[]): Finding[] {
  if (all.length === 0) return [];
  const able = ABILITIES.filter((ability) => all.every((can) => can[ability] === true));
  const lines: Finding[] = [{ ok: true, text: line('can', able.join(', ') || 'nothing') }];
  for (const ability of ABILITIES.filter((each) => !able.includes(each))) {
    const unable = all.filter((can) => can[ability] !== true);
    const who = unable.length === all.length ? '' : ` (${unable.length} of ${all.length})`;
    lines.push({ ok: undefined, text: line('cannot', `${ability}${who}: ${unable[0]?.[ability]}`) });
  }
  return lines;
}

const line = (about: string, text: string) => `${about.padEnd(12)} ${text}`;
