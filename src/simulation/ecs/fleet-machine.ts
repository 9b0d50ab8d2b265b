// A machine of the simulated fleet behind an instance of the stand-in.
import type { SimulatedMachine } from '../fleet/machine.ts';
import type { EcsMachine } from './ecs-machine.ts';

/** ECS has no key of an act: it is not known by whom the machine is told. */
const KEY = 'ecs';

export function fleetMachine(machine: SimulatedMachine): EcsMachine {
  return {
    start: () => {
      if (machine.phase === 'Off') machine.boot(KEY);
    },
    stop: () => machine.powerOff(),
    reboot: () => machine.boot(KEY),
    redeploy: () => machine.redeploy(KEY),
    release: () => machine.powerOff(),
    interrupt: () => machine.interrupt(),
    console: () => machine.console.join('\n'),
    run: () => undefined,
  };
}
