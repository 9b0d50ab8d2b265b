// Machines that are there, as their cluster shows them: what each Node's Pods leave free.
import { z } from 'zod';
import type { Node, Pod } from '../../platform/kube/objects.ts';
import { parseQuantity, type Quantity } from '../../platform/kube/quantity.ts';
import { type Amounts, type Offer, PlanError } from '../model.ts';

/** Nodes that are alike are planned with together; so many kinds at most. */
const KINDS_MAX = 500;
/** Where free room differs from node to node it is rounded down to parts of a node, until there are few enough kinds. */
const PARTS = [undefined, 64n, 32n, 16n, 8n, 4n] as const;

const requests = z.record(z.string(), z.union([z.string(), z.number()])).optional();
const container = z.object({
  restartPolicy: z.string().optional(),
  resources: z.object({ requests }).optional(),
});
const podSpec = z.object({
  nodeName: z.string().optional(),
  containers: z.array(container).default([]),
  initContainers: z.array(container).default([]),
  overhead: requests,
});

/**
 * Ready Nodes that take Pods, as offers at no price. A resource goes by its name in the plan: `cpu`, or of
 * `drover.dev/cloud-disks` what follows the domain. Throws a PlanError on what cannot be read.
 */
export function ownedNodes(nodes: readonly Node[], pods: readonly Pod[], names: readonly string[]): Offer[] {
  const used = usedByNode(pods);
  const open = nodes.filter(takesPods).map((node) => freeOn(node, used.get(node.metadata.name), names));
  for (const parts of PARTS) {
    const kinds = Map.groupBy(open, (free) => keyOf(rounded(free, parts)));
    if (kinds.size > KINDS_MAX && parts !== PARTS.at(-1)) continue;
    return [...kinds.values()].flatMap((alike): Offer[] => {
      const [first] = alike;
      if (!first) return [];
      const { name, zone, room } = rounded(first, parts);
      const max = alike.length;
      const from = `node ${first.node}`;
      return [{ name, from, room, price: 0n, owned: true, ...(zone ? { zones: [{ zone, max }] } : { max }) }];
    });
  }
  return [];
}

interface Free {
  node: string;
  name: string;
  zone: string | undefined;
  room: Amounts;
  all: Amounts;
}

function takesPods({ spec, status }: Node): boolean {
  const ready = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
  const keptOut = spec?.taints?.some(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute');
  return ready === true && !spec?.unschedulable && !keptOut;
}

function freeOn(node: Node, used: Amounts | undefined, names: readonly string[]): Free {
  const { name, labels = {} } = node.metadata;
  const room = new Map<string, Quantity>();
  const all = new Map<string, Quantity>();
  for (const [key, written] of Object.entries(node.status?.allocatable ?? {})) {
    const resource = names.includes(key) ? key : (key.split('/').at(-1) ?? key);
    if (!names.includes(resource)) continue;
    const amount = amountOf(written, `node ${name}, status.allocatable.${key}`);
    const left = amount - (used?.get(key) ?? 0n);
    all.set(resource, amount);
    room.set(resource, left > 0n ? left : 0n);
  }
  return {
    node: name,
    name: labels['node.kubernetes.io/instance-type'] ?? 'node',
    zone: labels['topology.kubernetes.io/zone'],
    room,
    all,
  };
}

function rounded(free: Free, parts: bigint | undefined): Free {
  if (parts === undefined) return free;
  const room = new Map(
    [...free.room].map(([name, amount]): [string, Quantity] => {
      const step = (free.all.get(name) ?? 0n) / parts;
      return [name, step > 0n ? amount - (amount % step) : amount];
    }),
  );
  return { ...free, room };
}

function keyOf({ name, zone, room }: Free): string {
  return JSON.stringify([name, zone, [...room].map(([resource, amount]) => [resource, String(amount)])]);
}

function usedByNode(pods: readonly Pod[]): Map<string, Amounts> {
  const used = new Map<string, Map<string, Quantity>>();
  for (const pod of pods) {
    const { success, data } = podSpec.safeParse(pod.spec ?? {});
    const name = `Pod ${pod.metadata.namespace}/${pod.metadata.name}`;
    if (!success) throw new PlanError(`${name}: its containers can’t be read`);
    if (!data.nodeName || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue;
    const onNode = used.get(data.nodeName) ?? new Map<string, Quantity>();
    used.set(data.nodeName, onNode);
    for (const [resource, amount] of requestsOf(data, name))
      onNode.set(resource, (onNode.get(resource) ?? 0n) + amount);
  }
  return used;
}

/** What the scheduler counts: containers and sidecars together, or the greatest init container beside the sidecars before it. */
function requestsOf(
  { containers, initContainers, overhead }: z.output<typeof podSpec>,
  name: string,
): Amounts {
  const read = (one: z.output<typeof requests>) =>
    new Map(
      Object.entries(one ?? {}).map(([key, written]) => [key, amountOf(String(written), `${name}, ${key}`)]),
    );
  let sidecars: Amounts = new Map();
  let most: Amounts = new Map();
  for (const { restartPolicy, resources } of initContainers) {
    const own = read(resources?.requests);
    if (restartPolicy === 'Always') sidecars = together(sidecars, own, plus);
    else most = together(most, together(sidecars, own, plus), greater);
  }
  let running = sidecars;
  for (const { resources } of containers) running = together(running, read(resources?.requests), plus);
  const needed = together(most, running, greater);
  const all = together(needed, read(overhead), plus);
  return together(all, new Map([['pods', 1_000_000_000n]]), plus);
}

const plus = (a: Quantity, b: Quantity): Quantity => a + b;

/** Math.max takes no bigints. */
function greater(a: Quantity, b: Quantity): Quantity {
  if (a > b) return a;
  return b;
}

function together(a: Amounts, b: Amounts, how: (a: Quantity, b: Quantity) => Quantity): Amounts {
  const both = new Map(a);
  for (const [key, amount] of b) both.set(key, how(a.get(key) ?? 0n, amount));
  return both;
}

function amountOf(written: string, where: string): Quantity {
  const amount = parseQuantity(written);
  if (amount === undefined) throw new PlanError(`${where}: "${written}" is no quantity`);
  return amount;
}
