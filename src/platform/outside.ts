import type { Hosts } from './hosts/actions/run.ts';
import type { Prober } from './hosts/prober.ts';
import type { Provider } from './providers/provider.ts';

/** All ways in which Drover touches the machines of one MachineProvider. */
export interface Outside {
  provider: Provider;
  hosts: Hosts;
  prober: Prober;
  /** Gives back what the way to hosts holds: keys in files, kept connections. */
  close?(): Promise<void>;
}
