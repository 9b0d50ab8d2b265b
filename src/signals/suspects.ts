import type { Machine } from '../api/machine.ts';
import type { Clusters } from '../fleet/clusters.ts';
import type { Clock } from '../platform/clock/clock.ts';
import { LEASES, type Lease } from '../platform/kube/objects.ts';
import type { Outside } from '../platform/outside.ts';
import type { Belief } from './belief.ts';
import type { Beliefs } from './beliefs.ts';

/** A suspect's power, console and lease are read this often. */
export const READ_MS = 5_000;
/** Suspects read at once: a zone that goes dark must not become a storm on the BMCs and the API. */
const READS_MAX = 32;
const NODE_LEASES = 'kube-node-lease';

export interface Readers {
  clock: Clock;
  beliefs: Beliefs;
  clusters: Clusters;
  machine(name: string): Machine | undefined;
  outside(machine: Machine): Outside | undefined;
  onError(machine: string, error: unknown): void;
}

/**
 * Asks the second and third witness about machines under suspicion: the provider of power and console,
 * the API server of the lease. One pass; machines are read side by side.
 */
export async function readSuspects(readers: Readers): Promise<void> {
  const suspects: Belief[] = [];
  for (const belief of readers.beliefs.all()) {
    if (belief.sickSince !== undefined) suspects.push(belief);
    else if (belief.power || belief.lease) readers.beliefs.forgetReadings(belief.machine);
  }
  const queue = suspects.values();
  const work = async () => {
    for (const belief of queue)
      await Promise.all([readLease(readers, belief), readProvider(readers, belief)]);
  };
  await Promise.all(Array.from({ length: Math.min(READS_MAX, suspects.length) }, work));
}

async function readLease(readers: Readers, belief: Belief): Promise<void> {
  const member = readers.clusters.get(belief.cluster);
  if (!member) return;
  try {
    const lease = await member.client.get<Lease>(LEASES, belief.node, NODE_LEASES);
    readers.beliefs.setLease(belief.machine, lease?.spec?.renewTime ?? '');
  } catch (error) {
    readers.onError(belief.machine, error);
  }
}

async function readProvider(readers: Readers, belief: Belief): Promise<void> {
  const machine = readers.machine(belief.machine);
  const outside = machine && readers.outside(machine);
  if (!machine || !outside) return;
  try {
    readers.beliefs.setReading(belief.machine, await outside.provider.describe(machine.spec.provider.id));
  } catch (error) {
    readers.onError(belief.machine, error);
  }
}
