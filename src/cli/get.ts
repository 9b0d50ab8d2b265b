import type { Command } from 'commander';
import type { KubeClient } from '../platform/kube/client.ts';
import { KubeError } from '../platform/kube/errors.ts';
import { apiVersionOf, type KubeObject, pathOf, type Resource } from '../platform/kube/objects.ts';
import { isNoSuchKind, NOT_INSTALLED, saidBy, withClient } from './connect.ts';
import { CliError, EXIT, type Io } from './io.ts';
import { serialize } from './output.ts';
import { resourceNamed, SHOWN_NAMES } from './resources.ts';
import { TABLE_TYPE, type Table, TablePrinter } from './table.ts';

/** Rows or objects of one answer; the rest comes in further pages. */
const PAGE_SIZE = 500;
/** The rows to come are not known while a watch prints its first ones; this holds most words. */
const WATCH_WIDTH = 11;
const FORMATS = ['wide', 'json', 'yaml', 'name'] as const;

export interface GetOptions {
  output?: (typeof FORMATS)[number];
  selector?: string;
  fieldSelector?: string;
  watch?: boolean;
  headers: boolean;
  namespace?: string;
}

export interface Wanted {
  client: KubeClient;
  resource: Resource;
  names: readonly string[];
  options: GetOptions;
  io: Io;
}

export function register(program: Command, io: Io): void {
  program
    .command('get')
    .description('List objects of Drover as a table, or print them as they are.')
    .argument('<type>', `${SHOWN_NAMES.join(', ')}; also singular and short, and TYPE/NAME`)
    .argument('[name...]', 'only these')
    .option('-o, --output <format>', `one of ${FORMATS.join(', ')}`, format)
    .option('-l, --selector <labels>', 'only objects with these labels: zone=z1,model!=ebmc6')
    .option('--field-selector <fields>', 'only objects with these fields: metadata.name=m00001')
    .option('-n, --namespace <name>', 'where a type has namespaces; all of them by default')
    .option('-w, --watch', 'go on printing what changes')
    .option('--no-headers', 'print no column names')
    .addHelpText(
      'after',
      '\nExamples:\n  drover get incidents\n  drover get machines -l drover.dev/zone=z1 -o wide\n  drover get operations --watch',
    )
    .action((type: string, names: string[], options: GetOptions, command: Command) =>
      get(command, io, type, names, options),
    );
}

function format(value: string): (typeof FORMATS)[number] {
  const found = FORMATS.find((each) => each === value);
  if (!found)
    throw new CliError(`error: unknown output format "${value}"; one of: ${FORMATS.join(', ')}`, EXIT.usage);
  return found;
}

async function get(
  command: Command,
  io: Io,
  type: string,
  names: readonly string[],
  options: GetOptions,
): Promise<void> {
  const [word, named] = split(type, names);
  if (named.length > 0 && (options.selector || options.fieldSelector)) {
    throw new CliError('error: name objects or select them, not both', EXIT.usage);
  }
  if (options.watch && named.length > 1)
    throw new CliError('error: one name at most can be watched', EXIT.usage);
  await withClient(command, io, async (client) => {
    const resource = resourceNamed(word) ?? (await discovered(client, word));
    const wanted: Wanted = { client, resource, names: named, options, io };
    checkNamespace(wanted);
    try {
      if (options.watch) return await (await import('./get-watch.ts')).watch(wanted);
      return await list(wanted);
    } catch (error) {
      throw isNoSuchKind(error) ? new CliError(`error: ${NOT_INSTALLED}`) : error;
    }
  });
}

/** Names are told apart by namespace only; most of our types have none. */
function checkNamespace({ resource, names, options }: Wanted): void {
  const { plural, namespaced } = resource;
  if (namespaced && names.length > 0 && !options.namespace)
    throw new CliError(`error: ${plural} have a namespace: write it with -n`, EXIT.usage);
  if (!namespaced && options.namespace)
    throw new CliError(`error: ${plural} have no namespace: leave -n out`, EXIT.usage);
}

/** `machine/m1 machine/m2` is `machine m1 m2`. */
function split(type: string, names: readonly string[]): [string, readonly string[]] {
  if (!type.includes('/')) return [type, names];
  const pairs = [type, ...names].map((each) => each.split('/'));
  const word = pairs[0]?.[0] ?? '';
  if (pairs.some((pair) => pair.length !== 2 || pair[0] !== word || !pair[1])) {
    throw new CliError('error: write TYPE NAME…, or TYPE/NAME of one type', EXIT.usage);
  }
  return [word, pairs.map((pair) => pair[1] as string)];
}

/** A kind that a newer Drover has put on the cluster. */
async function discovered(client: KubeClient, word: string): Promise<Resource> {
  interface Found {
    name: string;
    singularName?: string;
    shortNames?: string[];
    kind: string;
    namespaced?: boolean;
  }
  const path = '/apis/drover.dev/v1alpha1';
  const answer = await client
    .request<{ resources: Found[] }>({ method: 'GET', path })
    .catch((error: unknown) => {
      if (error instanceof KubeError && error.status === 404) return { resources: [] };
      throw error;
    });
  const lower = word.toLowerCase();
  const found = answer.resources.find(({ name, singularName, shortNames = [], kind }) =>
    [name, singularName, kind.toLowerCase(), ...shortNames].includes(lower),
  );
  if (!found || found.name.includes('/')) {
    throw new CliError(
      `error: there is no resource type "${word}"; one of: ${SHOWN_NAMES.join(', ')}`,
      EXIT.usage,
    );
  }
  return {
    group: 'drover.dev',
    version: 'v1alpha1',
    kind: found.kind,
    plural: found.name,
    namespaced: found.namespaced ?? false,
  };
}

async function list(wanted: Wanted): Promise<void> {
  const { output } = wanted.options;
  if (output === 'json' || output === 'yaml' || output === 'name') return listObjects(wanted, output);
  const { found, missing } =
    wanted.names.length > 0
      ? await readNamed<Table>(wanted, TABLE_TYPE)
      : { found: await pages<Table>(wanted, TABLE_TYPE), missing: [] };
  const rows = found.flatMap((table) => table.rows ?? []).map(({ cells }) => cells);
  if (rows.length > 0) wanted.io.out(printerFor(wanted, found).print(rows));
  finish(wanted, rows.length, missing);
}

export function printerFor({ options }: Wanted, tables: readonly Table[]): TablePrinter {
  const columns = tables.find((table) => table.columnDefinitions)?.columnDefinitions ?? [];
  return new TablePrinter(columns, {
    wide: options.output === 'wide',
    header: options.headers,
    ...(options.watch && { leastWidth: WATCH_WIDTH }),
  });
}

async function listObjects(wanted: Wanted, output: 'json' | 'yaml' | 'name'): Promise<void> {
  const { resource, names, io } = wanted;
  let objects: KubeObject[];
  let missing: string[] = [];
  if (names.length > 0) ({ found: objects, missing } = await readNamed<KubeObject>(wanted));
  else objects = (await pages<{ items: KubeObject[] }>(wanted)).flatMap(({ items }) => items);
  const typed = objects.map((object) => ({
    ...object,
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
  }));
  if (output === 'name') {
    for (const { metadata } of typed) io.out(`${objectName(resource, metadata.name)}\n`);
    return finish(wanted, typed.length, missing);
  }
  const [only] = typed;
  // Programs get one document always: the object that they named, or a List, empty too.
  if (names.length === 1) io.out(only ? await serialize(only, output) : '');
  else
    io.out(
      await serialize(
        { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items: typed },
        output,
      ),
    );
  finish(wanted, Math.max(1, typed.length), missing);
}

export function objectName(resource: Resource, name: string): string {
  return `${resource.kind.toLowerCase()}.${resource.group}/${name}`;
}

function finish({ io }: Wanted, count: number, missing: readonly string[]): void {
  if (missing.length > 0) throw new CliError(missing.join('\n'));
  if (count === 0) io.err('No resources found\n');
}

/** One read a name; what is not there is told after what is. */
async function readNamed<T>(
  { client, resource, names, options }: Wanted,
  accept?: string,
): Promise<{ found: T[]; missing: string[] }> {
  const found: T[] = [];
  const missing: string[] = [];
  for (const name of names) {
    try {
      found.push(
        await client.request<T>({
          method: 'GET',
          path: pathOf(resource, options.namespace, name),
          ...(accept && { accept, query: { includeObject: 'None' } }),
        }),
      );
    } catch (error) {
      if (!(error instanceof KubeError && error.status === 404) || isNoSuchKind(error)) throw error;
      missing.push(`Error from server (${error.reason}): ${saidBy(error)}`);
    }
  }
  return { found, missing };
}

export async function pages<T>(wanted: Wanted, accept?: string): Promise<T[]> {
  const found: T[] = [];
  let token = '';
  do {
    const query: Record<string, string> = {
      ...selection(wanted),
      limit: String(PAGE_SIZE),
      ...(token && { continue: token }),
    };
    if (accept) query.includeObject = 'None';
    const page = await wanted.client.request<T & { metadata?: { continue?: string } }>({
      method: 'GET',
      path: pathOf(wanted.resource, wanted.options.namespace),
      query,
      ...(accept && { accept }),
    });
    found.push(page);
    token = page.metadata?.continue ?? '';
  } while (token);
  return found;
}

export function selection({ options, names }: Wanted): Record<string, string> {
  const query: Record<string, string> = {};
  if (options.selector) query.labelSelector = options.selector;
  if (options.fieldSelector) query.fieldSelector = options.fieldSelector;
  if (names.length === 1) query.fieldSelector = `metadata.name=${names[0]}`;
  return query;
}
