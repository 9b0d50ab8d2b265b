// A machine of the simulated fleet as the board behind a Redfish service.
import type { Act, LogEntry as MachineEntry } from '../../platform/providers/provider.ts';
import { ProviderError } from '../../platform/providers/provider.ts';
import type { SimulatedFleet } from '../fleet/fleet.ts';
import type { SimulatedMachine } from '../fleet/machine.ts';
import { type Board, type BoardEvent, type LogEntry, type Power, Refusal, type ResetType } from './board.ts';

/** What each reset is to the machine. A graceful shutdown is only for one that runs. */
const ACTS: Readonly<Record<ResetType, Act>> = {
  On: 'PowerOn',
  ForceOn: 'PowerOn',
  ForceOff: 'PowerOff',
  GracefulShutdown: 'PowerOff',
  GracefulRestart: 'Reboot',
  ForceRestart: 'ForceReboot',
  PowerCycle: 'PowerCycle',
  PushPowerButton: 'PowerOff',
  Nmi: 'Nmi',
};

export class FleetBoard implements Board {
  readonly name: string;
  readonly model: string;
  readonly serial: string;
  /** Every order accepted, oldest first. */
  readonly orders: ResetType[] = [];
  readonly #fleet: SimulatedFleet;
  readonly #machine: SimulatedMachine;

  constructor(fleet: SimulatedFleet, machine: SimulatedMachine) {
    this.#fleet = fleet;
    this.#machine = machine;
    this.name = machine.name;
    this.model = machine.model;
    this.serial = `SN-${machine.name}`;
  }

  power(): Power {
    return this.#machine.phase === 'Off' ? 'Off' : 'On';
  }

  async reset(type: ResetType): Promise<void> {
    if (type === 'GracefulShutdown' && this.#machine.phase !== 'Running') return;
    try {
      // Redfish knows no key of an act.
      await this.#fleet.provider.act(this.name, ACTS[type], 'redfish');
    } catch (error) {
      throw error instanceof ProviderError ? new Refusal('WrongState', error.message) : error;
    }
    this.orders.push(type);
  }

  eventLog(): readonly LogEntry[] {
    return this.#machine.eventLog.map(boardEntry);
  }

  clearLog(): void {
    this.#machine.eventLog.length = 0;
  }

  sensors() {
    return [];
  }

  firmware() {
    return [];
  }

  health() {
    return 'OK' as const;
  }

  subscribe(listener: (event: BoardEvent) => void): () => void {
    let power = this.power();
    const onChange = (machine: SimulatedMachine) => {
      if (machine !== this.#machine || this.power() === power) return;
      power = this.power();
      listener({ kind: 'power', power });
    };
    const onEntry = (entry: MachineEntry) => listener({ kind: 'log', entry: boardEntry(entry) });
    this.#fleet.listeners.add(onChange);
    this.#machine.logListeners.add(onEntry);
    return () => {
      this.#fleet.listeners.delete(onChange);
      this.#machine.logListeners.delete(onEntry);
    };
  }
}

function boardEntry({ id, at, severity, sensor, message }: MachineEntry): LogEntry {
  return { id, created_ms: Date.parse(at ?? ''), severity, message, sensorType: sensor };
}
