// What providers announce for their machines: read for all machines at once, since those that are well are asked for
// nothing else.
import type { Machine } from '../api/machine.ts';
import type { Outside } from '../platform/outside.ts';
import type { MaintenanceEvent } from '../platform/providers/provider.ts';
import type { Beliefs } from './beliefs.ts';

/** An event becomes a symptom within this. */
export const POLL_MS = 60_000;

/** Of several for one machine the one that asks for more. */
const RANK: Readonly<Record<MaintenanceEvent['does'], number>> = {
  Redeploy: 4,
  Release: 3,
  Stop: 2,
  Reboot: 1,
  Other: 0,
};

export interface ProviderEventsOptions {
  beliefs: Beliefs;
  machines(): Iterable<Machine>;
  /** By MachineProvider. */
  outside(provider: string): Outside | undefined;
  /** Events of a provider that are for no Machine of ours, told when they change. */
  onStrangers(provider: string, ids: readonly string[]): void;
  onError(provider: string, error: unknown): void;
}

export class ProviderEvents {
  readonly #options: ProviderEventsOptions;
  /** Providers that are being asked. */
  readonly #reading = new Set<string>();
  /** Ids that no Machine has, as told last. */
  readonly #strangers = new Map<string, readonly string[]>();

  constructor(options: ProviderEventsOptions) {
    this.#options = options;
  }

  /** Ids of machines that the provider has open events for, and that no Machine names. */
  strangers(provider: string): readonly string[] {
    return this.#strangers.get(provider) ?? [];
  }

  /**
   * One pass; resolves when all that it began has ended. A provider that still answers the pass before is passed over, so
   * need not be waited for, and one that does not answer leaves what was known of its machines as it is.
   */
  async poll(): Promise<void> {
    const owned = Map.groupBy(this.#options.machines(), ({ spec }) => spec.provider.name);
    await Promise.all(
      [...owned].map(async ([provider, machines]) => {
        if (this.#reading.has(provider)) return;
        this.#reading.add(provider);
        await this.#read(provider, machines).catch((error: unknown) =>
          this.#options.onError(provider, error),
        );
        this.#reading.delete(provider);
      }),
    );
  }

  async #read(provider: string, machines: readonly Machine[]): Promise<void> {
    const { beliefs, outside, onStrangers } = this.#options;
    const maintenance = outside(provider)?.provider.maintenance;
    if (!maintenance) return;
    const byId = new Map<string, MaintenanceEvent>();
    for (const event of await maintenance.open()) {
      if (event.state === 'Executing') continue;
      const known = byId.get(event.machine);
      if (!known || RANK[event.does] > RANK[known.does]) byId.set(event.machine, event);
    }
    for (const { metadata, spec } of machines) {
      beliefs.setDue(metadata.name, byId.get(spec.provider.id));
      byId.delete(spec.provider.id);
    }
    const strangers = [...byId.keys()].sort();
    if (strangers.join() === this.strangers(provider).join()) return;
    this.#strangers.set(provider, strangers);
    onStrangers(provider, strangers);
  }
}
