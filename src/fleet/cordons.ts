import type { Incident } from '../api/incident.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import type { NodeView } from './node-view.ts';

/**
 * Whether a cordon or an out-of-service taint of ours has outlived its cause: its operation has ended (or is
 * gone), no other is under way, and the machine is well or has no open incident. Other people's are never
 * asked about.
 */
export function hasOutlived(
  node: NodeView,
  operations: readonly NodeOperation[],
  incidents: readonly Incident[],
  isWell: boolean,
): boolean {
  if (!isHeld(node)) return false;
  if (operations.some((operation) => operation.status?.admittedAt && !operation.status.endedAt)) return false;
  return isWell || !incidents.some((incident) => !incident.status?.endedAt);
}

/** Something of ours keeps Pods away from the node. */
export function isHeld(node: Pick<NodeView, 'cordonedBy' | 'freedBy'>): boolean {
  return node.cordonedBy !== '' || node.freedBy !== '';
}
