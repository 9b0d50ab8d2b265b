import { limitsOf, type MachineProvider } from '../../api/machine-provider.ts';
import type { Clock } from '../clock/clock.ts';
import { tcpProber } from '../hosts/tcp-prober.ts';
import type { SecretReader } from '../kube/secrets.ts';
import { type Limiter, limiter } from '../limits.ts';
import type { Outside } from '../outside.ts';
import { guarded } from './guard.ts';
import { ipmiProvider } from './ipmi/ipmi.ts';
import { redfishProvider } from './redfish/redfish.ts';
import { simulatedOutside } from './simulated.ts';
import { noHosts, watchOnlyOutside } from './watch-only.ts';

/** What a provider is opened with. */
export interface OpenContext {
  clock: Clock;
  /** Of the home cluster. */
  secrets: SecretReader;
  /** Before each call that goes out: shared by all who call this provider. */
  limit: Limiter;
}

export type Open = (provider: MachineProvider, context: OpenContext) => Outside;

/** Opens the ways to one provider's machines. The spec has been checked by its schema. */
export function openOutside({ spec }: MachineProvider, context: OpenContext): Outside {
  const { simulated, watchOnly, redfish, ipmi } = spec;
  if (simulated) return simulatedOutside(simulated.endpoint, context.limit);
  if (watchOnly) return watchOnlyOutside(context.clock);
  const around = {
    hosts: noHosts('its MachineProvider has no spec.hosts'),
    prober: tcpProber(context.clock),
  };
  if (redfish) return { provider: redfishProvider(redfish, context), ...around };
  if (ipmi) return { provider: ipmiProvider(ipmi, context), ...around };
  throw new Error('spec names none of the kinds that this version knows');
}

/** Keeps one Outside for each MachineProvider, behind that provider's limits. */
export class Outsides {
  readonly #clock: Clock;
  readonly #secrets: SecretReader;
  readonly #open: Open;
  readonly #opened = new Map<string, { of: string; outside: Outside }>();

  constructor(clock: Clock, secrets: SecretReader, open: Open = openOutside) {
    this.#clock = clock;
    this.#secrets = secrets;
    this.#open = open;
  }

  get(provider: MachineProvider): Outside {
    const of = `${provider.metadata.uid}/${provider.metadata.generation}`;
    const present = this.#opened.get(provider.metadata.name);
    if (present?.of === of) return present.outside;
    const limit = limiter(this.#clock, limitsOf(provider));
    const opened = this.#open(provider, { clock: this.#clock, secrets: this.#secrets, limit });
    const outside = { ...opened, provider: guarded(opened.provider, this.#clock) };
    this.#opened.set(provider.metadata.name, { of, outside });
    void present?.outside.provider.close();
    return outside;
  }

  /** Gives back what the providers hold open: sessions of BMCs are few. */
  async close(): Promise<void> {
    const all = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.allSettled(all.map(({ outside }) => outside.provider.close()));
  }
}
