import { crashDumpOf, type Machine } from '../api/machine.ts';
import type { Clusters } from '../fleet/clusters.ts';
import { type Clock, MINUTE } from '../platform/clock/clock.ts';
import { LEASES, type Lease } from '../platform/kube/objects.ts';
import type { Outside } from '../platform/outside.ts';
import type { LogEntry, Provider } from '../platform/providers/provider.ts';
import { sideBySide } from '../platform/side-by-side.ts';
import { type Belief, isLost, isSuspect } from './belief.ts';
import type { Beliefs } from './beliefs.ts';
import { BEFORE_MS, signOfLastWords } from './last-words.ts';

/** A suspect's power, console and lease are read this often. */
export const READ_MS = 5_000;
/** Leases read at once: a zone that goes dark must not become a storm on the API. */
const LEASES_MAX = 32;
/** Machines whose provider is asked at once, all providers together; each has limits of its own. */
const PROVIDERS_MAX = 256;
/** For so long after the first symptom a BMC's log is read with its power. */
const LOG_READ_MS = 3 * MINUTE;
const NODE_LEASES = 'kube-node-lease';

export interface Readers {
  clock: Clock;
  beliefs: Beliefs;
  clusters: Clusters;
  machine(name: string): Machine | undefined;
  outside(machine: Machine): Outside | undefined;
  /** What came over netconsole from this address since then. */
  netconsole(address: string, since: number): readonly string[];
  /** Told each time a provider was asked: what it threw, if anything. */
  onAnswer(machine: string, error: unknown): void;
  onError(machine: string, error: unknown): void;
}

/**
 * Asks the second and third witness about machines under suspicion: the API server of the lease, the provider of power
 * and console. A pass waits for the leases only: a BMC that takes ten seconds to fail delays no other machine.
 */
export class Suspects {
  readonly #readers: Readers;
  /** Machines whose provider is being asked. */
  readonly #asked = new Set<string>();
  /** When each was asked last: who has waited longest is next. */
  readonly #askedAt = new Map<string, number>();

  constructor(readers: Readers) {
    this.#readers = readers;
  }

  async read(): Promise<void> {
    const { beliefs, clock } = this.#readers;
    const suspects: Belief[] = [];
    for (const belief of beliefs.all()) {
      if (isSuspect(belief, clock.now())) suspects.push(belief);
      else if (belief.power || belief.lease) beliefs.forgetReadings(belief.machine);
    }
    const names = new Set(suspects.map(({ machine }) => machine));
    for (const name of this.#askedAt.keys()) if (!names.has(name)) this.#askedAt.delete(name);
    this.#askProviders(suspects);
    await sideBySide(suspects, LEASES_MAX, (belief) => readLease(this.#readers, belief));
  }

  #askProviders(suspects: readonly Belief[]): void {
    const since = ({ machine }: Belief) => this.#askedAt.get(machine) ?? 0;
    const next = suspects
      .filter(({ machine }) => !this.#asked.has(machine))
      .sort((a, b) => since(a) - since(b));
    for (const belief of next.slice(0, PROVIDERS_MAX - this.#asked.size)) {
      this.#asked.add(belief.machine);
      this.#askedAt.set(belief.machine, this.#readers.clock.now());
      void readProvider(this.#readers, belief).finally(() => this.#asked.delete(belief.machine));
    }
  }
}

async function readLease(readers: Readers, belief: Belief): Promise<void> {
  const member = readers.clusters.get(belief.cluster);
  if (!member) return;
  try {
    const lease = await member.client.get<Lease>(LEASES, belief.node, NODE_LEASES);
    readers.beliefs.setLease(belief.machine, lease?.spec?.renewTime ?? '');
  } catch (error) {
    readers.onError(belief.machine, error);
  }
}

async function readProvider(readers: Readers, belief: Belief): Promise<void> {
  const { beliefs, onAnswer, onError } = readers;
  const machine = readers.machine(belief.machine);
  const outside = machine && readers.outside(machine);
  if (!machine || !outside) return;
  try {
    const reading = await outside.provider.describe(machine.spec.provider.id);
    onAnswer(belief.machine, undefined);
    const isMute = reading.console.length === 0 && reading.power === 'On' && isLost(belief);
    // What its last words were taken for holds until it answers, or says something else.
    beliefs.setReading(belief.machine, reading, isMute ? belief.console?.value : undefined);
    if (isMute)
      await readLastWords(readers, belief, machine, outside.provider, reading.can.EventLog === true);
  } catch (error) {
    onAnswer(belief.machine, error);
    onError(belief.machine, error);
  }
}

/** A machine that answers nothing and whose console nobody shows: its last words came by other ways. */
async function readLastWords(
  { beliefs, netconsole, clock, onError }: Readers,
  belief: Belief,
  machine: Machine,
  provider: Provider,
  hasLog: boolean,
): Promise<void> {
  const known = belief.console?.value;
  if (belief.sickSince === undefined || known === 'Panicked' || known === 'Dumping') return;
  const from = belief.sickSince - BEFORE_MS;
  const lines = netconsole(belief.nodeFace?.address ?? '', from);
  let log: readonly LogEntry[] = [];
  // What the log says of this trouble, it says within its first minutes; it is no console to be read on and on.
  if (hasLog && clock.now() - belief.sickSince < LOG_READ_MS) {
    try {
      log = await provider.eventLog(machine.spec.provider.id);
    } catch (error) {
      onError(belief.machine, error);
    }
  }
  const sign = signOfLastWords({ lines, log, from, crashDump: crashDumpOf(machine) });
  if (sign !== 'None') beliefs.setLastWords(belief.machine, sign);
}
