// What Drover may ask of whoever owns a machine: a cloud, a BMC, a simulation. Callers ask what a machine can
// do (`can`), never which provider it is. What each promise is worth is in conformance.ts, which every provider passes.

/**
 * What the provider sees. `Unknown` is also every state between the two: a provider that is down, or a machine
 * that it does not list yet, is never "Off".
 */
export type Power = 'On' | 'Off' | 'Unknown';

/** What ends a machine's present boot, or more. */
export const ACTS = [
  /** Asks the operating system to reboot; needs one that answers. */
  'Reboot',
  /** Resets it, whatever it does. */
  'ForceReboot',
  'PowerOn',
  'PowerOff',
  /** Off and on again, also for a machine that no longer takes a reset. */
  'PowerCycle',
  /** Non-maskable interrupt: a hung kernel panics and writes its dump. */
  'Nmi',
  /** Moves to other hardware. Local disks are lost. */
  'Redeploy',
  /** Gives the machine back for good. */
  'Release',
] as const;
export type Act = (typeof ACTS)[number];

/** What destroys data, and so needs a consent of its own, apart from that to a reboot. */
export const DESTROYS: ReadonlySet<Act> = new Set(['Redeploy', 'Release']);

export const ABILITIES = [...ACTS, 'Console', 'EventLog', 'Maintenance'] as const;
export type Ability = (typeof ABILITIES)[number];
/** For each: true, or why not, as a sentence for people. */
export type Abilities = Readonly<Record<Ability, true | string>>;

export interface Reading {
  power: Power;
  /** The last lines of the machine's console, oldest first; empty where the provider shows none as it is now. */
  console: readonly string[];
  /** Maintenance that the provider has under way on this machine: what it does now explains itself. */
  maintenance?: string;
  /** Maintenance that it has announced, or wants our consent for: the machine is well until then. */
  announced?: string;
  /** What is wrong with its hardware, as the provider says it. */
  health?: string;
  can: Abilities;
}

/** Identifies one outside act. The same key twice is the same act: a provider that can, does it once. */
export type ActKey = string;

/** A machine as the provider's list shows it. */
export interface Listed {
  /** As in Machine.spec.provider.id. */
  id: string;
  name?: string;
  /** Instance type or hardware model. */
  model?: string;
  serial?: string;
  zone?: string;
  /** IP address on the network of the nodes. */
  address?: string;
  power: Power;
  /** Epoch milliseconds, where the provider says it. */
  createdAt?: number;
  labels?: Readonly<Record<string, string>>;
}

/** One line of a hardware event log. */
export interface LogEntry {
  id: string;
  /** ISO 8601 by the BMC's clock; absent where it had none (before its clock was set). */
  at?: string;
  severity: 'OK' | 'Warning' | 'Critical';
  /** What kind of sensor or part: `Memory`, `Processor`, `Critical Interrupt` … */
  sensor: string;
  message: string;
}

export type MaintenanceState =
  | 'Inquiring'
  | 'Scheduled'
  | 'Executing'
  | 'Executed'
  | 'Avoided'
  | 'Canceled'
  | 'Failed';

/** What the provider itself will do, or does, to a machine. */
export interface MaintenanceEvent {
  id: string;
  /** The machine's id. */
  machine: string;
  /** In the provider's words, as `SystemMaintenance.Reboot`. */
  type: string;
  /** What it does, or what closes it. */
  does: 'Reboot' | 'Stop' | 'Redeploy' | 'Release' | 'Other';
  state: MaintenanceState;
  reason: string;
  /** ISO 8601: not before this. */
  notBefore?: string;
  /** It waits for our consent. */
  canAccept: boolean;
}

export interface Maintenance {
  /** Every event that is open now, of all machines. Throws where a page is missing: half a list is none. */
  open(signal?: AbortSignal): Promise<MaintenanceEvent[]>;
  /** Consents to what an event in state Inquiring does. Twice is once. */
  accept(event: string, signal?: AbortSignal): Promise<void>;
  /** For drills, where the provider can: makes an event that does nothing to the machine. */
  simulate?(machine: string, type: string, notBefore: Date, signal?: AbortSignal): Promise<void>;
  /** Tells the owner of the hardware that it is broken. */
  report?(machine: string, what: string, signal?: AbortSignal): Promise<void>;
}

/** What a machine can be told to start from at its next boot only, as Redfish names them; `None` takes that back. */
export const BOOT_SOURCES = ['None', 'Pxe', 'UefiHttp', 'Hdd', 'Cd', 'Usb', 'BiosSetup', 'Diags'] as const;
export type BootSource = (typeof BOOT_SOURCES)[number];
export const BOOT_MODES = ['UEFI', 'Legacy'] as const;

export interface BootOnce {
  source: BootSource;
  /** As the machine is set without. */
  mode?: (typeof BOOT_MODES)[number];
}

/** For people: what a machine is made of. */
export interface Inventory {
  model?: string;
  serial?: string;
  firmware: { name: string; version: string }[];
  /** `unit` as UCUM writes it (`Cel`, `RPM`, `W`, `V`); `health` as Redfish says it. */
  sensors: { name: string; reading?: number; unit: string; health?: string }[];
  /** Why the machine came up last, where its BMC knows. */
  restartCause?: string;
  /** What could not be read, and why. */
  unread?: string[];
}

/** An instance type, or hardware model, as the provider sells it. */
export interface MachineType {
  name: string;
  vcpus: number;
  memory_bytes: number;
  architecture: string;
  /** Network interfaces, the first one counted. */
  enis: number;
  /** Cloud disks, the system disk counted. */
  disks: number;
  pps: { receive: number; send: number };
  bandwidth_bps: { receive: number; send: number };
  localDisks: { count: number; size_bytes: number };
  gpus: number;
}

export interface Offer {
  type: string;
  zone: string;
  stock: 'Enough' | 'Scarce' | 'None' | 'Unknown';
}

/** Where machines are had from. */
export interface Source {
  type: string;
  zone: string;
}

/** Machines asked for in one call, of one type in one zone unless `orElse` names more. */
export interface Order extends Source {
  /** Derived from the attempt, and written down before the call: the same token makes nothing twice. At most 64 ASCII characters. */
  token: string;
  /** Where the rest may be had that the first has not, by preference: only where the market takes bulk orders. */
  orElse?: readonly Source[] | undefined;
  /** 1 to ORDER_MAX, or to what a bulk order may have. */
  count: number;
  /** Where the provider has fewer than these, it makes none. */
  least: number;
  /** Of the machines; the provider adds a number. */
  name: string;
  /** Tags of the machines: they are found again by these, whatever was lost. */
  labels: Readonly<Record<string, string>>;
}

export const ORDER_MAX = 100;
/** What no bulk order goes beyond, whatever the provider allows. */
export const BULK_MAX = 1000;
export const SOURCES_MAX = 20;

export interface Market {
  types(names: readonly string[], signal?: AbortSignal): Promise<MachineType[]>;
  /** What of these types can be had in which zone now; what the provider does not name is not sold there. */
  offers(types: readonly string[], signal?: AbortSignal): Promise<Offer[]>;
  /**
   * The ids of the machines made: `least` to `count` of them. NoStock: none was made, try another type or zone. Unknown:
   * ask again with the same token, which says the same ids if they were made.
   */
  create(order: Order, signal?: AbortSignal): Promise<string[]>;
  /** How many machines of these types one order may be for that names several sources; undefined where none is better than plain ones. */
  bulk?(types: readonly string[], signal?: AbortSignal): Promise<number | undefined>;
  /** Ids of the machines that carry all these labels, from every page, without listing all others. */
  find(labels: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<string[]>;
}

/**
 * Every method throws ProviderError and nothing else, ends within its limit of time, and may be called by all at once.
 * `id` is what the provider calls the machine.
 */
export interface Provider {
  describe(id: string, signal?: AbortSignal): Promise<Reading>;
  /** Does it at most once for a key where the provider can tell; refuses by name what `can` does not have. */
  act(id: string, act: Act, key: ActKey, signal?: AbortSignal): Promise<void>;
  /** All its machines, page by page. It ends only when every page came; else it throws, and what came counts for nothing. */
  list(signal?: AbortSignal): AsyncIterable<readonly Listed[]>;
  /** The hardware's own log, oldest first. */
  eventLog(id: string, signal?: AbortSignal): Promise<LogEntry[]>;
  /**
   * What is written into that log, as it is written. Resolves once the other side has taken the stream, and throws where it
   * has none or takes no more of them: Refused where asking again soon is of no use. What was written before, or while no
   * stream was open, never comes by it, so the log is read once after each opening; an id need not be that of the log. The
   * stream ends when the other side ends it or `signal` is aborted, and throws where it breaks or falls silent. It takes no
   * turn from calls.
   */
  events?(id: string, signal: AbortSignal): Promise<AsyncIterable<LogEntry>>;
  /** Its log says nothing that its maintenance does not say of all machines at once: no news is to be had from it. */
  logIsMaintenance?: true;
  /** All that the provider has kept of the machine's console, oldest first. */
  console(id: string, signal?: AbortSignal): Promise<string[]>;
  /** Sets what it starts from at its next boot, and reboots nothing. Twice is once. Refuses by name what its BMC does not offer. */
  bootOnce?(id: string, once: BootOnce, signal?: AbortSignal): Promise<void>;
  inventory?(id: string, signal?: AbortSignal): Promise<Inventory>;
  maintenance?: Maintenance;
  market?: Market;
  /** Gives back sessions and connections. */
  close(): Promise<void>;
}

/**
 * What a failed call means for the next one.
 * `TryAgain`, `Throttled`: nothing happened, and the same call may work later. `Unknown`: no answer came, so it
 * may have happened; such an act is never repeated, its outcome is observed. `Broken`: an answer that makes no sense.
 */
export const FAILURES = [
  'TryAgain',
  'Throttled',
  'Refused',
  'NotFound',
  'NoStock',
  'Quota',
  'BadCredentials',
  'Broken',
  'Unknown',
] as const;
export type Failure = (typeof FAILURES)[number];

export class ProviderError extends Error {
  readonly failure: Failure;
  /** One CamelCase word that is more exact than the failure: `CertificateChanged`. It becomes a condition's reason. */
  readonly reason: string;
  /** Epoch milliseconds before which asking again is of no use. */
  readonly until: number | undefined;
  constructor(
    failure: Failure,
    message: string,
    options: { reason?: string; until?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'ProviderError';
    this.failure = failure;
    this.reason = options.reason ?? failure;
    this.until = options.until;
  }
}

/** Abilities where most have the same answer. */
export function abilities(others: true | string, some: Partial<Record<Ability, true | string>>): Abilities {
  return Object.fromEntries(ABILITIES.map((ability) => [ability, some[ability] ?? others])) as Abilities;
}

/** What a provider answers that can't do it at all. */
export function refused(why: string): Promise<never> {
  return Promise.reject(new ProviderError('Refused', why));
}

/** A list of what is listed nowhere: asking for it throws. */
export function unlisted(why: string): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: () => refused(why) }) };
}

/** Throws where the machine can't do it. */
export function mustBeAble(can: Abilities, ability: Ability): void {
  const able = can[ability];
  if (able !== true) throw new ProviderError('Refused', able);
}
