import { MINUTE } from '../../platform/clock/clock.ts';
import { rackOf, type SimulatedFleet } from './fleet.ts';
import type { SimulatedMachine } from './machine.ts';

/** What a fault of each kind is, for people and for `drover fault --kind`. */
export const FAULT_KINDS = {
  'crash-dump': 'kernel panic; the machine writes its dump and boots by itself',
  crash: 'kernel panic without a dump; it stays down',
  hang: 'it takes connections and answers nothing',
  'power-loss': 'the power goes and stays off',
  kubelet: 'the kubelet dies',
  runtime: 'the container runtime dies',
  cable: 'its network cable is cut, and mended later',
  'rack-switch': 'the switch of its rack goes dark for some minutes',
  zone: 'its whole zone loses its network for some minutes',
  'disk-full': 'logs fill its disk',
  maintenance: 'its owner announces maintenance that wants a reboot',
  'bad-hardware': 'its owner wants it moved to other hardware',
  'memory-error': 'its BMC logs an uncorrectable memory error, and it runs on',
  'slow-clock': 'its clock falls an hour behind',
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;

export interface Fault {
  kind: FaultKind;
  machine: string;
  at: number;
  /** Machines whose service it takes away. */
  struck: readonly string[];
  /** Who can end it: an act of Drover's, the machine by itself, or a person later. */
  ends: 'repair' | 'itself' | 'person';
}

export interface StrikeOptions {
  /** How long a cable, switch or zone stays dark, and a dead power supply dead. */
  lasts_ms?: number;
  /** A service that no restart brings back, only a boot; a power supply that a person has to change. */
  stubborn?: boolean;
}

/** Whether a fault can begin on the machine now: it must be well, or two troubles would be counted as one. */
export function canStrike(fleet: SimulatedFleet, machine: SimulatedMachine): boolean {
  return (
    fleet.kubeletWorks(machine) && machine.services.containerd && fleet.clock.now() - machine.upAt > MINUTE
  );
}

/** Lets a fault strike now. */
export function strike(
  fleet: SimulatedFleet,
  kind: FaultKind,
  name: string,
  options: StrikeOptions = {},
): Fault {
  const machine = fleet.get(name);
  const at = fleet.clock.now();
  const fault = (ends: Fault['ends'], struck: readonly string[] = [name]): Fault => ({
    kind,
    machine: name,
    at,
    struck,
    ends,
  });
  const lasts_ms = options.lasts_ms ?? 5 * MINUTE;
  switch (kind) {
    case 'crash-dump':
      machine.panic({ dump: true });
      return fault('itself');
    case 'crash':
      machine.panic({ dump: false });
      return fault('repair');
    case 'hang':
      machine.hang();
      return fault('repair');
    case 'power-loss':
      machine.loseSupply();
      if (!options.stubborn) return fault('repair');
      machine.supplyDead = true;
      fleet.clock.timer(lasts_ms, () => {
        machine.supplyDead = false;
        machine.boot(undefined);
      });
      return fault('person');
    case 'kubelet':
    case 'runtime': {
      const service = kind === 'kubelet' ? 'kubelet' : 'containerd';
      if (options.stubborn) machine.stubborn.add(service);
      machine.setService(service, false);
      return fault('repair');
    }
    case 'cable':
      machine.setLink(false);
      fleet.clock.timer(lasts_ms, () => machine.setLink(true));
      return fault('person');
    case 'rack-switch': {
      const rack = rackOf(machine.place);
      return fault(
        'person',
        goDark(fleet, fleet.racksDown, rack, lasts_ms, (one) => rackOf(one.place) === rack),
      );
    }
    case 'zone': {
      const { zone } = machine.place;
      return fault(
        'person',
        goDark(fleet, fleet.zonesDown, zone, lasts_ms, (one) => one.place.zone === zone),
      );
    }
    case 'maintenance':
    case 'bad-hardware':
      fleet.announce(name, kind === 'maintenance' ? 'Reboot' : 'Redeploy');
      return fault('repair', []);
    case 'disk-full':
      machine.diskStubborn = options.stubborn ?? false;
      machine.setDiskFull(true);
      return fault(options.stubborn ? 'person' : 'repair', []);
    case 'memory-error':
      machine.logs('Critical', 'Memory', 'Uncorrectable ECC, DIMM A3');
      return fault('itself', []);
    case 'slow-clock':
      machine.clockBehind_ms += 60 * MINUTE;
      return fault('itself', []);
  }
}

function goDark(
  fleet: SimulatedFleet,
  down: Set<string>,
  name: string,
  lasts_ms: number,
  isIn: (machine: SimulatedMachine) => boolean,
): string[] {
  const within = [...fleet.machines.values()].filter(isIn);
  const announce = () => {
    for (const machine of within) for (const listener of fleet.listeners) listener(machine);
  };
  down.add(name);
  announce();
  fleet.clock.timer(lasts_ms, () => {
    down.delete(name);
    announce();
  });
  return within.map((machine) => machine.name);
}
