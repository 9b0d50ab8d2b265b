// For tests: the surroundings of one step, with a provider that remembers what it was asked for.
import type { NodeOperation, NodeOperationStatus } from '../../api/node-operation.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import type { Node } from '../../platform/kube/objects.ts';
import type { Act, Provider, Reading } from '../../platform/providers/provider.ts';
import { beliefOf, type Looks, machine, NOW, operation, PANICKED, reading } from '../../test-builders.ts';
import type { StepContext } from './step.ts';

/** Writes down every act, as `powerCycle i-m1 uid-m1-x-1`, into a log that others may write into too. */
export class FakeProvider implements Provider {
  reading: Reading = reading();
  /** What the next action on the host answers. */
  hostAnswer: unknown = { active: 'active' };
  /** What the next act throws. */
  failure: Error | undefined;
  readonly log: string[];

  constructor(log: string[] = []) {
    this.log = log;
  }

  async describe(): Promise<Reading> {
    return this.reading;
  }
  async act(id: string, act: Act, key: string): Promise<void> {
    this.log.push(`${act} ${id} ${key}`);
    if (this.failure) throw this.failure;
  }
  async *list() {
    yield [];
  }
  async eventLog() {
    return [];
  }
  async console() {
    return [];
  }
  async close() {}
}

export interface Setting {
  context: StepContext;
  provider: FakeProvider;
  /** Writes of the status and acts on the machine, in their order. */
  log: string[];
  /** The last status that was written. */
  written(): NodeOperationStatus | undefined;
}

interface Options {
  operation?: NodeOperation;
  looks?: Looks;
  status?: NodeOperationStatus;
  bootID?: string;
  startedAt?: number;
  now?: number;
  /** Answers one after another; the last one for good. */
  refusals?: readonly (string | undefined)[];
  onPersist?: () => void;
  context?: Partial<StepContext>;
}

/** A reboot of a machine that has panicked, unless told otherwise. */
export function setUp(options: Options = {}): Setting {
  const log: string[] = [];
  const provider = new FakeProvider(log);
  const refusals = [...(options.refusals ?? [])];
  let written: NodeOperationStatus | undefined;
  const node: Node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'm1' },
    status: { nodeInfo: { bootID: options.bootID ?? 'boot-1' } },
  };
  const now = options.now ?? NOW;
  const context: StepContext = {
    operation: options.operation ?? operation(),
    status: options.status ?? { admittedAt: new Date(NOW).toISOString() },
    machine: machine(),
    belief: beliefOf(options.looks ?? PANICKED, 30, now),
    client: { get: async () => node } as unknown as KubeClient,
    outside: {
      provider,
      hosts: {
        run: async (host, name, params) => {
          log.push(`${name} ${Object.values(params as Record<string, unknown>).join(' ')} ${host.ssh}`);
          if (provider.failure) throw provider.failure;
          return provider.hostAnswer as never;
        },
      },
      prober: { probe: async () => [] },
    },
    probe: async () => undefined,
    background: (work) =>
      work(new AbortController().signal).then(
        (message) => ({ message }),
        (error: unknown) => ({ error }),
      ),
    startedAt: options.startedAt ?? now,
    now,
    persist: async (status) => {
      options.onPersist?.();
      log.push(`written: intent ${status.intent ? 'there' : 'none'}`);
      written = status;
    },
    refusal: () => {
      const reason = refusals.length > 1 ? refusals.shift() : refusals[0];
      return reason === undefined ? undefined : { reason, message: 'this replica must not act' };
    },
    ...options.context,
  };
  return { context, provider, log, written: () => written };
}
