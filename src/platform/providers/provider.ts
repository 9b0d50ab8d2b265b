// What Drover may ask of whoever owns a machine's power: a cloud, a BMC, a simulation. Callers ask what
// a machine can do (`capabilities`), never which provider it is.

export type Power = 'On' | 'Off' | 'Unknown';

export interface Reading {
  power: Power;
  /** The last lines of the machine's console, oldest first; empty where the provider has none. */
  console: readonly string[];
  /** Maintenance that the provider has under way or announced for this machine. */
  maintenance?: string;
  capabilities: { nmi: boolean; powerCycle: boolean; console: boolean };
}

/** Identifies one outside act. The same key twice is the same act: a provider that can, does it once. */
export type ActKey = string;

export interface Provider {
  /** Reads one machine. A provider that is down throws; it never says "Off" of what it can't see. */
  describe(id: string): Promise<Reading>;
  /** Resets the machine. `graceful` asks its operating system first and needs one that answers. */
  reboot(id: string, mode: 'graceful' | 'forced', key: ActKey): Promise<void>;
  /** Off and on again, also for a machine that no longer takes a reset. */
  powerCycle(id: string, key: ActKey): Promise<void>;
  powerOn(id: string, key: ActKey): Promise<void>;
  /** Non-maskable interrupt: a hung kernel panics and writes its dump. */
  nmi(id: string, key: ActKey): Promise<void>;
}

/**
 * What a failed call means for the next one. `Unknown`: no answer came, so it may have happened; such an
 * act is never repeated, its outcome is observed.
 */
export type Failure =
  | 'TryAgain'
  | 'Throttled'
  | 'Refused'
  | 'NotFound'
  | 'BadCredentials'
  | 'Broken'
  | 'Unknown';

export class ProviderError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure, message: string) {
    super(message);
    this.name = 'ProviderError';
    this.failure = failure;
  }
}
