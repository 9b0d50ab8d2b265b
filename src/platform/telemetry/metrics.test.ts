import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cause } from '../../api/diagnosis.ts';
import type { Incident } from '../../api/incident.ts';
import type { NodeOperation } from '../../api/node-operation.ts';
import { DAY, MINUTE, SECOND } from '../clock/clock.ts';
import { createMetrics } from './metrics.ts';
import { serveTelemetry } from './server.ts';
import type { MetricsSource } from './source.ts';

const T0 = Date.UTC(2026, 10, 11);
const at = (after_ms: number) => new Date(T0 + after_ms).toISOString();

function aDiagnosis(cause: Cause, found_ms: number): NonNullable<Incident['status']>['diagnosis'] {
  return { cause, confidence: 'High', message: '', evidence: [], at: at(found_ms) };
}

function anIncident(name: string, status: NonNullable<Incident['status']>): Incident {
  const metadata = { name, uid: `uid-${name}`, creationTimestamp: at(0) };
  return {
    apiVersion: 'drover.dev/v1alpha1',
    kind: 'Incident',
    metadata,
    spec: { cluster: 'home', machine: name, node: name },
    status,
  };
}

const anOperation = (name: string, status: object) =>
  ({ metadata: { name, uid: name }, spec: { type: 'Reboot' }, status }) as unknown as NodeOperation;

/** A source whose answers a test sets. */
function aSource(start_ms = 0) {
  const incidents = new Map<string, Incident>();
  const now = { ms: T0 + start_ms, leader: true };
  const source: MetricsSource = {
    now: () => now.ms,
    isLeader: () => now.leader,
    clusters: () => [
      { cluster: 'home', machines: 1000, schedulable: 990, online: 995 },
      { cluster: 'new', machines: 0, schedulable: 0, online: 0 },
    ],
    incidents: () => incidents.values(),
    operations: () => [anOperation('o1', { state: 'Running' }), anOperation('o2', {})],
    queues: () => [{ queue: 'healing', depth: 3, failing: 1 }],
    caches: () => [
      { resource: 'machines', cluster: 'home', size: 1000, age_ms: 1500, relists: 2, rejected: 1 },
      {
        resource: 'nodes',
        cluster: 'new',
        size: 0,
        age_ms: Number.POSITIVE_INFINITY,
        relists: 0,
        rejected: 0,
      },
    ],
    loopErrors: () => new Map([['patrol', 4]]),
    surges: () => (now.leader ? [{ by: 'model', value: 'ebmc6', excess: 7 }] : []),
    crashes: () => new Map([['hung-task', new Map([['kernel', 2]])]]),
    hardware: () => undefined,
    history: () => ({ pending: 7, dropped: 2 }),
  };
  const metrics = createMetrics(source);
  const changed = (incident: Incident) => {
    incidents.set(incident.metadata.name, incident);
    metrics.incidentChanged(incident);
  };
  return { metrics, now, changed, source };
}

/** Samples by `name{labels}`. */
async function samples(metrics: ReturnType<typeof createMetrics>): Promise<Map<string, number>> {
  const { text } = await metrics.exposition();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

const story = (name: string) => {
  const detected = { stage: 'Detected', firstSymptomAt: at(0), detectedAt: at(20 * SECOND) } as const;
  const located = {
    ...detected,
    stage: 'Located',
    locatedAt: at(90 * SECOND),
    diagnosis: aDiagnosis('Dumping', 90 * SECOND),
  } as const;
  const crashed = { ...located, diagnosis: aDiagnosis('Crashed', 150 * SECOND) };
  const healed = {
    ...crashed,
    stage: 'Healed',
    healedAt: at(400 * SECOND),
    endedAt: at(400 * SECOND),
  } as const;
  return [detected, located, crashed, healed].map((status) => anIncident(name, status)) as [
    Incident,
    Incident,
    Incident,
    Incident,
  ];
};

test('a crash that is healed shows its three times, each once, however often it is seen', async () => {
  const { metrics, changed } = aSource();
  for (const state of story('m1')) {
    changed(state);
    changed(state);
  }
  for (const state of story('m1')) changed(state);
  const got = await samples(metrics);
  assert.equal(got.get('drover_incident_detected_seconds_sum{cause="Dumping"}'), 20);
  assert.equal(got.get('drover_incident_located_seconds_bucket{le="60",cause="Dumping"}'), 0);
  assert.equal(got.get('drover_incident_located_seconds_bucket{le="300",cause="Dumping"}'), 1);
  assert.equal(got.get('drover_incident_healed_seconds_sum{cause="Crashed",outcome="Healed"}'), 400);
  assert.equal(
    got.get('drover_incident_healed_seconds_bucket{le="600",cause="Crashed",outcome="Healed"}'),
    1,
  );
  assert.equal(got.get('drover_crashes_total{cluster="home",cause="Dumping"}'), 1);
  assert.equal(got.get('drover_crashes_total{cluster="home",cause="Crashed"}'), undefined);
});

test('an open incident is shown by stage and cause, and no more when it ends', async () => {
  const { metrics, changed } = aSource();
  const [detected, located, , healed] = story('m1');
  changed(detected);
  assert.equal(
    (await samples(metrics)).get('drover_incidents_open{cluster="home",stage="Detected",cause="Unknown"}'),
    1,
  );
  changed(located);
  const got = await samples(metrics);
  assert.equal(got.get('drover_incidents_open{cluster="home",stage="Located",cause="Dumping"}'), 1);
  assert.equal([...got.keys()].filter((key) => key.startsWith('drover_incidents_open')).length, 1);
  changed(healed);
  assert.equal(
    [...(await samples(metrics)).keys()].filter((key) => key.startsWith('drover_incidents_open')).length,
    0,
  );
});

test('a process counts only what was reached after its start', async () => {
  const [, located, , healed] = story('m1');
  const before = aSource();
  before.changed(located);
  const after = aSource(200 * SECOND);
  after.changed(located);
  after.changed(healed);
  const late = aSource(DAY);
  late.changed(healed);
  const count = async (metrics: typeof late.metrics, name: string) =>
    [...(await samples(metrics))]
      .filter(([key]) => key.startsWith(`drover_${name}`))
      .reduce((sum, [, value]) => sum + value, 0);
  for (const [name, expected] of [
    ['incident_detected_seconds_count', [1, 0, 0]],
    ['incident_located_seconds_count', [1, 0, 0]],
    ['incident_healed_seconds_count', [0, 1, 0]],
    ['crashes_total', [1, 0, 0]],
  ] as const) {
    const found = await Promise.all([before, after, late].map(({ metrics }) => count(metrics, name)));
    assert.deepEqual(found, expected, name);
  }
});

test('a follower counts nothing and tells nothing of the fleet, nor does it count it later', async () => {
  const { metrics, now, changed } = aSource();
  now.leader = false;
  for (const state of story('m1')) changed(state);
  let got = await samples(metrics);
  const ofFleet = () =>
    [...got.keys()].filter((key) => /incident|drover_machines|nodes_|crash|in_flight/.test(key));
  assert.deepEqual(
    [ofFleet(), got.get('drover_leader'), got.get('drover_queue_depth{queue="healing"}')],
    [[], 0, 3],
  );
  now.leader = true;
  for (const state of story('m1')) changed(state);
  got = await samples(metrics);
  assert.deepEqual(
    ofFleet().filter((key) => key.includes('_seconds')),
    [],
  );
});

test('escalation is an outcome of its own, and what comes after it is not counted again', async () => {
  const { metrics, changed } = aSource();
  const escalated = {
    stage: 'Escalated',
    firstSymptomAt: at(0),
    detectedAt: at(SECOND),
    escalatedAt: at(8 * MINUTE),
  } as const;
  changed(anIncident('m1', escalated));
  changed(anIncident('m1', { ...escalated, stage: 'Recovered', healedAt: at(DAY), endedAt: at(DAY) }));
  const healed = [...(await samples(metrics))].filter(([key]) =>
    key.startsWith('drover_incident_healed_seconds_sum'),
  );
  assert.deepEqual(healed, [
    ['drover_incident_healed_seconds_sum{cause="Unknown",outcome="Escalated"}', 480],
  ]);
});

test('the crash rate is that of the last day, by a thousand machines', async () => {
  const { metrics, now, changed } = aSource();
  changed(story('m1')[3]);
  changed(story('m2')[1]);
  changed(anIncident('m3', { firstSymptomAt: at(0), diagnosis: aDiagnosis('KubeletDown', 0) }));
  const rate = async () => (await samples(metrics)).get('drover_crash_rate_permille_per_day{cluster="home"}');
  assert.equal(await rate(), 2);
  now.ms += DAY;
  assert.equal(await rate(), 0);
});

test('operations, refusals and the process itself', async () => {
  const { metrics } = aSource();
  const ended = anOperation('o9', { state: 'Failed', endedAt: at(MINUTE) });
  metrics.operationChanged(anOperation('o9', { state: 'Running' }));
  metrics.operationChanged(ended);
  metrics.operationChanged(ended);
  metrics.operationChanged(anOperation('old', { state: 'Failed', endedAt: at(-MINUTE) }));
  const decision = { at: T0, cluster: 'home', machine: 'm1', subject: 'o9', message: '' } as const;
  metrics.decided({ ...decision, actor: 'gate', kind: 'Refusal', reason: 'BudgetUsed' });
  metrics.decided({ ...decision, actor: 'healing', kind: 'Refusal', reason: 'Settling' });
  await metrics.exposition();
  const got = await samples(metrics);
  const expected = {
    'drover_operations_total{type="Reboot",state="Failed"}': 1,
    'drover_operations_in_flight{type="Reboot",state="Running"}': 1,
    'drover_operations_in_flight{type="Reboot",state="Waiting"}': 1,
    'drover_gate_refusals_total{reason="BudgetUsed"}': 1,
    'drover_gate_refusals_total{reason="Settling"}': undefined,
    'drover_machines{cluster="home"}': 1000,
    'drover_nodes_schedulable_ratio{cluster="home"}': 0.99,
    'drover_nodes_schedulable_ratio{cluster="new"}': undefined,
    'drover_machines_online_ratio{cluster="home"}': 0.995,
    'drover_queue_failing{queue="healing"}': 1,
    'drover_cache_age_seconds{cluster="home",resource="machines"}': 1.5,
    'drover_cache_age_seconds{cluster="new",resource="nodes"}': undefined,
    'drover_cache_relists_total{cluster="home",resource="machines"}': 2,
    'drover_loop_errors_total{loop="patrol"}': 4,
    'drover_crash_surge_excess{by="model",value="ebmc6"}': 7,
    'drover_crash_records_total{class="hung-task",cause="kernel"}': 2,
    drover_history_pending: 7,
    drover_history_dropped_total: 2,
    drover_leader: 1,
  };
  for (const [key, value] of Object.entries(expected)) assert.equal(got.get(key), value, key);
});

test('the exposition is well formed: help and type, units, _total on counters only', async () => {
  const { metrics, changed } = aSource();
  for (const state of story('m1')) changed(state);
  const { text } = await metrics.exposition();
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name as string, type]),
  );
  const helped = new Set([...text.matchAll(/^# HELP (\S+) \S.*$/gm)].map(([, name]) => name));
  assert.ok(types.has('process_resident_memory_bytes') && types.has('nodejs_eventloop_lag_seconds'));
  for (const [name, type] of types) {
    assert.ok(helped.has(name), `${name} has no help`);
    if (!name.startsWith('drover_')) continue;
    assert.match(name, /^[a-z][a-z0-9_]*$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    if (type === 'histogram') assert.match(name, /_seconds$/);
  }
  const seen = new Set<string>();
  for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
    const sample = /^([a-z_][a-z0-9_]*)(\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? (\S+)$/.exec(line);
    // prom-client writes Nan where nothing was measured yet; Prometheus reads it in any case.
    assert.ok(sample && (sample[3] === 'Nan' || !Number.isNaN(Number(sample[3]))), line);
    assert.ok(!seen.has(`${sample[1]}${sample[2]}`), `${line} is there twice`);
    seen.add(`${sample[1]}${sample[2]}`);
    const family = (sample[1] as string).replace(/_(bucket|sum|count)$/, '');
    assert.ok(types.has(sample[1] as string) || types.get(family) === 'histogram', `${line} has no type`);
  }
});

test('the server answers what is asked of it, and closes', async () => {
  const { metrics, source } = aSource();
  let wrong: string | undefined = 'first lists have not arrived: machines';
  const server = await serveTelemetry({
    port: 0,
    host: '127.0.0.1',
    metrics,
    healthz: () => undefined,
    readyz: () => wrong,
  });
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return [response.status, (await response.text()).trim()];
  };
  assert.deepEqual(await ask('/healthz'), [200, 'ok']);
  assert.deepEqual(await ask('/readyz?verbose'), [503, 'first lists have not arrived: machines']);
  wrong = undefined;
  assert.deepEqual(await ask('/readyz'), [200, 'ok']);
  assert.deepEqual(await ask('/healthz', 'HEAD'), [200, '']);
  assert.equal((await ask('/healthz', 'POST'))[0], 405);
  assert.equal((await ask('/elsewhere'))[0], 404);
  const scrape = await fetch(`http://127.0.0.1:${server.port}/metrics`);
  assert.match(scrape.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  assert.match(await scrape.text(), /^drover_leader 1$/m);
  source.queues = () => {
    throw new Error('no queues today');
  };
  assert.deepEqual(await ask('/metrics'), [500, 'no queues today']);
  await assert.rejects(
    serveTelemetry({
      port: server.port,
      host: '127.0.0.1',
      metrics,
      healthz: () => undefined,
      readyz: () => undefined,
    }),
    /EADDRINUSE/,
  );
  await server.close();
  await assert.rejects(ask('/healthz'));
});
