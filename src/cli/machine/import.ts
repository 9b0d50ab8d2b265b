// Machines as a provider or a table names them, made into Machine objects. A preview, until --apply.
import type { Command } from 'commander';
import { typeMetaOf } from '../../api/crd.ts';
import { objectName } from '../../api/fields.ts';
import { machineKind } from '../../api/machine.ts';
import { parseAs } from '../../api/parse.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import { KubeError } from '../../platform/kube/errors.ts';
import { type KubeObject, NODES, type Node } from '../../platform/kube/objects.ts';
import type { Listed } from '../../platform/providers/provider.ts';
import { readTable, type Table } from '../../platform/tables.ts';
import { saidBy, withClient } from '../connect.ts';
import { bytesOf } from '../input.ts';
import { CliError, type Io } from '../io.ts';
import { findProvider, withOutside } from '../reach.ts';

const MANAGER = 'drover-import';
/** Columns that go to the location of the machine. */
const PLACES = ['region', 'zone', 'room', 'rack', 'powerFeed', 'unit', 'environment', 'group'] as const;
const COLUMNS: readonly string[] = ['name', 'id', 'node', 'cluster', 'model', 'ssh', 'kubelet', ...PLACES];

interface Options {
  provider: string;
  file?: string;
  apply?: boolean;
}

const MISNAMED =
  'a name has lower-case letters, digits, hyphens and dots, and begins and ends with a letter or digit';

/** One machine to be, and what becomes of it. */
interface Candidate {
  object: KubeObject & { spec: Record<string, unknown> };
  is: 'new' | 'exists' | 'wrong';
  why: string;
}

export function register(program: Command, io: Io): void {
  program
    .command('import')
    .description(
      'Make Machine objects out of what a provider lists, or of a table. Shows what it would make; --apply makes it. Machines that exist are left as they are.',
    )
    .requiredOption('--provider <name>', 'the MachineProvider that reaches them')
    .option(
      '-f, --file <file>',
      `CSV or JSON lines with the columns ${COLUMNS.join(', ')}; - is standard input`,
    )
    .option('--apply', 'make them')
    .addHelpText(
      'after',
      '\nExamples:\n  drover machine import --provider ecs-hangzhou\n  drover machine import --provider room-a2 -f machines.csv --apply',
    )
    .action((options: Options, command: Command) =>
      withClient(command, io, async (client) => {
        const candidates = await candidatesOf(client, options, io);
        const made = options.apply ? await apply(client, candidates) : 0;
        print(candidates, options, made, io);
        if (candidates.some(({ is }) => is === 'wrong')) throw new CliError('');
      }),
    );
}

async function candidatesOf(client: KubeClient, options: Options, io: Io): Promise<Candidate[]> {
  const provider = await findProvider(client, options.provider);
  const { items: present } = await client.list<
    KubeObject & { spec: { provider: { name: string; id: string } } }
  >(machineKind.resource);
  const names = new Set(present.map(({ metadata }) => metadata.name));
  const ids = new Map(
    present
      .filter(({ spec }) => spec.provider.name === options.provider)
      .map(({ metadata, spec }) => [spec.provider.id, metadata.name]),
  );
  const specs = options.file
    ? fromTable(await readTable(bytesOf(options.file, io), options.file), options.provider)
    : await withOutside(client, io, provider, async (outside) => {
        const nodes = await client.list<Node>(NODES);
        const all: Listed[] = [];
        for await (const page of outside.provider.list()) all.push(...page);
        return all.map((listed) => fromListed(listed, options.provider, nodes.items));
      });
  return specs.map(({ name, spec }) => {
    const object = { ...typeMetaOf(machineKind), metadata: { name }, spec } as Candidate['object'];
    const misnamed = objectName().safeParse(name).success ? undefined : MISNAMED;
    const parsed = parseAs(machineKind, object);
    const owner = ids.get((spec.provider as { id: string }).id);
    if (misnamed) return { object, is: 'wrong', why: misnamed };
    if (!parsed.ok) return { object, is: 'wrong', why: parsed.message };
    if (owner !== undefined)
      return { object, is: 'exists', why: owner === name ? '' : `as machine/${owner}` };
    if (names.has(name))
      return { object, is: 'wrong', why: 'a Machine of that name has another provider or id' };
    names.add(name);
    ids.set((spec.provider as { id: string }).id, name);
    return { object, is: 'new', why: '' };
  });
}

interface Named {
  name: string;
  spec: Record<string, unknown>;
}

function fromTable(table: Table, provider: string): Named[] {
  const unknown = table.columns.filter(({ name }) => !COLUMNS.includes(name)).map(({ name }) => name);
  if (unknown.length > 0)
    throw new CliError(
      `error: ${table.name} has unknown columns ${unknown.join(', ')}: there are ${COLUMNS.join(', ')}`,
    );
  const missing = ['name', 'id'].filter((name) => !table.columns.some((column) => column.name === name));
  if (missing.length > 0)
    throw new CliError(`error: ${table.name} lacks the column ${missing.join(' and ')}`);
  return Array.from({ length: table.rows }, (_, row) => {
    const cells = new Map(
      table.columns.map(({ name, values, codes }) => [name, values[codes[row] as number] ?? '']),
    );
    const given = (names: readonly string[]) =>
      Object.fromEntries(names.flatMap((name) => (cells.get(name) ? [[name, cells.get(name)]] : [])));
    const node = cells.get('node');
    return {
      name: cells.get('name') ?? '',
      spec: {
        provider: { name: provider, id: cells.get('id') ?? '' },
        ...(node && { nodeName: node }),
        ...given(['cluster', 'model']),
        location: given(PLACES),
        addresses: given(['ssh', 'kubelet']),
      },
    };
  });
}

/** A cloud names neither Node nor rack. The Node is the one with its id or its address. */
function fromListed(listed: Listed, provider: string, nodes: readonly Node[]): Named {
  const { id, name = id, model, zone, address } = listed;
  const node = nodes.find(
    ({ spec, status }) =>
      spec?.providerID?.endsWith(id) ||
      status?.addresses?.some((each) => each.type === 'InternalIP' && each.address === address),
  );
  const machine = node?.metadata.name ?? name.toLowerCase().replace(/[^a-z0-9.-]+/g, '-');
  return {
    name: machine,
    spec: {
      provider: { name: provider, id },
      ...(model && { model }),
      location: zone ? { zone } : {},
      ...(address && { addresses: { ssh: `${address}:22`, kubelet: `${address}:10250` } }),
    },
  };
}

async function apply(client: KubeClient, candidates: readonly Candidate[]): Promise<number> {
  let made = 0;
  for (const candidate of candidates) {
    if (candidate.is !== 'new') continue;
    try {
      await client.create(machineKind.resource, candidate.object, MANAGER);
      made++;
    } catch (error) {
      // One that the server refuses stops no other.
      if (!(error instanceof KubeError)) throw error;
      candidate.is = 'wrong';
      candidate.why = saidBy(error);
    }
  }
  return made;
}

function print(candidates: readonly Candidate[], { apply, provider }: Options, made: number, io: Io): void {
  for (const { object, is, why } of candidates) {
    const { name } = object.metadata;
    if (is === 'wrong') io.err(`machine/${name} is wrong: ${why}\n`);
    else if (is === 'exists') io.out(`machine/${name} exists${why && ` ${why}`}\n`);
    else io.out(`machine/${name} ${apply ? 'created' : 'would be created'}${about(object.spec)}\n`);
  }
  const news = candidates.filter(({ is }) => is === 'new').length;
  if (candidates.length === 0) io.out(`No machines: ${provider} lists none.\n`);
  else if (apply) io.out(`${made} machines created.\n`);
  else if (news > 0) io.out(`${news} machines would be created: --apply makes them.\n`);
}

function about({ provider, location, model }: Record<string, unknown>): string {
  const { id } = provider as { id: string };
  const places = Object.entries(location as Record<string, string>).map(([key, value]) => `${key}=${value}`);
  return `  ${[`id=${id}`, ...(model ? [`model=${model}`] : []), ...places].join(' ')}`;
}
