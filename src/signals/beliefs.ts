import type { HealingPolicy } from '../api/healing-policy.ts';
import type { Machine } from '../api/machine.ts';
import { labelsOf, nodeNameOf } from '../fleet/labels.ts';
import type { NodeView } from '../fleet/node-view.ts';
import { policyForLabels } from '../fleet/policies.ts';
import { type Clock, MINUTE } from '../platform/clock/clock.ts';
import type { Probe } from '../platform/hosts/prober.ts';
import type { LogEntry, MaintenanceEvent, Reading } from '../platform/providers/provider.ts';
import { type Belief, type ConsoleSign, hardwareFails, isBroken, observed } from './belief.ts';
import { consoleSign } from './console.ts';
import { signOf, troubleAfter } from './hardware-signs.ts';
import { type CompiledRules, compileRules } from './rules.ts';
import { symptomsOf } from './symptoms.ts';

/** From a panic's entry until patrol must have met it: a kernel that dies takes some seconds to fall silent. */
const ALERT_MS = MINUTE;

/**
 * All beliefs, in memory, by machine. They are this replica's own observations: after a restart every
 * duration begins anew, which can only make us slower to act, never quicker.
 */
export class Beliefs {
  readonly #clock: Clock;
  readonly #beliefs = new Map<string, Belief>();
  readonly #machineOfNode = new Map<string, string>();
  readonly #listeners = new Set<(machine: string) => void>();
  #policies: readonly HealingPolicy[] = [];
  #rules: ReadonlyMap<string, CompiledRules> = new Map();
  /** Whether an operation of ours explains a reboot of this machine now. */
  readonly #isPlanned: (machine: string) => boolean;

  constructor(clock: Clock, isPlanned: (machine: string) => boolean) {
    this.#clock = clock;
    this.#isPlanned = isPlanned;
  }

  get(machine: string): Belief | undefined {
    return this.#beliefs.get(machine);
  }

  all(): Iterable<Belief> {
    return this.#beliefs.values();
  }

  get size(): number {
    return this.#beliefs.size;
  }

  /** Calls `listener` whenever something is seen of a machine that is, or just was, in trouble, or for the first time; returns how to stop. */
  subscribe(listener: (machine: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes the policies as they are now: the rules of each are compiled once, and given to the machines it selects. */
  setPolicies(policies: readonly HealingPolicy[]): void {
    this.#policies = policies;
    this.#rules = new Map(policies.map((policy) => [policy.metadata.name, compileRules(policy)]));
    for (const belief of this.#beliefs.values()) this.#giveRules(belief);
  }

  /** What is wrong with the rules of a policy. */
  wrongRules(policy: string): readonly string[] {
    return this.#rules.get(policy)?.wrong ?? [];
  }

  #giveRules(belief: Belief): void {
    const policy = policyForLabels(belief.labels, this.#policies);
    const rules = (policy && this.#rules.get(policy.metadata.name)?.rules) ?? [];
    const known = belief.ruleSince;
    delete belief.rules;
    delete belief.ruleSince;
    if (rules.length === 0) return;
    belief.rules = rules;
    // What has held goes on holding: an edit of one rule does not begin the others anew.
    belief.ruleSince = new Map(
      [...(known ?? [])].filter(([name]) => rules.some((rule) => rule.name === name)),
    );
  }

  machineOf(cluster: string, node: string): string | undefined {
    return this.#machineOfNode.get(`${cluster}/${node}`);
  }

  setMachine(name: string, machine: Machine | undefined, node: NodeView | undefined): void {
    const present = this.#beliefs.get(name);
    if (present) this.#machineOfNode.delete(`${present.cluster}/${present.node}`);
    if (!machine) {
      this.#beliefs.delete(name);
      return;
    }
    const nodeName = nodeNameOf(machine);
    this.#machineOfNode.set(`${machine.spec.cluster}/${nodeName}`, name);
    const now = this.#clock.now();
    const facts = {
      cluster: machine.spec.cluster,
      node: nodeName,
      location: machine.spec.location,
      labels: labelsOf(machine),
      model: machine.spec.model ?? '',
    };
    if (present && present.node === nodeName && present.cluster === machine.spec.cluster)
      Object.assign(present, facts);
    else {
      this.#beliefs.set(name, {
        machine: name,
        ...facts,
        ready: { value: 'Unknown', since: now },
        boot: { value: '', since: now },
      });
    }
    this.#giveRules(this.#beliefs.get(name) as Belief);
    this.setNode(name, node);
  }

  setNode(name: string, node: NodeView | undefined): void {
    const belief = this.#beliefs.get(name);
    if (!belief) return;
    const now = this.#clock.now();
    if (!node) {
      delete belief.nodeFace;
      belief.ready = observed(belief.ready, 'Unknown', now);
    } else {
      belief.nodeFace = node;
      belief.ready = observed(belief.ready, node.ready, now);
      if (node.conditions.DiskPressure === 'True') belief.diskPressure ??= now;
      else delete belief.diskPressure;
      if (node.bootID !== '' && node.bootID !== belief.boot.value) {
        // The first boot id that we see is no news: it may be a year old.
        if (belief.boot.value !== '' && !this.#isPlanned(name)) belief.rebootedAt = now;
        // What the log said was of the boot before; what is still broken, its BMC still says.
        if (belief.boot.value !== '' && !isBroken(belief.health?.value ?? '')) delete belief.hardware;
        belief.boot = { value: node.bootID, since: now };
      }
    }
    this.#judge(belief);
  }

  setProbe(name: string, probe: Probe): void {
    const belief = this.#beliefs.get(name);
    if (!belief) return;
    const now = this.#clock.now();
    belief.ssh = observed(belief.ssh, probe.ssh, now);
    belief.kubelet = observed(belief.kubelet, probe.kubelet, now);
    const isFirst = belief.probedAt === undefined;
    belief.probedAt = now;
    this.#judge(belief, isFirst);
  }

  /** @param sign what its last words say, where the provider shows no console */
  setReading(name: string, reading: Reading, sign = consoleSign(reading.console)): void {
    const belief = this.#beliefs.get(name);
    if (!belief) return;
    const readAt = this.#clock.now();
    belief.power = { ...observed(belief.power, reading.power, readAt), readAt };
    belief.console = { ...observed(belief.console, sign, readAt), readAt };
    belief.can = reading.can;
    belief.health = { value: reading.health ?? '', readAt };
    if (reading.maintenance) belief.maintenance = reading.maintenance;
    else delete belief.maintenance;
    if (reading.announced) belief.announced = reading.announced;
    else delete belief.announced;
    this.#judge(belief);
  }

  /** What a machine without a console has said at its end. */
  setLastWords(name: string, sign: ConsoleSign): void {
    const belief = this.#beliefs.get(name);
    if (!belief) return;
    const readAt = this.#clock.now();
    belief.console = { ...observed(belief.console, sign, readAt), readAt };
    this.#judge(belief);
  }

  /** New entries of its hardware's log. */
  setLogEntries(name: string, news: readonly LogEntry[]): void {
    const belief = this.#beliefs.get(name);
    if (!belief) return;
    const now = this.#clock.now();
    if (news.some((entry) => signOf(entry) === 'Stopped')) belief.alertUntil = now + ALERT_MS;
    const trouble = troubleAfter(belief.hardware, news, now);
    if (trouble) belief.hardware = trouble;
    else delete belief.hardware;
    this.#judge(belief);
  }

  /** What the provider has announced for it; nothing where that is over. */
  setDue(name: string, event: MaintenanceEvent | undefined): void {
    const belief = this.#beliefs.get(name);
    if (!belief || (!event && !belief.due)) return;
    const { due } = belief;
    if (event && due && due.value.id === event.id && due.value.state === event.state) return;
    if (event) belief.due = { value: event, since: due?.since ?? this.#clock.now() };
    else delete belief.due;
    this.#judge(belief);
  }

  /** `renewTime` is compared with its own last value only: it is the sick machine's clock. */
  setLease(name: string, renewTime: string): void {
    const belief = this.#beliefs.get(name);
    if (!belief) return;
    const readAt = this.#clock.now();
    const moved = belief.lease?.renewTime !== renewTime;
    belief.lease = { renewTime, movedAt: moved || !belief.lease ? readAt : belief.lease.movedAt, readAt };
    this.#judge(belief);
  }

  /** Suspicion is over: readings that nobody refreshes would only mislead. */
  forgetReadings(name: string): void {
    const belief = this.#beliefs.get(name);
    if (!belief) return;
    delete belief.lease;
    delete belief.power;
    delete belief.console;
    delete belief.health;
    delete belief.maintenance;
    delete belief.announced;
    this.#tell(name);
  }

  /** Time alone can make a symptom begin or end. Tells nobody: whoever asks is looking already. */
  reconsider(name: string): void {
    const belief = this.#beliefs.get(name);
    if (belief) this.#weigh(belief);
  }

  #judge(belief: Belief, isNews = false): void {
    const wasSick = belief.sickSince !== undefined;
    this.#weigh(belief);
    if (isNews || wasSick || belief.sickSince !== undefined) this.#tell(belief.machine);
  }

  #tell(machine: string): void {
    for (const listener of this.#listeners) listener(machine);
  }

  #weigh(belief: Belief): void {
    const now = this.#clock.now();
    for (const rule of belief.rules ?? []) {
      if (!rule.holds(belief, now)) belief.ruleSince?.delete(rule.name);
      else if (!belief.ruleSince?.has(rule.name)) belief.ruleSince?.set(rule.name, now);
    }
    if (!hardwareFails(belief, now)) delete belief.hardware;
    const sick = symptomsOf(belief, now).length > 0;
    const proven =
      belief.nodeFace?.ready === 'True' &&
      belief.ssh?.value === 'Answers' &&
      belief.kubelet?.value === 'Answers';
    if (sick) belief.sickSince ??= now;
    else delete belief.sickSince;
    if (!sick && proven) belief.wellSince ??= now;
    else delete belief.wellSince;
  }
}
