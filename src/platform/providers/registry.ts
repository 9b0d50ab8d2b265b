import type { MachineProvider } from '../../api/machine-provider.ts';
import type { Clock } from '../clock/clock.ts';
import { limiter } from '../limits.ts';
import type { Outside } from '../outside.ts';
import { simulatedOutside } from './simulated.ts';
import { watchOnlyOutside } from './watch-only.ts';

/** Opens the ways to one provider's machines. The spec has been checked by its schema. */
function openOutside({ spec: { simulated, watchOnly } }: MachineProvider, clock: Clock): Outside {
  if (simulated) return simulatedOutside(simulated.endpoint);
  if (watchOnly) return watchOnlyOutside(clock);
  throw new Error('spec names none of the kinds that this version knows: simulated, watchOnly');
}

/** Keeps one Outside for each MachineProvider, behind that provider's limits. */
export class Outsides {
  readonly #clock: Clock;
  readonly #open: (provider: MachineProvider, clock: Clock) => Outside;
  readonly #opened = new Map<string, { of: string; outside: Outside }>();

  constructor(clock: Clock, open: (provider: MachineProvider, clock: Clock) => Outside = openOutside) {
    this.#clock = clock;
    this.#open = open;
  }

  get(provider: MachineProvider): Outside {
    const of = `${provider.metadata.uid}/${provider.metadata.generation}`;
    const present = this.#opened.get(provider.metadata.name);
    if (present?.of === of) return present.outside;
    const outside = this.#limited(this.#open(provider, this.#clock), provider);
    this.#opened.set(provider.metadata.name, { of, outside });
    return outside;
  }

  #limited({ provider, hosts, prober }: Outside, { spec }: MachineProvider): Outside {
    const run = limiter(this.#clock, {
      perSecond: spec.limits.callsPerSecond,
      concurrent: spec.limits.concurrentCalls,
    });
    return {
      provider: {
        describe: (id) => run(() => provider.describe(id)),
        reboot: (id, mode, key) => run(() => provider.reboot(id, mode, key)),
        powerCycle: (id, key) => run(() => provider.powerCycle(id, key)),
        powerOn: (id, key) => run(() => provider.powerOn(id, key)),
        nmi: (id, key) => run(() => provider.nmi(id, key)),
      },
      hosts,
      prober,
    };
  }
}
