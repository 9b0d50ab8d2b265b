// All that one region of the stand-in knows: instances, what is for sale, orders, system events.
import type { Clock, Timer } from '../../platform/clock/clock.ts';
import { ApiError } from './api-error.ts';
import { type EcsMachine, type MachineFor, madeUpMachine } from './ecs-machine.ts';
import type { SystemEvent } from './events.ts';
import type { Account } from './signature.ts';

export type Status = 'Pending' | 'Starting' | 'Running' | 'Stopping' | 'Stopped';

export interface Instance {
  id: string;
  /** Rising; the order of the list. */
  number: number;
  owner: string;
  name: string;
  type: string;
  zone: string;
  status: Status;
  tags: Map<string, string>;
  createdAt: number;
  startedAt: number;
  /** Before this nobody is shown it. */
  visibleAt: number;
  address: string;
  serial: string;
  deletionProtection: boolean;
  isLocked: boolean;
  /** The order that made it. */
  token: string | undefined;
  machine: EcsMachine;
  pending: Timer | undefined;
}

/** An instance type as it is sold. */
export interface TypeFacts {
  name: string;
  vcpus: number;
  memory_gib: number;
  enis: number;
  disks: number;
  pps: number;
  bandwidth_kbps: number;
  localDisks?: { count: number; size_gib: number };
  gpus?: number;
  architecture?: 'X86' | 'ARM';
}

/** How long each takes, in milliseconds of the stand-in's clock. */
export interface Durations {
  /** Until a new instance is shown to anybody. */
  visible_ms: number;
  pending_ms: number;
  starting_ms: number;
  stopping_ms: number;
  rebooting_ms: number;
  redeploying_ms: number;
  /** From a call of RunInstances until its answer. */
  order_ms: number;
  /** A system event in Executing. */
  executing_ms: number;
  command_ms: number;
}

const DURATIONS: Durations = {
  visible_ms: 3_000,
  pending_ms: 5_000,
  starting_ms: 20_000,
  stopping_ms: 8_000,
  rebooting_ms: 30_000,
  redeploying_ms: 60_000,
  order_ms: 0,
  executing_ms: 30_000,
  command_ms: 500,
};

export interface CloudOptions {
  clock: Clock;
  region: string;
  zones: readonly string[];
  types: readonly TypeFacts[];
  /** vSwitch id to zone; `vsw-ZONE` for each zone without. */
  vSwitches?: Readonly<Record<string, string>>;
  durations?: Partial<Durations>;
  machineFor?: MachineFor;
  /** Draws ids. */
  seed?: number;
}

/** What one call made of one type in one zone: for tests. */
export interface OrderMade {
  token: string | undefined;
  type: string;
  zone: string;
  asked: number;
  ids: readonly string[];
  at: number;
}

export class Cloud {
  readonly clock: Clock;
  readonly region: string;
  readonly zones: readonly string[];
  readonly types: ReadonlyMap<string, TypeFacts>;
  readonly vSwitches: ReadonlyMap<string, string>;
  readonly durations: Durations;
  /** Those that are there, oldest first. */
  readonly instances = new Map<string, Instance>();
  /** Ids of those given back. */
  readonly released: string[] = [];
  readonly orders: OrderMade[] = [];
  readonly events = new Map<string, SystemEvent>();
  /** Of ClientTokens, by owner, action and token. */
  readonly answers = new Map<string, { print: string; answer: Promise<unknown>; isDone: boolean }>();
  readonly invocations = new Map<string, unknown[]>();
  readonly reports: { instance: string; reason: string; description: string }[] = [];
  readonly #machineFor: MachineFor;
  readonly #stock = new Map<string, number>();
  #number = 0;

  constructor(options: CloudOptions) {
    this.clock = options.clock;
    this.region = options.region;
    this.zones = options.zones;
    this.types = new Map(options.types.map((type) => [type.name, type]));
    this.vSwitches = new Map(
      Object.entries(
        options.vSwitches ?? Object.fromEntries(options.zones.map((zone) => [`vsw-${zone}`, zone])),
      ),
    );
    this.durations = { ...DURATIONS, ...options.durations };
    this.#machineFor = options.machineFor ?? madeUpMachine;
  }

  /** How many are left; Infinity where nobody said. */
  stock(zone: string, type: string): number {
    return this.#stock.get(`${zone}/${type}`) ?? Number.POSITIVE_INFINITY;
  }

  setStock(zone: string, type: string, count: number): void {
    this.#stock.set(`${zone}/${type}`, count);
  }

  nextNumber(): number {
    return ++this.#number;
  }

  /** Makes one, in Pending. Its stock is the caller's business. */
  add(
    made: Pick<Instance, 'owner' | 'name' | 'type' | 'zone' | 'tags' | 'token' | 'deletionProtection'>,
  ): Instance {
    const number = this.nextNumber();
    const { clock, durations } = this;
    const now = clock.now();
    const id = `i-${this.region.replaceAll(/[^a-z0-9]/g, '').slice(0, 6)}${number.toString(36).padStart(14, '0')}`;
    const instance: Instance = {
      ...made,
      id,
      number,
      status: 'Pending',
      createdAt: now,
      startedAt: now,
      visibleAt: now + durations.visible_ms,
      address: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
      serial: `serial-${number}`,
      isLocked: false,
      machine: this.#machineFor({ id, name: made.name, type: made.type, zone: made.zone }),
      pending: undefined,
    };
    this.instances.set(id, instance);
    this.after(instance, durations.pending_ms, () => this.starts(instance));
    return instance;
  }

  /** One that was there before anybody asked, and runs. */
  adopt(made: Parameters<Cloud['add']>[0]): Instance {
    const instance = this.add(made);
    instance.pending?.cancel();
    instance.pending = undefined;
    instance.machine.start();
    return Object.assign(instance, { status: 'Running', visibleAt: 0 } as const);
  }

  /** Power comes now, the operating system after its time. */
  starts(instance: Instance): void {
    instance.status = 'Starting';
    instance.machine.start();
    this.runsAfter(instance, this.durations.starting_ms);
  }

  runsAfter(instance: Instance, delay_ms: number): void {
    this.after(instance, delay_ms, () => {
      instance.status = 'Running';
      instance.startedAt = this.clock.now();
    });
  }

  /** The next change of its status; one that was to come is forgotten. */
  after(instance: Instance, delay_ms: number, change: () => void): void {
    instance.pending?.cancel();
    instance.pending = this.clock.timer(delay_ms, change);
  }

  remove(instance: Instance): void {
    instance.pending?.cancel();
    instance.machine.release();
    this.instances.delete(instance.id);
    this.released.push(instance.id);
    const left = this.stock(instance.zone, instance.type);
    if (Number.isFinite(left)) this.setStock(instance.zone, instance.type, left + 1);
  }

  /** What this account is shown now. */
  sees(account: Account, instance: Instance): boolean {
    return instance.owner === ownerOf(account) && instance.visibleAt <= this.clock.now();
  }

  /** Throws where the account is shown none of this id. */
  instance(account: Account, id: string): Instance {
    const instance = this.instances.get(id);
    if (!instance || !this.sees(account, instance))
      throw new ApiError('InvalidInstanceId.NotFound', `The specified InstanceId does not exist: ${id}.`);
    return instance;
  }

  countOf(owner: string): number {
    let count = 0;
    for (const instance of this.instances.values()) if (instance.owner === owner) count++;
    return count;
  }

  /** Ends all that would still happen. */
  end(): void {
    for (const instance of this.instances.values()) instance.pending?.cancel();
    for (const event of this.events.values()) event.pending?.cancel();
  }
}

export const ownerOf = ({ owner }: Account): string => owner ?? 'main';

/** As the API writes times: to the minute, for instances. */
export function minuteOf(epoch_ms: number): string {
  return `${new Date(epoch_ms).toISOString().slice(0, 16)}Z`;
}
