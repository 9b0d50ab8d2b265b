// Virtual time in a second of real time: a whole fleet with control plane, kubelets and two Drovers.
import { HOUR, MINUTE, SECOND } from '../src/platform/clock/clock.ts';
import { VirtualClock } from '../src/platform/clock/virtual.ts';
import { simulate } from '../src/simulation/simulate.ts';
import { World } from '../src/simulation/world.ts';
import { type Row, report } from './report.ts';

const FLEETS = [36, 360];
const RUN_MS = 30 * MINUTE;
const SEED = 1;
const DAYS = 0.1;
/** What simulate() gives an open end to come to rest. */
const REST_MS = 2 * HOUR;

async function calm(machines: number): Promise<number> {
  const clock = new VirtualClock(SEED);
  const world = new World({ clock, machines, machinesPerRack: 12, applications: 3 });
  const opening = world.open();
  await clock.advance(2 * SECOND);
  await opening;
  const replicas = [world.start(), world.start()];
  await clock.advance(MINUTE);
  const startedAt = performance.now();
  await clock.advance(RUN_MS);
  const wall_ms = performance.now() - startedAt;
  for (const replica of replicas) replica.kill();
  world.close();
  await clock.advance(MINUTE);
  return RUN_MS / wall_ms;
}

const rows: Row[] = [];
for (const machines of FLEETS)
  rows.push({ what: `${machines} machines, all well`, value: await calm(machines), unit: 's/s' });
const { wall_ms, faults } = await simulate({ seed: SEED, days: DAYS, machines: 36 });
const stormy = (DAYS * 24 * HOUR + REST_MS) / wall_ms;
rows.push({
  what: `36 machines, ${faults} faults`,
  value: stormy,
  unit: 's/s',
  times: stormy / (rows[0]?.value ?? 1),
  of: 'all well',
});
report('simulation', 'virtual seconds in a real one', rows);
