import { SECOND } from '../platform/clock/clock.ts';
import { isExpired, KubeError } from '../platform/kube/errors.ts';
import { apiVersionOf, type KubeObject, pathOf } from '../platform/kube/objects.ts';
import { TransportError } from '../platform/kube/transport.ts';
import { isNoSuchKind } from './connect.ts';
import { objectName, pages, printerFor, selection, type Wanted } from './get.ts';
import { serialize } from './output.ts';
import { TABLE_TYPE, type Table, type TablePrinter } from './table.ts';

/** Between two tries at a server that ends watches at once or does not answer. */
const PAUSE_MS = 2 * SECOND;

interface Event {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: unknown;
}

/** Shows a list, or a change. */
interface Sink {
  accept: string | undefined;
  /** The whole list, once more after a gap: shows what is new. Returns its version. */
  list(): Promise<string>;
  /** Returns the version of what was shown. */
  event(event: Event): Promise<string | undefined>;
}

/** Lists, then prints changes until it is stopped. Ends of a watch are ordinary: servers do that each few minutes. */
export async function watch(wanted: Wanted): Promise<void> {
  const { output } = wanted.options;
  const stop = wanted.io.stopSignal();
  const sink =
    output === 'json' || output === 'yaml' || output === 'name'
      ? objectSink(wanted, output)
      : tableSink(wanted);
  // The first list fails as any list does; what comes later is tried for as long as somebody looks.
  let version = await sink.list();
  while (!stop.aborted) {
    const startedAt = wanted.io.clock.now();
    try {
      if (version === '') version = await sink.list();
      version = await follow(wanted, sink, version, stop);
      if (wanted.io.clock.now() - startedAt < PAUSE_MS) await wanted.io.clock.sleep(PAUSE_MS, stop);
    } catch (error) {
      if (stop.aborted) return;
      if (isNoSuchKind(error)) throw error;
      if (isExpired(error)) version = '';
      else if (error instanceof TransportError || (error instanceof KubeError && error.status >= 429))
        await wanted.io.clock.sleep(PAUSE_MS, stop).catch(() => undefined);
      else throw error;
    }
  }
}

async function follow(wanted: Wanted, sink: Sink, from: string, signal: AbortSignal): Promise<string> {
  let version = from;
  const stream = await wanted.client.transport.stream({
    method: 'GET',
    path: pathOf(wanted.resource, wanted.options.namespace),
    query: { ...selection(wanted), watch: '1', allowWatchBookmarks: 'true', resourceVersion: version },
    ...(sink.accept && { accept: sink.accept }),
    signal,
    timeout_ms: 10 * SECOND,
  });
  if (stream.status >= 400)
    throw new KubeError(`WATCH ${wanted.resource.plural}`, stream.status, stream.refusal);
  for await (const value of stream.events) {
    const event = value as Event;
    if (event.type === 'ERROR')
      throw new KubeError(
        `WATCH ${wanted.resource.plural}`,
        (event.object as { code?: number }).code ?? 500,
        event.object,
      );
    version = (await sink.event(event)) ?? version;
  }
  return version;
}

function tableSink(wanted: Wanted): Sink {
  let printer: TablePrinter | undefined;
  /** What was shown of each object, by name: many writes change nothing that the table shows. */
  const shown = new Map<string, string>();
  const show = (table: Table, gone: boolean) => {
    // A list without rows has columns as well, and later events may have none.
    if (table.columnDefinitions?.length) printer ??= printerFor(wanted, [table]);
    if (!printer) return;
    const rows: unknown[][] = [];
    for (const { cells } of table.rows ?? []) {
      const name = String(cells[0]);
      const key = printer.key(cells);
      if (!gone && shown.get(name) === key) continue;
      if (gone) shown.delete(name);
      else shown.set(name, key);
      rows.push(cells);
    }
    if (rows.length > 0) wanted.io.out(printer.print(rows, gone ? { age: '<deleted>' } : {}));
  };
  return {
    accept: TABLE_TYPE,
    list: async () => {
      const tables = await pages<Table>(wanted, TABLE_TYPE);
      const [first] = tables;
      if (first) show({ ...first, rows: tables.flatMap(({ rows }) => rows ?? []) }, false);
      return first?.metadata?.resourceVersion ?? '';
    },
    event: async ({ type, object }) => {
      const table = object as Table;
      if (type !== 'BOOKMARK') show(table, type === 'DELETED');
      return table.metadata?.resourceVersion || versionOfRow(table);
    },
  };
}

/** kube-apiserver puts the version of a table event on its row's object, and that of a list on the table. */
function versionOfRow(table: Table): string | undefined {
  const row = table.rows?.[0] as { object?: KubeObject } | undefined;
  return row?.object?.metadata?.resourceVersion;
}

function objectSink(wanted: Wanted, output: 'json' | 'yaml' | 'name'): Sink {
  const { resource, io } = wanted;
  const shown = new Map<string, string>();
  const show = async (object: KubeObject, gone: boolean) => {
    const { name, resourceVersion = '' } = object.metadata;
    if (!gone && shown.get(name) === resourceVersion) return;
    if (gone) shown.delete(name);
    else shown.set(name, resourceVersion);
    if (output === 'name') return io.out(`${objectName(resource, name)}\n`);
    const text = await serialize(
      { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind },
      output,
    );
    io.out(output === 'yaml' ? `---\n${text}` : text);
  };
  return {
    accept: undefined,
    list: async () => {
      const lists = await pages<{ metadata: { resourceVersion: string }; items: KubeObject[] }>(wanted);
      for (const object of lists.flatMap(({ items }) => items)) await show(object, false);
      return lists[0]?.metadata.resourceVersion ?? '';
    },
    event: async ({ type, object }) => {
      const typed = object as KubeObject;
      if (type !== 'BOOKMARK') await show(typed, type === 'DELETED');
      return typed.metadata.resourceVersion;
    },
  };
}
