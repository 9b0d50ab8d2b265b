import { type HostSettings, limitsOf, type MachineProvider } from '../../api/machine-provider.ts';
import type { Clock } from '../clock/clock.ts';
import { type ActionRecord, type Hosts, hostsOver } from '../hosts/actions/run.ts';
import type { Shell } from '../hosts/actions/shell.ts';
import { jobShell } from '../hosts/job/job-shell.ts';
import { sshHosts } from '../hosts/ssh-hosts.ts';
import { tcpProber } from '../hosts/tcp-prober.ts';
import type { KubeClient } from '../kube/client.ts';
import type { SecretReader } from '../kube/secrets.ts';
import { limiter } from '../limits.ts';
import type { Outside } from '../outside.ts';
import { ecsAgent } from './ecs/agent.ts';
import { EcsApi } from './ecs/api.ts';
import { ecsProvider } from './ecs/ecs.ts';
import { guarded } from './guard.ts';
import { ipmiProvider } from './ipmi/ipmi.ts';
import { metal3Provider } from './metal3/metal3.ts';
import type { Open, OpenContext } from './open.ts';
import { redfishProvider } from './redfish/redfish.ts';
import { simulatedOutside } from './simulated.ts';
import { noHosts, watchOnlyOutside } from './watch-only.ts';

/** Opens the ways to one provider's machines. The spec has been checked by its schema. */
export function openOutside({ spec }: MachineProvider, context: OpenContext): Outside {
  const { simulated, watchOnly, redfish, ipmi, ecs, metal3, hosts } = spec;
  if (simulated) return simulatedOutside(simulated.endpoint, context.limit);
  if (watchOnly) return watchOnlyOutside(context.clock);
  const ecsApi = ecs && new EcsApi(ecs, context);
  const way = hosts && wayOntoHosts(hosts, context, ecsApi);
  const around = {
    hosts: way ?? noHosts('its MachineProvider has no spec.hosts: Drover has no way onto its hosts'),
    prober: tcpProber(context.clock),
    close: async () => way?.close?.(),
  };
  if (redfish) return { provider: redfishProvider(redfish, context), ...around };
  if (ipmi) return { provider: ipmiProvider(ipmi, context), ...around };
  if (ecs) return { provider: ecsProvider(ecs, context, ecsApi), ...around };
  if (metal3) return { provider: metal3Provider(metal3, context), ...around };
  throw new Error('spec names none of the kinds that this version knows');
}

function wayOntoHosts(
  { ssh, job, agent, units }: HostSettings,
  context: OpenContext,
  ecsApi: EcsApi | undefined,
): Hosts & { close?(): Promise<void> } {
  const { clock, onRecord, client = () => undefined } = context;
  const over = (shell: Shell) => hostsOver(shell, { clock, onRecord, units });
  if (ssh) return sshHosts({ ssh, units }, context);
  if (job) return over(jobShell(job, { clock, client }));
  if (agent && ecsApi) return over(ecsAgent(ecsApi));
  throw new Error('spec.hosts names no way that fits this kind of provider');
}

export interface OutsidesOptions {
  clock: Clock;
  secrets: SecretReader;
  open?: Open;
  client?(cluster: string): KubeClient | undefined;
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
    const {
      clock,
      secrets,
      open = openOutside,
      client = () => undefined,
      onRecord = () => {},
    } = this.#options;
    const of = `${provider.metadata.uid}/${provider.metadata.generation}`;
    const present = this.#opened.get(provider.metadata.name);
    if (present?.of === of) return present.outside;
    const limit = limiter(clock, limitsOf(provider));
    const opened = open(provider, { clock, secrets, client, limit, onRecord });
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
