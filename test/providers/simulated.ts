// The simulated fleet in another process's clothes: over HTTP, as `drover fleet` serves it.
import { systemClock } from '../../src/platform/clock/system.ts';
import { SimulatedFleet } from '../../src/simulation/fleet/fleet.ts';
import { serveFleet } from '../../src/simulation/fleet/server.ts';
import { eventually, opened, type Stage } from './stage.ts';

export async function simulatedStage(): Promise<Stage> {
  const durations = { boot_ms: [100, 200], dump_ms: [100, 200] } as const;
  const fleet = new SimulatedFleet({ clock: systemClock, machines: 1200, durations });
  const machine = 'm00001';
  fleet.get(machine).loseSupply();
  fleet.get(machine).repair();
  let served = await serveFleet(fleet, { port: 0 });
  const port = Number(new URL(served.endpoint).port);
  const provider = opened({ simulated: { endpoint: served.endpoint } });
  await eventually('it runs', () => fleet.get(machine).phase === 'Running');
  return {
    provider,
    wrongPassword: { cannot: 'it asks for no password, and answers on the loopback only' },
    machine,
    unknown: 'nobody',
    // A boot is over before the next act: one that begins anew would count twice.
    hasPower: (power) =>
      eventually(`power ${power}`, () => fleet.get(machine).phase === (power === 'On' ? 'Running' : 'Off')),
    seen: async (act) => fleet.acts.filter((each) => each.act === act).length,
    goAway: () => served.close(),
    comeBack: async () => {
      served = await serveFleet(fleet, { port });
    },
    [Symbol.asyncDispose]: () => served.close(),
  };
}
