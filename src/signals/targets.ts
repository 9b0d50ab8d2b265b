import type { Machine } from '../api/machine.ts';
import type { Clusters } from '../fleet/clusters.ts';
import { nodeNameOf } from '../fleet/labels.ts';
import type { NodeView } from '../fleet/node-view.ts';
import type { HostRef } from '../platform/hosts/host.ts';
import type { Prober, Target } from '../platform/hosts/prober.ts';
import type { Outside } from '../platform/outside.ts';

const SSH_PORT = 22;
const KUBELET_PORT = 10250;

/** Who is probed by which prober: one group a provider. */
export function targetsOf(
  machines: Iterable<Machine>,
  clusters: Clusters,
  outside: (machine: Machine) => Outside | undefined,
): { prober: Prober; targets: Target[] }[] {
  const groups = new Map<string, { prober: Prober; targets: Target[] }>();
  for (const machine of machines) {
    const { name } = machine.spec.provider;
    let group = groups.get(name);
    if (!group) {
      const prober = outside(machine)?.prober;
      if (!prober) continue;
      group = { prober, targets: [] };
      groups.set(name, group);
    }
    group.targets.push(targetOf(machine, clusters));
  }
  return [...groups.values()];
}

/** Where a machine's ports are: as its Machine says, or at its Node's address. */
export function targetOf(machine: Machine, clusters: Clusters): Target {
  const node = clusters.get(machine.spec.cluster)?.nodes.get(nodeNameOf(machine));
  const { kubelet = addressOf(machine, node) } = machine.spec.addresses;
  return {
    machine: machine.metadata.name,
    ...hostOf(machine, node),
    kubelet: withPort(kubelet, KUBELET_PORT),
  };
}

/** Where actions on the host go. */
export function hostOf(machine: Machine, node: NodeView | undefined): HostRef {
  const { ssh = addressOf(machine, node) } = machine.spec.addresses;
  return {
    id: machine.spec.provider.id,
    ssh: withPort(ssh, SSH_PORT),
    node: { cluster: machine.spec.cluster, name: nodeNameOf(machine) },
  };
}

function addressOf(machine: Machine, node: NodeView | undefined): string {
  return node?.address || machine.metadata.name;
}

/** `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address, as nodes report theirs. */
export function withPort(address: string, port: number): string {
  if (/^\[.*\]:[0-9]+$|^[^:]*:[0-9]+$/.test(address)) return address;
  return `${address.includes(':') && !address.startsWith('[') ? `[${address}]` : address}:${port}`;
}
