import type { Machine } from '../api/machine.ts';
import { type MachineProvider, machineProviderKind, providerType } from '../api/machine-provider.ts';
import { type Clock, HOUR, SECOND } from '../platform/clock/clock.ts';
import type { HostRef } from '../platform/hosts/host.ts';
import type { KubeClient } from '../platform/kube/client.ts';
import { standsSo, withCondition } from '../platform/kube/conditions.ts';
import type { Condition } from '../platform/kube/objects.ts';
import type { Outsides } from '../platform/providers/registry.ts';
import { sideBySide } from '../platform/side-by-side.ts';
import { someOf } from '../platform/some-of.ts';
import type { Caches } from './caches.ts';
import { closedBy, OPEN, type Way, type Ways } from './ways.ts';
import { patchStatus } from './write-status.ts';

const FIELD_MANAGER = 'drover-providers';
export const ASK_MS = 30 * SECOND;
/** Every machine's provider is asked for it once in this time, whatever the size of the fleet. */
const ROUND_MS = HOUR;
/** In each pass at least so many: the provider's own word is to be half a minute old at most. */
const ASKED_MIN = 10;
const ASKED_AT_ONCE_MAX = 64;
/** Machines that a condition names. */
const NAMED_MAX = 3;

type Draft = Omit<Condition, 'lastTransitionTime'>;

export interface ProvidersOptions {
  clock: Clock;
  client: KubeClient;
  caches: Caches;
  outsides: Outsides;
  ways: Ways;
  host(machine: Machine): HostRef;
  /** Ids of machines that it has events for, and that no Machine names. */
  strangers(provider: string): readonly string[];
}

/** Asks each provider for some of its machines in turn, and shows on it whether and how it answers. */
export class ProviderRounds {
  readonly #options: ProvidersOptions;
  /** The machine that was asked for last, by provider. */
  readonly #last = new Map<string, string>();

  constructor(options: ProvidersOptions) {
    this.#options = options;
  }

  /** One pass. */
  async ask(): Promise<void> {
    const { caches, ways } = this.#options;
    const owned = Map.groupBy(caches.machines.values(), ({ spec }) => spec.provider.name);
    ways.keepOnly((machine) => caches.machines.get(machine) !== undefined);
    await Promise.all(
      [...caches.providers.values()].map(async (provider) => {
        const mine = owned.get(provider.metadata.name) ?? [];
        await this.#askFor(provider, this.#next(provider.metadata.name, mine));
        await this.#show(provider, mine);
      }),
    );
  }

  /** Those whose turn it is, in the order of their names. */
  #next(provider: string, machines: readonly Machine[]): Machine[] {
    const count = Math.max(ASKED_MIN, Math.ceil((machines.length * ASK_MS) / ROUND_MS));
    const inOrder = [...machines].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    const last = this.#last.get(provider) ?? '';
    const from = inOrder.findIndex(({ metadata }) => metadata.name > last);
    const turn = [...inOrder.slice(Math.max(from, 0)), ...inOrder.slice(0, Math.max(from, 0))].slice(
      0,
      count,
    );
    this.#last.set(provider, turn.at(-1)?.metadata.name ?? '');
    return turn;
  }

  async #askFor(provider: MachineProvider, machines: readonly Machine[]): Promise<void> {
    const { outsides, ways, host } = this.#options;
    await sideBySide(machines, ASKED_AT_ONCE_MAX, async (machine) => {
      const { name } = machine.metadata;
      try {
        const { provider: way, hosts } = outsides.get(provider);
        const { health = '' } = await way.describe(machine.spec.provider.id);
        ways.set(name, OPEN);
        ways.setHealth(name, health);
        const bootID = machine.status?.bootID ?? '';
        if (ways.knowsArmed(name, bootID)) return;
        // A host that is not reached is patrol's business.
        const facts = await hosts.run(host(machine), 'facts', {}).catch(() => undefined);
        if (facts) ways.setArmed(name, facts.kdumpArmed, bootID);
      } catch (error) {
        ways.set(name, closedBy(error));
      }
    });
  }

  async #show(provider: MachineProvider, machines: readonly Machine[]): Promise<void> {
    const { client, caches, clock, ways, strangers } = this.#options;
    const { metadata, status: old = {} } = provider;
    const known = machines.flatMap((machine) => {
      const way = ways.get(machine.metadata.name);
      return way ? [{ machine: machine.metadata.name, way }] : [];
    });
    const reachable = reachableOf(known);
    const type = providerType(provider);
    const drafts = [reachable, ...strangersOf(strangers(metadata.name), old.conditions)];
    const stands = drafts.every((draft) => standsSo(old.conditions, draft));
    if (stands && old.machines === machines.length && old.type === type) return;
    const status = {
      observedGeneration: metadata.generation ?? 0,
      conditions: drafts.reduce<Condition[]>(
        (conditions, draft) => withCondition(conditions, draft, clock.now()),
        old.conditions ?? [],
      ),
      machines: machines.length,
      type,
    };
    const written = await patchStatus(client, machineProviderKind.resource, provider, status, FIELD_MANAGER);
    if (written) caches.providers.observe(written);
  }
}

/** Shown where there are some, and taken back where there were. */
export function strangersOf(ids: readonly string[], before: readonly Condition[] | undefined): Draft[] {
  const type = 'UnknownMachines';
  if (ids.length > 0) {
    const message = `it announces maintenance for machines that no Machine names: ${someOf(ids, NAMED_MAX)}; import them, or see to them by hand`;
    return [{ type, status: 'True', reason: 'EventsOfOthers', message }];
  }
  if (!before?.some((condition) => condition.type === type)) return [];
  return [{ type, status: 'False', reason: 'None', message: 'every event is for a machine of ours' }];
}

/** A provider that answers for some is reachable; one that answers for none is not, for the reason of most. */
export function reachableOf(known: readonly { machine: string; way: Way }[]): Draft {
  const type = 'Reachable';
  if (known.length === 0)
    return { type, status: 'Unknown', reason: 'NoMachines', message: 'no Machine names it yet' };
  const closed = known.filter(({ way }) => !way.open);
  const [most] = [...Map.groupBy(closed, ({ way }) => way.reason)].sort((a, b) => b[1].length - a[1].length);
  if (!most) return { type, status: 'True', reason: 'Answers', message: 'the provider answers' };
  const [reason, all] = most;
  const names = all.map(({ machine }) => machine);
  const message = `${reason} of ${someOf(names, NAMED_MAX)}: ${all[0]?.way.message}`;
  return closed.length === known.length
    ? { type, status: 'False', reason, message: message.slice(0, 1000) }
    : { type, status: 'True', reason: 'AnswersForSome', message: message.slice(0, 1000) };
}
