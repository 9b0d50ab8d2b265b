// Machines that Drover may only look at: their owner has given it no way to their power yet. The way to begin
// on a real fleet, with a HealingPolicy that observes.
import type { Clock } from '../clock/clock.ts';
import { HostError } from '../hosts/host.ts';
import { tcpProber } from '../hosts/tcp-prober.ts';
import type { Outside } from '../outside.ts';
import { ProviderError } from './provider.ts';

const NO_HANDS = 'its MachineProvider is watchOnly: Drover has no way to act on this machine';

export function watchOnlyOutside(clock: Clock): Outside {
  const refuse = async () => {
    throw new ProviderError('Refused', NO_HANDS);
  };
  return {
    provider: {
      describe: async () => ({
        power: 'Unknown',
        console: [],
        capabilities: { nmi: false, powerCycle: false, console: false },
      }),
      reboot: refuse,
      powerCycle: refuse,
      powerOn: refuse,
      nmi: refuse,
    },
    hosts: {
      restartService: async () => {
        throw new HostError(NO_HANDS);
      },
      crashEvidence: async () => [],
    },
    prober: tcpProber(clock),
  };
}
