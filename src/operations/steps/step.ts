import type { Reason } from '../../api/fields.ts';
import type { Machine } from '../../api/machine.ts';
import type { NodeOperation, NodeOperationStatus } from '../../api/node-operation.ts';
import type { Probe } from '../../platform/hosts/prober.ts';
import type { KubeClient } from '../../platform/kube/client.ts';
import type { Outside } from '../../platform/outside.ts';
import type { Belief } from '../../signals/belief.ts';

/** What one look at a step found. `status` is merged into the operation's. */
export type StepResult =
  | { is: 'done'; message: string; status?: Partial<NodeOperationStatus> }
  | { is: 'skipped'; message: string }
  | { is: 'waiting'; why: Reason; again_ms: number; status?: Partial<NodeOperationStatus> }
  | { is: 'failed'; why: Reason; status?: Partial<NodeOperationStatus> }
  /** There is nothing left to do: the operation ends without having touched the machine. */
  | { is: 'needless'; why: Reason };

/** How work in the background has ended. */
export type HostOutcome = { message: string } | { error: unknown };

export interface StepContext {
  operation: NodeOperation;
  status: NodeOperationStatus;
  machine: Machine;
  belief: Belief;
  /** Client of the cluster that holds the node. */
  client: KubeClient;
  outside: Outside | undefined;
  /** When this step began. */
  startedAt: number;
  now: number;
  /** Asks the machine's ports now, as patrol does; undefined where we could not ask. */
  probe(): Promise<Probe | undefined>;
  /** Begins work that may take minutes, or says how the one begun for this operation stands. */
  background(work: (signal: AbortSignal) => Promise<string>): Promise<HostOutcome | 'Running'>;
  /** Writes a status before anything else happens; throws when somebody else has written meanwhile. */
  persist(status: NodeOperationStatus): Promise<void>;
  /** Asked right before the machine is touched: why this replica must not, where it must not. */
  refusal(): Reason | undefined;
}

/** One look: does what can be done now and returns. Called again until it is done; may be killed at any line. */
export type Step = (context: StepContext) => Promise<StepResult>;

export function noProvider(name: string): Reason {
  return { reason: 'NoProvider', message: `MachineProvider ${name} does not exist or can’t be used` };
}

export const FIELD_MANAGER = 'drover-operations';
