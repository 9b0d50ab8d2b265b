import { type Machine, machineKind } from '../api/machine.ts';
import { parseAs } from '../api/parse.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import type { KubeObject } from '../platform/kube/objects.ts';
import { isNoSuchKind, NOT_INSTALLED } from './connect.ts';
import { CliError, EXIT } from './io.ts';

const MACHINE_WORDS = new Set(['machine', 'machines', 'm', 'machine.drover.dev', 'machines.drover.dev']);
const NODE_WORDS = new Set(['node', 'nodes', 'no']);

/** The machine that `machine/NAME`, `node/NAME` or a bare NAME means. Throws what is wrong with it. */
export async function findMachine(client: KubeClient, word: string): Promise<Machine> {
  const [kind, name] = word.includes('/') ? (word.split('/', 2) as [string, string]) : ['', word];
  if (kind !== '' && !MACHINE_WORDS.has(kind) && !NODE_WORDS.has(kind)) {
    throw new CliError(`error: "${word}" is neither node/NAME nor machine/NAME`, EXIT.usage);
  }
  if (!name) throw new CliError(`error: "${word}" has no name`, EXIT.usage);
  const byName = await client.get<KubeObject>(machineKind.resource, name);
  const found = byName && read(byName);
  if (found && (!NODE_WORDS.has(kind) || (found.spec.nodeName ?? name) === name)) return found;
  if (MACHINE_WORDS.has(kind)) throw await missing(client, name);
  // Few fleets name their nodes otherwise than their machines, so this long way is a rare one.
  const { items } = await client.list<KubeObject>(machineKind.resource).catch(() => ({ items: [] }));
  const byNode = items.find(
    (item) => (item as KubeObject & { spec?: { nodeName?: string } }).spec?.nodeName === name,
  );
  if (byNode) return read(byNode);
  throw await missing(client, name);
}

function read(object: KubeObject): Machine {
  const parsed = parseAs(machineKind, object);
  if (!parsed.ok)
    throw new CliError(`error: Machine ${object.metadata.name} is not valid: ${parsed.message}`);
  return parsed.value;
}

async function missing(client: KubeClient, name: string): Promise<CliError> {
  const { plural, group } = machineKind.resource;
  const isInstalled = await client
    .list(machineKind.resource, { fieldSelector: `metadata.name=${name}` })
    .catch(isNoSuchKind);
  if (isInstalled === true) return new CliError(`error: ${NOT_INSTALLED}`);
  return new CliError(`Error from server (NotFound): ${plural}.${group} "${name}" not found`);
}
