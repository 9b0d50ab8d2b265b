// Machines that Drover may only look at: their owner has given it no way to their power yet. The way to begin
// on a real fleet, with a HealingPolicy that observes.
import type { Clock } from '../clock/clock.ts';
import type { Hosts } from '../hosts/actions/run.ts';
import { HostError } from '../hosts/host.ts';
import { tcpProber } from '../hosts/tcp-prober.ts';
import type { Outside } from '../outside.ts';
import { abilities, refused, unlisted } from './provider.ts';

const NO_HANDS = 'its MachineProvider is watchOnly: Drover has no way to act on this machine';

export function watchOnlyOutside(clock: Clock): Outside {
  const refuse = () => refused(NO_HANDS);
  return {
    provider: {
      describe: async () => ({ power: 'Unknown', console: [], can: abilities(NO_HANDS, {}) }),
      act: refuse,
      list: () => unlisted(NO_HANDS),
      eventLog: refuse,
      console: refuse,
      close: async () => {},
    },
    hosts: noHosts(NO_HANDS),
    prober: tcpProber(clock),
  };
}

/** Hosts that nobody has given us a way to. */
export function noHosts(why: string): Hosts {
  return {
    run: async () => {
      throw new HostError(why, 'Refused');
    },
  };
}
