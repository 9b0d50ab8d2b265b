import { type Incident, incidentKind } from '../api/incident.ts';
import { type Clock, DAY, HOUR, MINUTE, SECOND } from '../platform/clock/clock.ts';
import { VirtualClock } from '../platform/clock/virtual.ts';
import type { KubeObject } from '../platform/kube/objects.ts';
import { type Log, noLog } from '../platform/telemetry/log.ts';
import type { Fault } from './fleet/faults.ts';
import { Invariants, type Violation } from './invariants.ts';
import { Story } from './story.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  seed: number;
  days: number;
  machines: number;
  /** Makes the log of all replicas; its times are those of the simulation. */
  logOf?: (clock: Clock) => Log;
}

export interface Report {
  seed: number;
  machines: number;
  days: number;
  faults: number;
  incidents: number;
  stages: Record<string, number>;
  acts: number;
  /** Seconds from the fault to its discovery, and to the end of the incident, sorted. */
  detected_s: number[];
  healed_s: number[];
  /** Faults that struck a machine which Drover watched and that never became an incident. */
  missed: Fault[];
  violations: Violation[];
  wall_ms: number;
}

/** How long all that is open is given to end, once nothing more happens. */
const LIVENESS_MS = 2 * HOUR;

/**
 * Runs a fleet with all its faults through so many days of virtual time, then lets it come to rest, and
 * says whether the invariants held. The same seed gives the same run.
 */
export async function simulate(options: SimulationOptions): Promise<Report> {
  const began = performance.now();
  const clock = new VirtualClock(options.seed);
  const world = new World({ clock, machines: options.machines, machinesPerRack: 6, applications: 3 });
  const opening = world.open();
  await clock.advance(2 * SECOND);
  await opening;

  const stop = new AbortController();
  const invariants = new Invariants(world);
  await invariants.watch(stop.signal);
  const watched = (log: Log): Log => ({
    ...log,
    warn: (message, fields) => {
      log.warn(message, fields);
      invariants.failed(message);
    },
  });
  let started = 0;
  const restart = () =>
    world.start({
      identity: `drover-${++started}`,
      log: watched(options.logOf?.(clock) ?? noLog),
      watcher: invariants,
    });
  const story = new Story({ world, invariants, seed: options.seed, restart });
  await clock.advance(2 * MINUTE);
  void story.run();
  void story.attend();
  await clock.advance(options.days * DAY);
  await story.end();
  await clock.advance(LIVENESS_MS);
  invariants.atRest();

  const { items } = await world.admin.list<KubeObject & Incident>(incidentKind.resource);
  // The first that fits is a fault's own: a machine may have had trouble again soon after.
  items.sort((a, b) => Date.parse(a.status?.detectedAt ?? '') - Date.parse(b.status?.detectedAt ?? ''));
  const report = summarize(options, story.faults, items, world, invariants.violations);
  for (const replica of story.replicas) replica.kill();
  stop.abort(new Error('over'));
  world.close();
  await clock.advance(MINUTE);
  return { ...report, wall_ms: performance.now() - began };
}

function summarize(
  options: SimulationOptions,
  faults: readonly Fault[],
  incidents: readonly Incident[],
  world: World,
  violations: Violation[],
): Omit<Report, 'wall_ms'> {
  const detected_s: number[] = [];
  const healed_s: number[] = [];
  const stages: Record<string, number> = {};
  for (const { status } of incidents) stages[status?.stage ?? ''] = (stages[status?.stage ?? ''] ?? 0) + 1;
  const missed: Fault[] = [];
  // Ended incidents are deleted after a day: only the faults of the last day can be looked up.
  const since = world.clock.now() - DAY + HOUR;
  for (const fault of faults) {
    if (fault.at < since) continue;
    for (const machine of fault.struck) {
      const own = incidents.find(({ spec, status }) => spec.machine === machine && isAbout(status, fault));
      if (!own) {
        missed.push({ ...fault, machine });
        continue;
      }
      const after = (at: string | undefined) => (Date.parse(at ?? '') - fault.at) / 1000;
      detected_s.push(Math.max(0, after(own.status?.detectedAt)));
      if (own.status?.healedAt) healed_s.push(after(own.status.healedAt));
    }
  }
  const order = (a: number, b: number) => a - b;
  return {
    seed: options.seed,
    machines: options.machines,
    days: options.days,
    faults: faults.length,
    incidents: incidents.length,
    stages,
    acts: world.fleet.acts.length,
    detected_s: detected_s.sort(order),
    healed_s: healed_s.sort(order),
    missed,
    violations,
  };
}

/** The incident was open at, or began soon after, the fault. */
function isAbout(status: Incident['status'], fault: Fault): boolean {
  const from = Date.parse(status?.detectedAt ?? '');
  const to = Date.parse(status?.endedAt ?? '9999-01-01T00:00:00Z');
  return from < fault.at + 15 * MINUTE && to > fault.at;
}
