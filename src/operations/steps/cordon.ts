import { CORDONED_BY, FREED_BY, OUT_OF_SERVICE } from '../../fleet/node-view.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import { NODES, type Node } from '../../platform/kube/objects.ts';
import { FIELD_MANAGER, type Step } from './step.ts';

/** Keeps new Pods away, and remembers in the same write that this cordon is ours. */
export const cordon: Step = async ({ client, operation }) => {
  const { node: name } = operation.spec;
  const node = await client.get<Node>(NODES, name);
  if (!node) return { is: 'skipped', message: `there is no Node ${name}` };
  const by = node.metadata.annotations?.[CORDONED_BY];
  if (node.spec?.unschedulable && by === undefined) {
    return { is: 'skipped', message: 'somebody else has cordoned the node; that stays theirs' };
  }
  if (node.spec?.unschedulable && by === operation.metadata.name) return { is: 'done', message: 'cordoned' };
  await client.mergePatch(
    NODES,
    name,
    {
      metadata: {
        resourceVersion: node.metadata.resourceVersion,
        annotations: { [CORDONED_BY]: operation.metadata.name },
      },
      spec: { unschedulable: true },
    },
    { fieldManager: FIELD_MANAGER },
  );
  return { is: 'done', message: 'cordoned' };
};

/** Lets Pods come again where the cordon is ours. */
export const uncordon: Step = async ({ client, operation }) => {
  const undone = await giveBack(client, operation.spec.node);
  return undone
    ? { is: 'done', message: 'the node takes Pods again' }
    : { is: 'skipped', message: 'the node has no cordon of ours' };
};

/** Takes away a cordon and an out-of-service taint that carry our annotations; leaves all others. Says whether there was one. */
export async function giveBack(client: KubeClient, name: string): Promise<boolean> {
  const node = await client.get<Node>(NODES, name);
  const marks = node?.metadata.annotations ?? {};
  const spec = {
    ...(marks[CORDONED_BY] !== undefined && { unschedulable: null }),
    ...(marks[FREED_BY] !== undefined && {
      taints: node?.spec?.taints?.filter(({ key }) => key !== OUT_OF_SERVICE) ?? null,
    }),
  };
  if (!node || Object.keys(spec).length === 0) return false;
  const annotations = { [CORDONED_BY]: null, [FREED_BY]: null };
  await client.mergePatch(
    NODES,
    name,
    { metadata: { resourceVersion: node.metadata.resourceVersion, annotations }, spec },
    { fieldManager: FIELD_MANAGER },
  );
  return true;
}
