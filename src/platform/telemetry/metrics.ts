import { type Counter, collectDefaultMetrics, Registry } from 'prom-client';
import type { Incident } from '../../api/incident.ts';
import type { NodeOperation } from '../../api/node-operation.ts';
import type { Decision } from '../history/history.ts';
import { type Families, families } from './families.ts';
import { crashRate, milestonesOf, type Reached } from './incident-times.ts';
import { Marks } from './marks.ts';
import type { MetricsSource } from './source.ts';

export interface Metrics {
  /** Tell it each state of an incident that the cache brings, the first list too: it counts each once. */
  incidentChanged(incident: Incident): void;
  /** The same for operations. */
  operationChanged(operation: NodeOperation): void;
  decided(decision: Decision): void;
  /** What Prometheus scrapes. */
  exposition(): Promise<{ contentType: string; text: string }>;
}

/**
 * Every replica sees every incident, but only the leader counts it, and only what could first be told
 * after this process began: what is older was counted by whoever led then.
 */
export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const all = families(registry);
  const startedAt = Math.floor(source.now());
  const marks = new Marks();
  const counts = (uid: string | undefined, mark: string, at: number) =>
    uid !== undefined && marks.isNew(uid, mark) && at >= startedAt && source.isLeader();

  return {
    incidentChanged(incident) {
      for (const reached of milestonesOf(incident)) {
        if (counts(incident.metadata.uid, reached.milestone, reached.at)) observe(all, incident, reached);
      }
    },
    operationChanged({ metadata, spec, status }) {
      if (!status?.endedAt || !counts(metadata.uid, 'ended', Date.parse(status.endedAt))) return;
      all.operations.inc({ type: spec.type, state: status.state ?? 'Failed' });
    },
    decided({ actor, kind, reason }) {
      if (actor === 'gate' && kind === 'Refusal') all.refusals.inc({ reason });
    },
    async exposition() {
      showProcess(all, source);
      showFleet(all, source);
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

function observe(all: Families, incident: Incident, { milestone, seconds, cause, outcome }: Reached): void {
  switch (milestone) {
    case 'detected':
      all.detected.observe({ cause }, seconds);
      break;
    case 'located':
      all.located.observe({ cause }, seconds);
      break;
    case 'healed':
      all.healed.observe({ cause, outcome }, seconds);
      break;
    case 'crash':
      all.crashes.inc({ cluster: incident.spec.cluster, cause });
      break;
  }
}

function showProcess(all: Families, source: MetricsSource): void {
  for (const one of [all.queueDepth, all.queueFailing, all.cacheObjects, all.cacheAge, all.cacheRejected])
    one.reset();
  for (const one of [all.cacheRelists, all.loopErrors, all.crashRecords, all.historyDropped] as Counter[])
    one.reset();
  all.leader.set(source.isLeader() ? 1 : 0);
  for (const { queue, depth, failing } of source.queues()) {
    all.queueDepth.set({ queue }, depth);
    all.queueFailing.set({ queue }, failing);
  }
  for (const { resource, cluster, size, age_ms, relists, rejected } of source.caches()) {
    all.cacheObjects.set({ cluster, resource }, size);
    if (Number.isFinite(age_ms)) all.cacheAge.set({ cluster, resource }, age_ms / 1000);
    all.cacheRelists.inc({ cluster, resource }, relists);
    all.cacheRejected.set({ cluster, resource }, rejected);
  }
  for (const [loop, errors] of source.loopErrors()) all.loopErrors.inc({ loop }, errors);
  all.crashSurge.reset();
  for (const { by, value, excess } of source.surges()) all.crashSurge.set({ by, value }, excess);
  for (const [kind, causes] of source.isLeader() ? source.crashes() : [])
    for (const [cause, count] of causes) all.crashRecords.inc({ class: kind, cause }, count);
  all.hardwarePeriod.reset();
  const hardware = source.hardware();
  all.hardwareStreams.set(hardware?.streams ?? 0);
  for (const [provider, period_ms] of hardware?.periods ?? [])
    all.hardwarePeriod.set({ provider }, period_ms / 1000);
  const history = source.history();
  all.historyPending.set(history?.pending ?? 0);
  all.historyDropped.inc(history?.dropped ?? 0);
}

function showFleet(all: Families, source: MetricsSource): void {
  for (const one of [all.machines, all.schedulable, all.online, all.crashRate, all.open, all.inFlight])
    one.reset();
  if (!source.isLeader()) return;
  const incidents = [...source.incidents()];
  for (const { cluster, machines, schedulable, online } of source.clusters()) {
    all.machines.set({ cluster }, machines);
    if (machines === 0) continue;
    all.schedulable.set({ cluster }, schedulable / machines);
    all.online.set({ cluster }, online / machines);
    all.crashRate.set({ cluster }, crashRate(incidents, cluster, machines, source.now()));
  }
  for (const { spec, status } of incidents) {
    if (status?.endedAt) continue;
    const cause = status?.diagnosis?.cause ?? 'Unknown';
    all.open.inc({ cluster: spec.cluster, stage: status?.stage ?? 'Detected', cause });
  }
  for (const { spec, status } of source.operations()) {
    all.inFlight.inc({ type: spec.type, state: status?.state ?? 'Waiting' });
  }
}
