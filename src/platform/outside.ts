import type { Hosts } from './hosts/host.ts';
import type { Prober } from './hosts/prober.ts';
import type { Provider } from './providers/provider.ts';

/** All ways in which Drover touches the machines of one MachineProvider. */
export interface Outside {
  provider: Provider;
  hosts: Hosts;
  prober: Prober;
}
