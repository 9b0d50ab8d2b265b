import { limitsOf, type MachineProvider } from '../../api/machine-provider.ts';
import type { Clock } from '../clock/clock.ts';
import type { ActionRecord } from '../hosts/actions/run.ts';
import { sshHosts } from '../hosts/ssh-hosts.ts';
import { tcpProber } from '../hosts/tcp-prober.ts';
import type { SecretReader } from '../kube/secrets.ts';
import { type Limiter, limiter } from '../limits.ts';
import type { Outside } from '../outside.ts';
import { ecsProvider } from './ecs/ecs.ts';
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
  /** Told of every run on a host. Must not throw. */
  onRecord(record: ActionRecord): void;
}

export type Open = (provider: MachineProvider, context: OpenContext) => Outside;

/** Opens the ways to one provider's machines. The spec has been checked by its schema. */
export function openOutside({ spec }: MachineProvider, context: OpenContext): Outside {
  const { simulated, watchOnly, redfish, ipmi, ecs, hosts } = spec;
  if (simulated) return simulatedOutside(simulated.endpoint, context.limit);
  if (watchOnly) return watchOnlyOutside(context.clock);
  const ssh = hosts && sshHosts(hosts, context);
  const around = {
    hosts: ssh ?? noHosts('its MachineProvider has no spec.hosts: Drover has no way onto its hosts'),
    prober: tcpProber(context.clock),
    close: async () => ssh?.close(),
  };
  if (redfish) return { provider: redfishProvider(redfish, context), ...around };
  if (ipmi) return { provider: ipmiProvider(ipmi, context), ...around };
  if (ecs) return { provider: ecsProvider(ecs, context), ...around };
  throw new Error('spec names none of the kinds that this version knows');
}

export interface OutsidesOptions {
  clock: Clock;
  secrets: SecretReader;
  open?: Open;
  onRecord?(record: ActionRecord): void;
}

/** Keeps one Outside for each MachineProvider, behind that provider's limits. */
export class Outsides {
  readonly #options: OutsidesOptions;
  readonly #opened = new Map<string, { of: string; outside: Outside }>();

  constructor(options: OutsidesOptions) {
    this.#options = options;
  }

  get(provider: MachineProvider): Outside {
    const { clock, secrets, open = openOutside, onRecord = () => {} } = this.#options;
    const of = `${provider.metadata.uid}/${provider.metadata.generation}`;
    const present = this.#opened.get(provider.metadata.name);
    if (present?.of === of) return present.outside;
    const limit = limiter(clock, limitsOf(provider));
    const opened = open(provider, { clock, secrets, limit, onRecord });
    const outside = { ...opened, provider: guarded(opened.provider, clock) };
    this.#opened.set(provider.metadata.name, { of, outside });
    if (present) void closed(present.outside);
    return outside;
  }

  /** Gives back what is held open: sessions of BMCs are few. */
  async close(): Promise<void> {
    const all = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.all(all.map(({ outside }) => closed(outside)));
  }
}

/** Nothing that fails here is of use to anybody. */
async function closed(outside: Outside): Promise<void> {
  await Promise.allSettled([outside.provider.close(), outside.close?.()]);
}
