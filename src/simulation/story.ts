import type { disruptionBudgetKind } from '../api/disruption-budget.ts';
import { disruptionBudgetKind as budgets } from '../api/disruption-budget.ts';
import { type Incident, incidentKind } from '../api/incident.ts';
import { machineKind } from '../api/machine.ts';
import { HOUR, MINUTE, SECOND } from '../platform/clock/clock.ts';
import { seededRandom } from '../platform/clock/random.ts';
import { type KubeObject, NODES } from '../platform/kube/objects.ts';
import { canStrike, type Fault, type FaultKind, strike } from './fleet/faults.ts';
import type { Invariants } from './invariants.ts';
import type { Replica, World } from './world.ts';

const MANAGER = 'person';

/** How often each thing happens, in an hour of a fleet of 36; all drawn from the seed. */
const RATES: readonly { what: FaultKind | Misfortune; perHour: number }[] = [
  { what: 'crash', perHour: 0.5 },
  { what: 'crash-dump', perHour: 0.5 },
  { what: 'hang', perHour: 0.4 },
  { what: 'power-loss', perHour: 0.2 },
  { what: 'kubelet', perHour: 0.7 },
  { what: 'runtime', perHour: 0.4 },
  { what: 'cable', perHour: 0.15 },
  { what: 'rack-switch', perHour: 0.08 },
  { what: 'zone', perHour: 0.03 },
  { what: 'slow-clock', perHour: 0.1 },
  { what: 'storm', perHour: 0.04 },
  { what: 'blind', perHour: 0.1 },
  { what: 'frozen', perHour: 0.1 },
  { what: 'dropped', perHour: 0.3 },
  { what: 'kill', perHour: 0.3 },
  { what: 'kill-in-act', perHour: 0.2 },
  { what: 'flaky-provider', perHour: 0.15 },
  { what: 'cordon', perHour: 0.3 },
  { what: 'lock', perHour: 0.2 },
  { what: 'freeze', perHour: 0.05 },
  { what: 'reboot-wish', perHour: 0.4 },
];

/** What happens beside machines' own faults: to Drover, to its provider, by people. */
type Misfortune =
  | 'storm'
  | 'blind'
  | 'frozen'
  | 'dropped'
  | 'kill'
  | 'kill-in-act'
  | 'flaky-provider'
  | 'cordon'
  | 'lock'
  | 'freeze'
  | 'reboot-wish';

const PEOPLES: ReadonlySet<string> = new Set(['cordon', 'lock', 'reboot-wish']);

/** From the call until a person stands before the machine. */
const PERSON_MS = 30 * MINUTE;

/** Keeps two replicas running and lets things happen until told to stop; then mends all that people would mend. */
export class Story {
  readonly faults: Fault[] = [];
  readonly #world: World;
  readonly #invariants: Invariants;
  readonly #replicas: Replica[];
  readonly #restart: () => Replica;
  /** Its own generator: what Drover draws must not change what happens to it. */
  readonly #random: () => number;
  #ended = false;

  constructor(options: { world: World; invariants: Invariants; seed: number; restart: () => Replica }) {
    this.#world = options.world;
    this.#invariants = options.invariants;
    this.#random = seededRandom(options.seed ^ 0x5eed);
    this.#restart = options.restart;
    this.#replicas = [options.restart(), options.restart()];
  }

  get replicas(): readonly Replica[] {
    return this.#replicas;
  }

  async run(): Promise<void> {
    const { clock } = this.#world;
    const total = RATES.reduce((sum, { perHour }) => sum + perHour, 0);
    while (!this.#ended) {
      await clock.sleep((-Math.log(1 - this.#random()) * HOUR) / total);
      if (!this.#ended) await this.#happen(this.#draw(total)).catch(() => undefined);
    }
  }

  /** People come to the machines that they were called to. Goes on after the end: they still have to. */
  async attend(): Promise<void> {
    const { clock, fleet, admin } = this.#world;
    for (;;) {
      await clock.sleep(PERSON_MS / 3);
      const { items } = await admin.list<KubeObject & Incident>(incidentKind.resource);
      for (const { spec, status } of items) {
        if (status?.endedAt || !status?.escalatedAt) continue;
        if (clock.now() - Date.parse(status.escalatedAt) >= PERSON_MS) fleet.get(spec.machine).repair();
      }
    }
  }

  /** No more happens, and what only people can mend is mended. */
  async end(): Promise<void> {
    this.#ended = true;
    const { fleet, admin } = this.#world;
    Object.assign(fleet.providerFaults, { lostAnswers: 0, lostCalls: 0, down: false });
    fleet.racksDown.clear();
    fleet.zonesDown.clear();
    for (const machine of fleet.machines.values()) if (!machine.linkUp) machine.setLink(true);
    for (const replica of this.#replicas) this.#heal(replica);
    await this.#patchBudget({ freezes: [] });
    for (const machine of fleet.machines.keys()) await this.#lock(machine, false);
    for (const name of this.#invariants.humanCordons) {
      this.#invariants.humanCordons.delete(name);
      await admin.mergePatch(NODES, name, { spec: { unschedulable: null } }, { fieldManager: MANAGER });
    }
  }

  #draw(total: number): FaultKind | Misfortune {
    let left = this.#random() * total;
    for (const { what, perHour } of RATES) {
      left -= perHour;
      if (left < 0) return what;
    }
    return 'crash';
  }

  async #happen(what: FaultKind | Misfortune): Promise<void> {
    const { clock, fleet, admin } = this.#world;
    const machine = PEOPLES.has(what) ? this.#pickForPerson() : this.#pick();
    const later = (least_ms: number, most_ms: number, undo: () => void) =>
      clock.timer(least_ms + this.#random() * (most_ms - least_ms), undo);
    const replica = this.#replicas[Math.floor(this.#random() * this.#replicas.length)] as Replica;
    const { identity } = replica.drover.election;
    switch (what) {
      case 'storm':
        for (let count = 0; count < 10; count++) this.#strike('crash', this.#pick());
        return;
      case 'blind':
        replica.faults.unreachable = true;
        this.#invariants.blindSince.set(identity, clock.now());
        later(20 * SECOND, 10 * MINUTE, () => this.#heal(replica));
        return;
      case 'frozen':
        replica.faults.frozenWatches = true;
        this.#invariants.blindSince.set(identity, clock.now());
        later(MINUTE, 8 * MINUTE, () => this.#heal(replica));
        return;
      case 'dropped':
        replica.faults.dropWatches();
        return;
      case 'kill':
        this.#kill(replica);
        later(SECOND, MINUTE, () => this.#replicas.push(this.#restart()));
        return;
      case 'kill-in-act':
        this.#killInAct();
        this.#strike('crash', this.#pick());
        return;
      case 'flaky-provider':
        Object.assign(fleet.providerFaults, { lostAnswers: 0.3, lostCalls: 0.2, down: this.#random() < 0.3 });
        for (let count = 0; count < 2; count++) this.#strike('crash', this.#pick());
        await this.#wishReboot(this.#pick());
        later(MINUTE, 20 * MINUTE, () =>
          Object.assign(fleet.providerFaults, { lostAnswers: 0, lostCalls: 0, down: false }),
        );
        return;
      case 'cordon': {
        const node = await admin.get<{
          apiVersion: string;
          kind: string;
          metadata: { name: string };
          spec?: { unschedulable?: boolean };
        }>(NODES, machine);
        if (node?.spec?.unschedulable) return;
        await admin.mergePatch(NODES, machine, { spec: { unschedulable: true } }, { fieldManager: MANAGER });
        this.#invariants.humanCordons.add(machine);
        later(10 * MINUTE, 60 * MINUTE, () => void this.#uncordon(machine));
        return;
      }
      case 'lock':
        await this.#lock(machine, true);
        later(10 * MINUTE, 40 * MINUTE, () => void this.#lock(machine, false));
        return;
      case 'freeze': {
        const stamp = (at: number) => new Date(at).toISOString();
        const end = clock.now() + 20 * MINUTE;
        await this.#patchBudget({ freezes: [{ from: stamp(clock.now()), to: stamp(end), why: 'an event' }] });
        return;
      }
      case 'reboot-wish':
        await this.#wishReboot(machine);
        return;
      default:
        this.#strike(what, machine);
    }
  }

  #strike(kind: FaultKind, name: string): void {
    const { fleet } = this.#world;
    if (!canStrike(fleet, fleet.get(name))) return;
    // A new power supply takes a person longer than a cable.
    const lasts_ms = (kind === 'power-loss' ? 20 : 2) * MINUTE + this.#random() * 10 * MINUTE;
    this.faults.push(strike(fleet, kind, name, { lasts_ms, stubborn: this.#random() < 0.2 }));
  }

  #pick(): string {
    const names = [...this.#world.fleet.machines.keys()];
    return names[Math.floor(this.#random() * names.length)] as string;
  }

  /** People look at machines in trouble more than at others. */
  #pickForPerson(): string {
    const { fleet } = this.#world;
    const sick = [...fleet.machines.values()].filter(
      (machine) => !fleet.kubeletWorks(machine) || !machine.services.containerd,
    );
    const isSick = this.#random() < 0.4;
    const chosen = sick[Math.floor(this.#random() * sick.length)];
    return isSick && chosen ? chosen.name : this.#pick();
  }

  async #wishReboot(machine: string): Promise<void> {
    const { admin, clock } = this.#world;
    const patch = { spec: { desired: { rebootedAfter: new Date(clock.now()).toISOString() } } };
    await admin.mergePatch(machineKind.resource, machine, patch, { fieldManager: MANAGER });
  }

  /** The worst moment to die: the machine has been struck, and the answer has not been written. */
  #killInAct(): void {
    const { fleet, clock } = this.#world;
    const onAct = () => {
      fleet.actListeners.delete(onAct);
      for (const replica of [...this.#replicas]) {
        if (!replica.drover.election.isLeader()) continue;
        this.#kill(replica);
        clock.timer(SECOND, () => this.#replicas.push(this.#restart()));
      }
    };
    fleet.actListeners.add(onAct);
  }

  #kill(replica: Replica): void {
    replica.kill();
    this.#replicas.splice(this.#replicas.indexOf(replica), 1);
  }

  #heal(replica: Replica): void {
    replica.faults.unreachable = false;
    replica.faults.frozenWatches = false;
    this.#invariants.blindSince.delete(replica.drover.election.identity);
  }

  async #uncordon(name: string): Promise<void> {
    if (!this.#invariants.humanCordons.delete(name)) return;
    await this.#world.admin
      .mergePatch(NODES, name, { spec: { unschedulable: null } }, { fieldManager: MANAGER })
      .catch(() => undefined);
  }

  async #lock(name: string, isLocked: boolean): Promise<void> {
    const locked = isLocked ? { by: 'mei', why: 'looking at its DIMMs' } : null;
    await this.#world.admin
      .mergePatch(machineKind.resource, name, { spec: { desired: { locked } } }, { fieldManager: MANAGER })
      .catch(() => undefined);
    this.#invariants.locked(name, isLocked);
  }

  async #patchBudget(spec: Partial<(typeof disruptionBudgetKind)['spec']['_output']>): Promise<void> {
    await this.#world.admin.mergePatch(budgets.resource, 'default', { spec }, { fieldManager: MANAGER });
  }
}
