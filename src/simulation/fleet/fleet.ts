import type { Clock } from '../../platform/clock/clock.ts';
import type { Probe } from '../../platform/hosts/prober.ts';
import type { Outside } from '../../platform/outside.ts';
import {
  type Act,
  abilities,
  type Listed,
  type MaintenanceEvent,
  mustBeAble,
  ProviderError,
} from '../../platform/providers/provider.ts';
import { simulatedHosts } from './hosts.ts';
import { logStream } from './log-stream.ts';
import { type Boot, type Durations, SimulatedMachine } from './machine.ts';

export interface FleetOptions {
  clock: Clock;
  machines: number;
  zones?: number;
  machinesPerRack?: number;
  durations?: Durations;
}

/** Boots take three minutes, dumps one to three: what bare metal with 512 GB takes. */
export const REAL_DURATIONS: Durations = { boot_ms: [150_000, 200_000], dump_ms: [45_000, 150_000] };

/** An outside act, as the machine saw it: the truth that the invariants are judged by. */
export interface Struck {
  machine: string;
  at: number;
  act: Act;
  key: string;
  /** What the machine was doing when it was struck. */
  phase: SimulatedMachine['phase'];
  /** It ran, its services ran, its network worked: nothing called for this. */
  healthy: boolean;
}

/** How badly the provider behaves. */
export interface ProviderFaults {
  /** Share of acts that are done but whose answer is lost. */
  lostAnswers: number;
  /** Share of acts that never arrive, without an answer either. */
  lostCalls: number;
  down: boolean;
  /** It streams no events: its logs are read. */
  noStreams?: boolean;
}

/** What these machines can do. */
const CAN = abilities(true, {
  Release: 'a simulated machine has nobody to be given back to',
});
const PAGE_SIZE = 500;
const OFF = 'the power is off';

const MODELS = ['ebmc6', 'ebmg7', 'ebmhfc7'];

/** A fleet of simulated machines in zones and racks, and the faces that it shows to Drover. */
export class SimulatedFleet implements Outside {
  readonly clock: Clock;
  readonly machines = new Map<string, SimulatedMachine>();
  readonly racksDown = new Set<string>();
  readonly zonesDown = new Set<string>();
  readonly boots: Boot[] = [];
  readonly acts: Struck[] = [];
  /** Open events of maintenance. */
  readonly announced = new Map<string, MaintenanceEvent>();
  #events = 0;
  readonly providerFaults: ProviderFaults = { lostAnswers: 0, lostCalls: 0, down: false };
  /** Called when anything about a machine has changed. */
  readonly listeners = new Set<(machine: SimulatedMachine) => void>();
  readonly actListeners = new Set<(act: Struck) => void>();

  constructor(options: FleetOptions) {
    this.clock = options.clock;
    const zones = options.zones ?? 3;
    const perRack = options.machinesPerRack ?? 20;
    for (let index = 0; index < options.machines; index++) {
      const zone = `z${(index % zones) + 1}`;
      const rack = `r${String(Math.floor(index / zones / perRack) + 1).padStart(2, '0')}`;
      const name = `m${String(index + 1).padStart(5, '0')}`;
      const machine = new SimulatedMachine({
        name,
        place: { zone, rack },
        model: MODELS[Math.floor(index / zones / perRack) % MODELS.length] as string,
        clock: this.clock,
        durations: options.durations ?? REAL_DURATIONS,
        onBoot: (boot) => this.boots.push(boot),
        onChange: (changed) => {
          for (const listener of this.listeners) listener(changed);
        },
      });
      this.machines.set(name, machine);
    }
  }

  get(id: string): SimulatedMachine {
    const machine = this.machines.get(id);
    if (!machine) throw new ProviderError('NotFound', `there is no machine "${id}"`);
    return machine;
  }

  /** The machine's network reaches the rest of the world. */
  isConnected({ linkUp, place }: SimulatedMachine): boolean {
    return linkUp && !this.racksDown.has(rackOf(place)) && !this.zonesDown.has(place.zone);
  }

  /** Its kubelet runs and reaches the API server. */
  kubeletWorks(machine: SimulatedMachine): boolean {
    return machine.phase === 'Running' && machine.services.kubelet && this.isConnected(machine);
  }

  probeOne(machine: SimulatedMachine): Probe {
    if (!this.isConnected(machine)) return { ssh: 'Timeout', kubelet: 'Timeout' };
    if (machine.phase === 'Hung') return { ssh: 'Silent', kubelet: 'Silent' };
    if (machine.phase !== 'Running') return { ssh: 'Timeout', kubelet: 'Timeout' };
    return { ssh: 'Answers', kubelet: machine.services.kubelet ? 'Answers' : 'Refused' };
  }

  readonly prober: Outside['prober'] = {
    probe: async (targets) => targets.map(({ id }) => this.probeOne(this.get(id))),
  };

  readonly hosts: Outside['hosts'] = simulatedHosts(this);

  readonly provider: Outside['provider'] = {
    describe: async (id) => {
      const machine = this.#reachable(id);
      return {
        power: machine.phase === 'Off' ? 'Off' : 'On',
        console: machine.console.slice(-10),
        can: CAN,
      };
    },
    act: (id, act, key) => this.#act(id, act, key),
    list: async function* (this: SimulatedFleet) {
      for (let after = ''; ; ) {
        const page = this.page(after);
        yield page.machines;
        if (page.next === null) return;
        after = page.next;
      }
    }.bind(this),
    eventLog: async (id) => [...this.#reachable(id).eventLog],
    events: async (id, signal) => {
      const machine = this.#reachable(id);
      if (this.providerFaults.noStreams) throw new ProviderError('Refused', 'it streams no events');
      return logStream(machine, signal);
    },
    console: async (id) => this.#reachable(id).console,
    maintenance: {
      open: async () => {
        this.#checkProvider();
        return [...this.announced.values()];
      },
      accept: async (id) => {
        this.#checkProvider();
        const event = this.announced.get(id);
        if (!event) throw new ProviderError('NotFound', `there is no event ${id}`);
        this.announced.set(id, { ...event, state: 'Scheduled', canAccept: false });
      },
    },
    close: async () => {},
  };

  /** Its owner wants the machine rebooted, or moved. An act through the provider closes it. */
  announce(machine: string, does: 'Reboot' | 'Redeploy'): void {
    const id = `e-${machine}-${this.#events++}`;
    this.announced.set(id, {
      id,
      machine,
      type: does === 'Reboot' ? 'SystemMaintenance.Reboot' : 'SystemFailure.Redeploy',
      does,
      state: does === 'Reboot' ? 'Scheduled' : 'Inquiring',
      reason: does === 'Reboot' ? 'maintenance of the host' : 'the hardware fails',
      canAccept: does === 'Redeploy',
    });
  }

  /** The next machines in the order of their names. `next` is null on the last page. */
  page(after: string): { machines: Listed[]; next: string | null } {
    this.#checkProvider();
    const names = [...this.machines.keys()].filter((name) => name > after);
    const machines = names.slice(0, PAGE_SIZE).map((name) => {
      const { model, place, phase } = this.get(name);
      return { id: name, name, model, zone: place.zone, power: phase === 'Off' ? 'Off' : 'On' } as const;
    });
    return { machines, next: names.length > PAGE_SIZE ? (machines.at(-1)?.id ?? null) : null };
  }

  async #act(id: string, act: Act, key: string): Promise<void> {
    const machine = this.#reachable(id);
    mustBeAble(CAN, act);
    await this.clock.sleep(200 + this.clock.random() * 800);
    if (this.clock.random() < this.providerFaults.lostCalls)
      throw new ProviderError('Unknown', 'the connection was cut');
    const phase = machine.phase;
    const healthy = this.kubeletWorks(machine) && machine.services.containerd;
    strikeWith(machine, act, key);
    for (const event of this.announced.values())
      if (event.machine === id && closes(act, event)) this.announced.delete(event.id);
    const record = { machine: id, at: this.clock.now(), act, key, phase, healthy };
    this.acts.push(record);
    for (const listener of this.actListeners) listener(record);
    if (this.clock.random() < this.providerFaults.lostAnswers)
      throw new ProviderError('Unknown', 'the connection was cut before the answer');
  }

  /** BMCs have a network of their own, which a rack switch does not take down, but a zone does. */
  #reachable(id: string): SimulatedMachine {
    const machine = this.get(id);
    this.#checkProvider();
    if (this.zonesDown.has(machine.place.zone))
      throw new ProviderError('TryAgain', `no route to the BMCs of ${machine.place.zone}`);
    return machine;
  }

  #checkProvider(): void {
    if (this.providerFaults.down) throw new ProviderError('TryAgain', 'the provider does not answer');
  }
}

function closes(act: Act, { does }: MaintenanceEvent): boolean {
  return (
    act === 'Redeploy' ||
    (does === 'Reboot' && (act === 'Reboot' || act === 'ForceReboot' || act === 'PowerCycle'))
  );
}

/** What an act does to the machine; throws where the machine takes no such act now. */
function strikeWith(machine: SimulatedMachine, act: Act, key: string): void {
  const isOff = machine.phase === 'Off';
  if (isOff && (act === 'Reboot' || act === 'ForceReboot')) throw new ProviderError('Refused', OFF);
  if (act === 'Reboot' && machine.phase !== 'Running')
    throw new ProviderError('Refused', 'the operating system does not answer');
  if (act === 'Nmi') machine.interrupt();
  else if (act === 'PowerOff') machine.powerOff();
  else if (act === 'Redeploy') machine.redeploy(key);
  else if (act !== 'PowerOn' || isOff) machine.boot(key);
}

/** Racks are numbered anew in each zone. */
export function rackOf(place: { zone: string; rack: string }): string {
  return `${place.zone}/${place.rack}`;
}
