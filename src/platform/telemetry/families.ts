import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The steps of 1-5-10 (60, 300 and 600 s) are among them, and enough around to see how near we are. */
export const INCIDENT_BUCKETS_S = [5, 10, 15, 30, 45, 60, 90, 120, 180, 300, 450, 600, 900, 1800, 3600];

export type Families = ReturnType<typeof families>;

/** Every metric of ours, in one list. What tells of the fleet is shown by the leader only, so that sums are right. */
export function families(registry: Registry) {
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge<L>({ name: `drover_${name}`, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter<L>({ name: `drover_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Histogram<L>({ name: `drover_${name}`, help, labelNames, buckets: INCIDENT_BUCKETS_S, registers });

  return {
    machines: gauge('machines', 'Machines that Drover knows. Leader only.', 'cluster'),
    schedulable: gauge(
      'nodes_schedulable_ratio',
      'Nodes that are ready and not cordoned, by machines. Leader only.',
      'cluster',
    ),
    online: gauge(
      'machines_online_ratio',
      'Machines whose SSH or kubelet answers, by all. Leader only.',
      'cluster',
    ),
    crashes: counter(
      'crashes_total',
      'Machines that crashed, hung or rebooted by themselves.',
      'cluster',
      'cause',
    ),
    crashRate: gauge(
      'crash_rate_permille_per_day',
      'Crashes of the last 24 h by 1000 machines. Leader only.',
      'cluster',
    ),

    detected: histogram(
      'incident_detected_seconds',
      'From the first symptom until an incident existed.',
      'cause',
    ),
    located: histogram(
      'incident_located_seconds',
      'From the first symptom until the cause was known.',
      'cause',
    ),
    healed: histogram(
      'incident_healed_seconds',
      'From the first symptom until healed, recovered or escalated.',
      'cause',
      'outcome',
    ),
    open: gauge('incidents_open', 'Incidents that have not ended. Leader only.', 'cluster', 'stage', 'cause'),

    inFlight: gauge('operations_in_flight', 'Operations that have not ended. Leader only.', 'type', 'state'),
    operations: counter('operations_total', 'Operations that ended.', 'type', 'state'),
    refusals: counter(
      'gate_refusals_total',
      'Times the gate held an operation back for a new reason.',
      'reason',
    ),

    queueDepth: gauge('queue_depth', 'Keys that wait for a look.', 'queue'),
    queueFailing: gauge('queue_failing', 'Keys whose last look failed.', 'queue'),
    cacheObjects: gauge('cache_objects', 'Objects in the cache.', 'cluster', 'resource'),
    cacheAge: gauge(
      'cache_age_seconds',
      'Time since the watch last showed life; missing before the first list.',
      'cluster',
      'resource',
    ),
    cacheRelists: counter('cache_relists_total', 'Full lists read.', 'cluster', 'resource'),
    cacheRejected: gauge('cache_rejected', 'Objects that can not be read.', 'cluster', 'resource'),
    hardwareStreams: gauge('hardware_streams', 'BMCs whose events come by an open stream. Leader only.'),
    hardwarePeriod: gauge(
      'hardware_log_period_seconds',
      'How often the hardware log of each other machine is read: 50 s, or what the limits of its provider allow. Leader only.',
      'provider',
    ),
    loopErrors: counter('loop_errors_total', 'Passes of a loop that failed.', 'loop'),
    crashSurge: gauge(
      'crash_surge_excess',
      'Crashes above what history explains, while a surge is on.',
      'by',
      'value',
    ),
    crashRecords: counter(
      'crash_records_total',
      'Crashes recorded, by class of the report and cause.',
      'class',
      'cause',
    ),
    leader: gauge('leader', '1 where this replica leads.'),
    historyPending: gauge('history_pending', 'Entries that wait to be written to the database.'),
    historyDropped: counter('history_dropped_total', 'Entries that history gave up.'),
  };
}
