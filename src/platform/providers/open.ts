import type { MachineProvider } from '../../api/machine-provider.ts';
import type { Clock } from '../clock/clock.ts';
import type { ActionRecord } from '../hosts/actions/run.ts';
import type { KubeClient } from '../kube/client.ts';
import type { SecretReader } from '../kube/secrets.ts';
import type { Limiter } from '../limits.ts';
import type { Outside } from '../outside.ts';

/** What a provider is opened with. */
export interface OpenContext {
  clock: Clock;
  /** Of the home cluster. */
  secrets: SecretReader;
  /** Of a cluster by name, where it is open: for hosts that are reached through it. */
  client?(cluster: string): KubeClient | undefined;
  /** Before each call that goes out: shared by all who call this provider. */
  limit: Limiter;
  /** Told of every run on a host. Must not throw. */
  onRecord(record: ActionRecord): void;
}

export type Open = (provider: MachineProvider, context: OpenContext) => Outside;
