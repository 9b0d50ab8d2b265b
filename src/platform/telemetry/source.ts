import type { Incident } from '../../api/incident.ts';
import type { NodeOperation } from '../../api/node-operation.ts';

/** What metrics are read from at each scrape. Getters only: nothing is kept twice. */
export interface MetricsSource {
  /** Epoch milliseconds. */
  now(): number;
  isLeader(): boolean;
  clusters(): Iterable<ClusterCount>;
  /** All that the API holds: those that ended within the last day too. */
  incidents(): Iterable<Incident>;
  /** Those that have not ended. */
  operations(): Iterable<NodeOperation>;
  queues(): Iterable<{ queue: string; depth: number; failing: number }>;
  caches(): Iterable<CacheStats>;
  /** Passes that threw since the start, by loop. */
  loopErrors(): ReadonlyMap<string, number>;
  /** Crashes recorded since the start, by class and cause. */
  crashes(): ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Surges of crashes that are on, with their excess. */
  surges(): Iterable<{ by: string; value: string; excess: number }>;
  /** While this replica leads. */
  hardware(): { streams: number; periods: ReadonlyMap<string, number> } | undefined;
  history(): { pending: number; dropped: number } | undefined;
}

export interface ClusterCount {
  cluster: string;
  machines: number;
  /** Nodes that are ready and not cordoned. */
  schedulable: number;
  /** Machines whose SSH or kubelet answers. */
  online: number;
}

export interface CacheStats {
  resource: string;
  cluster: string;
  size: number;
  /** Infinity before the first list. */
  age_ms: number;
  relists: number;
  rejected: number;
}
