// Drover as its metrics see it.

import { HOME_CLUSTER } from './api/cluster.ts';
import type { Drover } from './drover.ts';
import { nodeNameOf } from './fleet/labels.ts';
import { createMetrics, type Metrics } from './platform/telemetry/metrics.ts';
import type { CacheStats, ClusterCount, MetricsSource } from './platform/telemetry/source.ts';

/** What of the history is shown: SqlHistory's `status()`. */
export interface HistoryGauge {
  status(): { pending: number; dropped: number };
}

/** Makes the metrics of `drover` and follows it. Call it before `drover.run()`, so that no change is missed. */
export function droverMetrics(drover: Drover, history?: HistoryGauge): Metrics {
  const metrics = createMetrics(sourceOf(drover, history));
  drover.caches.incidents.subscribe(({ after }) => after && metrics.incidentChanged(after));
  drover.caches.operations.subscribe(({ after }) => after && metrics.operationChanged(after));
  drover.journal.subscribe((decision) => metrics.decided(decision));
  return metrics;
}

/** Why this replica can't take over if it must: what `/readyz` says. */
export function notReady(drover: Drover): string | undefined {
  if (drover.isSynced()) return undefined;
  const missing = [...drover.allCaches(), drover.clusters.home.nodes].filter((cache) => !cache.synced);
  return `first lists have not arrived: ${missing.map((cache) => cache.resource.plural).join(', ')}`;
}

function sourceOf(drover: Drover, history: HistoryGauge | undefined): MetricsSource {
  return {
    now: () => drover.options.clock.now(),
    isLeader: () => drover.term !== undefined && drover.election.isLeader(),
    clusters: () => clusterCounts(drover),
    incidents: () => drover.caches.incidents.values(),
    operations: () => drover.caches.operations.by('live', 'yes'),
    queues: () =>
      Object.entries(drover.term ?? {}).flatMap(([queue, room]) =>
        'queue' in room ? [{ queue, depth: room.queue.depth, failing: room.queue.failing }] : [],
      ),
    caches: () => cacheStats(drover),
    loopErrors: () => drover.errors,
    crashes: () => drover.crashCounts,
    surges: () => drover.term?.crashes?.surges ?? [],
    hardware: () => {
      const hardware = drover.term?.hardware;
      return hardware && { streams: hardware.streams, periods: hardware.periods() };
    },
    history: () => history?.status(),
  };
}

function clusterCounts(drover: Drover): Iterable<ClusterCount> {
  const counts = new Map<string, ClusterCount>();
  for (const machine of drover.caches.machines.values()) {
    const { cluster } = machine.spec;
    const count = counts.get(cluster) ?? { cluster, machines: 0, schedulable: 0, online: 0 };
    counts.set(cluster, count);
    count.machines++;
    const node = drover.clusters.get(cluster)?.nodes.get(nodeNameOf(machine));
    if (node?.ready === 'True' && !node.unschedulable) count.schedulable++;
    const belief = drover.term?.beliefs.get(machine.metadata.name);
    if (belief?.ssh?.value === 'Answers' || belief?.kubelet?.value === 'Answers') count.online++;
  }
  return counts.values();
}

function* cacheStats(drover: Drover): Iterable<CacheStats> {
  for (const cache of drover.allCaches()) {
    yield { resource: cache.resource.plural, cluster: HOME_CLUSTER, ...cache.stats() };
  }
  for (const { name, nodes } of drover.clusters.all())
    yield { resource: 'nodes', cluster: name, ...nodes.stats() };
}
