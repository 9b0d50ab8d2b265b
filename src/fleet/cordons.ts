import type { Incident } from '../api/incident.ts';
import type { NodeOperation } from '../api/node-operation.ts';
import type { NodeView } from './node-view.ts';

/**
 * Whether a cordon of ours has outlived its cause: its operation has ended (or is gone), no other is under
 * way, and the machine is well or has no open incident. Other people's cordons are never asked about.
 */
export function hasOutlived(
  node: NodeView,
  operations: readonly NodeOperation[],
  incidents: readonly Incident[],
  isWell: boolean,
): boolean {
  if (node.cordonedBy === '') return false;
  if (operations.some((operation) => operation.status?.admittedAt && !operation.status.endedAt)) return false;
  return isWell || !incidents.some((incident) => !incident.status?.endedAt);
}
