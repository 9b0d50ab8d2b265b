import { nodeNameOf } from '../../fleet/labels.ts';
import { CORDONED_BY, nodeView } from '../../fleet/node-view.ts';
import type { Node } from '../../platform/kube/objects.ts';
import type { Tree } from '../tree.ts';
import type { Facts } from './facts.ts';
import { ago } from './times.ts';

/** The Node as the cluster has it, and whose the cordon is. */
export function node({ machine, node, nodeUnread }: Facts, now: number): Tree {
  const name = nodeNameOf(machine);
  if (nodeUnread)
    return {
      label: 'node',
      text: `${name} of cluster ${machine.spec.cluster} cannot be read from here: ${nodeUnread}`,
      tone: 'wait',
    };
  if (!node)
    return { label: 'node', text: `cluster ${machine.spec.cluster} has no Node ${name}`, tone: 'bad' };
  const { ready, readyReason } = nodeView(node);
  const changedAt = node.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime;
  // Unknown is the control plane's word for a silent node; the others are stamped by the node itself.
  const whose = ready === 'Unknown' ? '' : 'by its own clock ';
  const since = changedAt ? `, ${whose}since ${ago(changedAt, now)}` : '';
  const children = [cordon(node, now), ...taints(node)].filter((child) => child !== undefined);
  return {
    label: 'node',
    text: `${name} Ready=${ready}${ready === 'True' ? '' : ` (${readyReason})`}${since}`,
    tone: ready === 'True' ? 'good' : 'bad',
    ...(children.length > 0 && { children }),
  };
}

function cordon(node: Node, now: number): Tree | undefined {
  if (!node.spec?.unschedulable) return undefined;
  const operation = node.metadata.annotations?.[CORDONED_BY];
  if (operation)
    return {
      label: 'cordon',
      text: `by Drover, for operation ${operation}; Drover lifts it when that is over`,
      tone: 'wait',
    };
  const who = whoCordoned(node);
  const by = who ? `by ${who.manager}${who.time ? ` at ${ago(who.time, now)}` : ''}` : 'by somebody else';
  return {
    label: 'cordon',
    text: `${by}; Drover never undoes it: kubectl uncordon ${node.metadata.name}`,
    tone: 'wait',
  };
}

/** The owner of `spec.unschedulable` in the field managers: `kubectl-cordon`, `cluster-autoscaler` … */
function whoCordoned({ metadata }: Node): { manager: string; time?: string } | undefined {
  interface Entry {
    manager?: string;
    time?: string;
    fieldsV1?: { 'f:spec'?: Record<string, unknown> };
  }
  const owner = (metadata.managedFields as Entry[] | undefined)?.find(
    ({ fieldsV1 }) => fieldsV1?.['f:spec']?.['f:unschedulable'] !== undefined,
  );
  return owner?.manager ? { manager: owner.manager, ...(owner.time && { time: owner.time }) } : undefined;
}

/** The control plane's own taints follow from what is said already. */
function taints({ spec }: Node): Tree[] {
  const others = (spec?.taints ?? []).filter(
    ({ key }) => !/^node\.kubernetes\.io\/(unschedulable|unreachable|not-ready)$/.test(key),
  );
  return others.map(({ key, value, effect }) => ({
    label: 'taint',
    text: `${key}${value ? `=${value}` : ''}:${effect}`,
  }));
}
