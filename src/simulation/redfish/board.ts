// What the Redfish service drives: one computer system, made up or simulated.

/** Redfish ComputerSystem `ResetType`, those that real BMCs offer. */
export const RESET_TYPES = [
  'On',
  'ForceOff',
  'GracefulShutdown',
  'GracefulRestart',
  'ForceRestart',
  'Nmi',
  'ForceOn',
  'PushPowerButton',
  'PowerCycle',
] as const;
export type ResetType = (typeof RESET_TYPES)[number];

export type Power = 'On' | 'Off' | 'PoweringOn' | 'PoweringOff';
export type Health = 'OK' | 'Warning' | 'Critical';

/** A record of the system event log. */
export interface LogEntry {
  /** Unique in this log and rising; a cleared log does not begin again. */
  id: string;
  created_ms: number;
  severity: Health;
  message: string;
  /** As in Redfish LogEntry `SensorType`: `Memory`, `Processor`, `Critical Interrupt`, `OS Stop/Shutdown` … */
  sensorType?: string;
  sensorNumber?: number;
  /** As in Redfish LogEntry `EntryCode`: `Assert`, `Transition to Critical from less severe` … */
  entryCode?: string;
}

export interface Sensor {
  /** Fit for a URI segment, such as `CPU1Temp`. */
  id: string;
  name: string;
  kind: 'Temperature' | 'Fan' | 'Power';
  /** Cel, RPM or W by kind. Undefined while it cannot be read, as with fans of a machine that is off. */
  reading?: number;
  upperCritical?: number;
  health: Health;
}

export interface Firmware {
  /** Fit for a URI segment, such as `BIOS`. */
  id: string;
  name: string;
  version: string;
  updateable: boolean;
}

export type BoardEvent =
  | { kind: 'power'; power: Power }
  | { kind: 'log'; entry: LogEntry }
  | { kind: 'health'; health: Health };

/** The board will not do it. `WrongState`: as when off is told to go off. */
export class Refusal extends Error {
  readonly reason: 'WrongState' | 'Broken';

  constructor(reason: Refusal['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface Board {
  /** Unique in its service; the system's id where the vendor allows it. Letters, digits and `-`. */
  readonly name: string;
  readonly model: string;
  readonly serial: string;
  power(): Power;
  /** Resolves when accepted, which may be long before it has happened; throws a Refusal. */
  reset(type: ResetType): Promise<void>;
  /** Oldest first. */
  eventLog(): readonly LogEntry[];
  clearLog(): void;
  sensors(): readonly Sensor[];
  firmware(): readonly Firmware[];
  health(): Health;
  /** Returns what ends the subscription. Listeners must not throw. */
  subscribe(listener: (event: BoardEvent) => void): () => void;
}

export const HEALTHS: readonly Health[] = ['OK', 'Warning', 'Critical'];

/** The worst of them; OK where there is none. */
export function worst(healths: Iterable<Health>): Health {
  let rank = 0;
  for (const health of healths) rank = Math.max(rank, HEALTHS.indexOf(health));
  return HEALTHS[rank] ?? 'OK';
}
