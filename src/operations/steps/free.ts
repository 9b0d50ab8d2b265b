import { toMilliseconds } from '../../api/fields.ts';
import { FREED_BY, OUT_OF_SERVICE } from '../../fleet/node-view.ts';
import { NODES, type Node, PODS, type Pod } from '../../platform/kube/objects.ts';
import { giveBack } from './cordon.ts';
import { isMovable } from './drain.ts';
import { FIELD_MANAGER, type Step, type StepContext } from './step.ts';

const AGAIN_MS = 2_000;

/**
 * Frees the Pods of a machine that is proven down, by the out-of-service taint: the control plane then
 * deletes them without waiting for a kubelet and detaches their volumes at once. A machine that only looks
 * dead may still be writing to those volumes, so nothing but power seen off at this moment counts as proof.
 * KEP-2268: https://github.com/kubernetes/enhancements/tree/master/keps/sig-storage/2268-non-graceful-shutdown
 */
export const free: Step = async (context) => {
  const { client, operation, belief, startedAt, now } = context;
  const { node: name } = operation.spec;
  const node = await client.get<Node>(NODES, name);
  if (!node) return { is: 'skipped', message: `there is no Node ${name}` };
  const { items } = await client.list<Pod>(PODS, { fieldSelector: `spec.nodeName=${name}` });
  const left = items.filter(isMovable);
  if (left.length === 0) return { is: 'done', message: 'no Pod is left that had to be freed' };

  const freed = node.metadata.annotations?.[FREED_BY] !== undefined;
  if (belief.ssh?.value === 'Answers' || !(await isOff(context))) {
    if (freed) await giveBack(client, name);
    const message = `the machine is not proven off, so its ${left.length} Pods may still run there: they are not freed by force`;
    return {
      is: 'failed',
      why: { reason: 'NotProvenDown', message, evidence: { left: String(left.length) } },
    };
  }
  const until_ms = startedAt + toMilliseconds(operation.spec.drain.timeout);
  if (now >= until_ms) {
    const message = `${left.length} Pods are still bound to ${name} after ${operation.spec.drain.timeout}`;
    return { is: 'failed', why: { reason: 'NotFreed', message, evidence: { left: String(left.length) } } };
  }
  if (!freed) await taint(context, node);
  return {
    is: 'waiting',
    again_ms: AGAIN_MS,
    why: {
      reason: 'PodsLeaving',
      message: `${left.length} Pods of the dead machine are being freed`,
      evidence: { left: String(left.length) },
      until: new Date(until_ms).toISOString(),
    },
  };
};

/** Asked of the provider now: a reading of some seconds ago may be older than somebody's power button. */
async function isOff({ outside, machine }: StepContext): Promise<boolean> {
  if (!outside) return false;
  return (await outside.provider.describe(machine.spec.provider.id)).power === 'Off';
}

async function taint({ client, operation }: StepContext, node: Node): Promise<void> {
  const taints = [
    ...(node.spec?.taints ?? []).filter(({ key }) => key !== OUT_OF_SERVICE),
    { key: OUT_OF_SERVICE, value: 'nodeshutdown', effect: 'NoExecute' },
  ];
  const { resourceVersion } = node.metadata;
  const annotations = { [FREED_BY]: operation.metadata.name };
  await client.mergePatch(
    NODES,
    node.metadata.name,
    { metadata: { resourceVersion, annotations }, spec: { taints } },
    { fieldManager: FIELD_MANAGER },
  );
}
