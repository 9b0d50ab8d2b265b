// A board for tests of clients: right about power and its event log, made up otherwise.

import { type Clock, SECOND, type Timer } from '../../platform/clock/clock.ts';
import {
  type Board,
  type BoardEvent,
  type Firmware,
  type Health,
  type LogEntry,
  type Power,
  Refusal,
  type ResetType,
  type Sensor,
} from './board.ts';

/** As small BMCs keep; the oldest goes when it is full. */
const LOG_ENTRIES_MAX = 1024;

export interface MadeUpBoardOptions {
  name?: string;
  model?: string;
  serial?: string;
  power?: 'On' | 'Off';
  /** How long each takes, in milliseconds. */
  delays?: Partial<Delays>;
}

export interface Delays {
  /** From the answer until the power is on or off. */
  switch_ms: number;
  /** Off for so long in a ForceRestart or PowerCycle. */
  off_ms: number;
  /** An operating system that shuts down in order. */
  shutdown_ms: number;
}

const DELAYS: Delays = { switch_ms: 2 * SECOND, off_ms: 3 * SECOND, shutdown_ms: 5 * SECOND };

/** Power follows its orders some seconds after they were accepted, as on real boards. */
export class MadeUpBoard implements Board {
  readonly name: string;
  readonly model: string;
  readonly serial: string;
  /** A graceful order does nothing where no operating system hears it. */
  osRuns: boolean;
  /** Every order accepted, oldest first. */
  readonly orders: ResetType[] = [];
  readonly #clock: Clock;
  readonly #delays: Delays;
  readonly #listeners = new Set<(event: BoardEvent) => void>();
  readonly #log: LogEntry[] = [];
  #lastId = 0;
  #power: Power;
  #health: Health = 'OK';
  #pending: Timer | undefined;

  constructor(clock: Clock, options: MadeUpBoardOptions = {}) {
    this.#clock = clock;
    this.name = options.name ?? 'board-1';
    this.model = options.model ?? 'Made Up R1';
    this.serial = options.serial ?? `SN-${this.name}`;
    this.#power = options.power ?? 'On';
    this.osRuns = this.#power === 'On';
    this.#delays = { ...DELAYS, ...options.delays };
  }

  power(): Power {
    return this.#power;
  }

  async reset(type: ResetType): Promise<void> {
    const isOn = this.#power !== 'Off';
    const needed = NEEDED[type];
    if (needed !== undefined && isOn !== needed) {
      throw new Refusal('WrongState', `the server is already powered ${isOn ? 'on' : 'off'}`);
    }
    this.orders.push(type);
    this.#begin(type, isOn);
  }

  #begin(type: ResetType, isOn: boolean): void {
    const { switch_ms, off_ms, shutdown_ms } = this.#delays;
    switch (type) {
      case 'On':
      case 'ForceOn':
        this.#set('PoweringOn');
        this.#goOn(switch_ms);
        break;
      case 'ForceOff':
        this.#goOff(switch_ms);
        break;
      case 'PushPowerButton':
        this.#begin(isOn ? 'GracefulShutdown' : 'On', isOn);
        break;
      case 'GracefulShutdown':
        if (this.osRuns) this.#goOff(shutdown_ms);
        break;
      case 'GracefulRestart':
        if (this.osRuns) this.#goOff(shutdown_ms, () => this.#goOn(off_ms));
        break;
      case 'ForceRestart':
      case 'PowerCycle':
        this.osRuns = false;
        this.#set('Off');
        this.#goOn(off_ms);
        break;
      case 'Nmi':
        this.addLog(NMI);
    }
  }

  /** A later order takes the place of one that has not happened yet. */
  #after(delay_ms: number, wake: () => void): void {
    this.#pending?.cancel();
    this.#pending = this.#clock.timer(delay_ms, wake);
  }

  #goOn(delay_ms: number): void {
    this.#after(delay_ms, () => {
      this.osRuns = true;
      this.#set('On');
    });
  }

  #goOff(delay_ms: number, then?: () => void): void {
    this.#set('PoweringOff');
    this.#after(delay_ms, () => {
      this.osRuns = false;
      this.#set('Off');
      then?.();
    });
  }

  #set(power: Power): void {
    if (power === this.#power) return;
    this.#power = power;
    this.#tell({ kind: 'power', power });
  }

  eventLog(): readonly LogEntry[] {
    return this.#log;
  }

  clearLog(): void {
    this.#log.length = 0;
  }

  /** Writes a record, such as a memory error that a test makes up. */
  addLog(record: Omit<LogEntry, 'id' | 'created_ms'>): LogEntry {
    const entry = { ...record, id: String(++this.#lastId), created_ms: this.#clock.now() };
    if (this.#log.length === LOG_ENTRIES_MAX) this.#log.shift();
    this.#log.push(entry);
    this.#tell({ kind: 'log', entry });
    return entry;
  }

  sensors(): readonly Sensor[] {
    const isOn = this.#power === 'On';
    return [
      {
        id: 'CPU1Temp',
        name: 'CPU1 Temp',
        kind: 'Temperature',
        reading: isOn ? 54 : 24,
        upperCritical: 95,
        health: 'OK',
      },
      {
        id: 'InletTemp',
        name: 'Inlet Temp',
        kind: 'Temperature',
        reading: 24,
        upperCritical: 47,
        health: 'OK',
      },
      { id: 'Fan1', name: 'Fan 1', kind: 'Fan', ...(isOn ? { reading: 5400 } : {}), health: 'OK' },
      { id: 'Power', name: 'System Power', kind: 'Power', reading: isOn ? 310 : 12, health: 'OK' },
    ];
  }

  firmware(): readonly Firmware[] {
    return [
      { id: 'BIOS', name: 'System BIOS', version: '2.19.1', updateable: true },
      { id: 'BMC', name: 'BMC Firmware', version: '7.10.30', updateable: true },
      { id: 'NIC1', name: 'Network adapter 1', version: '22.36.1010', updateable: false },
    ];
  }

  health(): Health {
    return this.#health;
  }

  setHealth(health: Health): void {
    if (health === this.#health) return;
    this.#health = health;
    this.#tell({ kind: 'health', health });
  }

  subscribe(listener: (event: BoardEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(event: BoardEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** Whether an order needs the power on (true) or off (false). The rest act in either. */
const NEEDED: Partial<Record<ResetType, boolean>> = {
  On: false,
  ForceOn: false,
  ForceOff: true,
  GracefulShutdown: true,
  GracefulRestart: true,
  ForceRestart: true,
  PowerCycle: true,
  Nmi: true,
};

const NMI: Omit<LogEntry, 'id' | 'created_ms'> = {
  severity: 'Critical',
  message: 'Front panel NMI / diagnostic interrupt.',
  sensorType: 'Critical Interrupt',
  sensorNumber: 0x23,
  entryCode: 'Assert',
};
