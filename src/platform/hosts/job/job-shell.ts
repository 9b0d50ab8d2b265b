// Hosts by a Kubernetes Job on the node: for sites without SSH. It needs a kubelet that works, so it is no way to mend one.
import { createHash } from 'node:crypto';
import type { JobSettings } from '../../../api/machine-provider.ts';
import { type Clock, SECOND } from '../../clock/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import { KubeError, messageOf } from '../../kube/errors.ts';
import {
  type KubeObject,
  NODES,
  type Node,
  PODS,
  type Pod,
  pathOf,
  type Resource,
} from '../../kube/objects.ts';
import { TransportError } from '../../kube/transport.ts';
import type { Order, Ran, Shell } from '../actions/shell.ts';
import { HostError, type HostFailure, type HostRef } from '../host.ts';
import { inTurns } from '../in-turns.ts';
import { PACKED_FOLDER, type Packing, packed_bytes_max, reportOf, unpacked } from '../packed.ts';
import { CONTAINER, JOBS, jobOf, RUN_LABEL, START_MS_MAX } from './manifest.ts';
import { type Job, podStateOf, refusalOf } from './pod-state.ts';

const FIELD_MANAGER = 'drover-hosts';
const POLL_MS_MIN = SECOND / 4;
const POLL_MS_MAX = 2 * SECOND;
/** A scheduler that has just begun may not know the Node yet. */
const UNSCHEDULABLE_MS_MAX = 10 * SECOND;
/** From the first sight of a running container: it may have begun a poll before, and ended. */
const SEEN_LATE_MS = POLL_MS_MAX;
const SENDS_MAX = 4;
const SEND_AGAIN_MS = SECOND;
/** Longer than the second after which an action lets the machine go; what is left of a container is killed with it. */
const LINGER_S = 2;
/** The last lines of a container's log may come a little after its end. */
const LOG_READS_MAX = 4;
const LOG_AGAIN_MS = SECOND;
const LOG_TIMEOUT_MS = 60 * SECOND;
/** Our own words in a log. */
const LOG_BYTES_MORE = 16 * 1024;
/** Only these are selected by the object that they are about. */
const CORE_EVENTS: Resource = { group: '', version: 'v1', kind: 'Event', plural: 'events', namespaced: true };

export interface JobShellContext {
  clock: Clock;
  client(cluster: string): KubeClient | undefined;
  /** Where output waits on the host. */
  folder?: string;
}

/** Each is a Pod to schedule, and a few looks a second at it. */
const RUNS_MAX = 32;
const RUNS_HOST_MAX = 2;

/** Everything runs as root: `Order.root` makes no difference. */
export function jobShell(
  settings: JobSettings,
  { clock, client, folder = PACKED_FOLDER }: JobShellContext,
): Shell {
  const shell: Shell = {
    async exec(host, order, signal) {
      signal?.throwIfAborted();
      const began = clock.now();
      const { node } = host;
      if (!node) throw new HostError(`${host.id}: it has no Node that a Job could run on`, 'Refused');
      const kube = client(node.cluster);
      if (!kube)
        throw new HostError(`${host.id}: there is no open way to cluster ${node.cluster}`, 'Unreachable');
      const run = new Run({ kube, clock, settings, host, node: node.name, order, signal, folder });
      return { ...(await run.do()), duration_ms: clock.now() - began };
    },
  };
  return inTurns(shell, RUNS_MAX, RUNS_HOST_MAX);
}

interface RunOptions {
  kube: KubeClient;
  clock: Clock;
  settings: JobSettings;
  host: HostRef;
  /** Its Node's name. */
  node: string;
  order: Order;
  signal: AbortSignal | undefined;
  folder: string;
}

class Run {
  readonly #kube: KubeClient;
  readonly #clock: Clock;
  readonly #settings: JobSettings;
  readonly #host: HostRef;
  readonly #node: string;
  readonly #order: Order;
  readonly #signal: AbortSignal | undefined;
  readonly #packing: Packing;

  constructor({ kube, clock, settings, host, node, order, signal, folder }: RunOptions) {
    this.#kube = kube;
    this.#clock = clock;
    this.#settings = settings;
    this.#host = host;
    this.#node = node;
    this.#order = order;
    this.#signal = signal;
    // One name a call: what is sent again is the same Job, and another call another.
    const of = [host.id, node, order.script, ...order.args, clock.id(32)];
    const name = `drover-${createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 24)}`;
    const first_bytes_max = packed_bytes_max(order.output_bytes_max + 1);
    this.#packing = { name, folder, first_bytes_max, linger_s: LINGER_S };
  }

  async do(): Promise<Omit<Ran, 'duration_ms'>> {
    const job = jobOf({
      settings: this.#settings,
      node: this.#node,
      id: this.#host.id,
      order: this.#order,
      packing: this.#packing,
    });
    await this.#mustBeReady();
    try {
      await this.#create(job);
      return this.#ranOf(await this.#reported());
    } finally {
      // Where this fails its time to live takes it.
      await this.#kube
        .delete(JOBS, this.#packing.name, { namespace: this.#settings.namespace })
        .catch(() => undefined);
    }
  }

  #fail(failure: HostFailure, message: string): HostError {
    return new HostError(`${this.#node}: ${message}`, failure);
  }

  /** A Job for a kubelet that is away would wait, and run when nobody expects it any more. */
  async #mustBeReady(): Promise<void> {
    const node = await this.#before(() => this.#kube.get<Node>(NODES, this.#node));
    if (!node) throw this.#fail('Unreachable', 'there is no such Node');
    const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True')
      throw this.#fail(
        'Unreachable',
        `its Node is not ready (${ready?.message ?? 'it never reported'}): no Job can run there`,
      );
  }

  /** Sent again where the answer was lost: the second time it is there already. */
  async #create(job: KubeObject): Promise<void> {
    for (let sends = 1; ; sends++) {
      try {
        await this.#kube.create(JOBS, job, FIELD_MANAGER);
        return;
      } catch (error) {
        this.#signal?.throwIfAborted();
        if (error instanceof KubeError && error.reason === 'AlreadyExists') return;
        const again = error instanceof TransportError || (error instanceof KubeError && error.status >= 429);
        if (!again) throw this.#refused(error);
        if (sends === SENDS_MAX) throw this.#fail(wasSent(error) ? 'Cut' : 'Unreachable', messageOf(error));
        await this.#clock.sleep(SEND_AGAIN_MS, this.#signal);
      }
    }
  }

  /**
   * The log, when its report is whole or its Pod has ended. The report is enough: a machine that goes down by what it was
   * told never says that the Pod has ended.
   */
  async #reported(): Promise<string> {
    const created = this.#clock.now();
    let wait_ms = POLL_MS_MIN;
    let wasSeen = false;
    let runsSince: number | undefined;
    for (;;) {
      await this.#clock.sleep(wait_ms, this.#signal);
      wait_ms = Math.min(wait_ms * 1.5, POLL_MS_MAX);
      const seen = await this.#look();
      const now = this.#clock.now();
      if (seen) {
        const state = podStateOf(seen.job, seen.pods, wasSeen);
        if (seen.pods.length > 0) wasSeen = true;
        if (state.state === 'Failed') throw this.#fail(state.failure, state.message);
        if (state.state === 'Ended') return this.#log(state.pod);
        if (state.state === 'Running') {
          runsSince ??= now;
          const text = await this.#read(state.pod).catch(() => '');
          if (isWhole(text)) return text;
        } else await this.#mayWait(state, now - created, wasSeen);
      }
      const { timeout_ms } = this.#order;
      if (runsSince !== undefined && now - runsSince > timeout_ms + SEEN_LATE_MS)
        throw this.#fail('TimedOut', `did not end within ${timeout_ms} ms`);
      if (now - created > timeout_ms + START_MS_MAX + SEEN_LATE_MS)
        throw this.#fail('TimedOut', `did not begin and end within ${timeout_ms + START_MS_MAX} ms`);
    }
  }

  /** Undefined where the API server does not answer just now. */
  async #look(): Promise<{ job: Job | undefined; pods: Pod[] } | undefined> {
    const { namespace } = this.#settings;
    const { name } = this.#packing;
    try {
      const [job, { items }] = await Promise.all([
        this.#kube.get<Job>(JOBS, name, namespace),
        this.#kube.list<Pod>(PODS, { namespace, labelSelector: `${RUN_LABEL}=${name}` }),
      ]);
      return { job, pods: items };
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (error instanceof TransportError || (error instanceof KubeError && error.status >= 429))
        return undefined;
      throw this.#fail('Cut', `its Job was made, and then could not be looked at: ${messageOf(error)}`);
    }
  }

  async #mayWait(
    { why, isUnschedulable }: { why: string; isUnschedulable: boolean },
    waited_ms: number,
    hasPod: boolean,
  ): Promise<void> {
    if (isUnschedulable && waited_ms > UNSCHEDULABLE_MS_MAX)
      throw this.#fail('Unreachable', `no Pod can be scheduled there: ${why}`);
    if (!hasPod) {
      const refusal = await this.#refusal();
      if (refusal) throw this.#fail(refusal.failure, refusal.message);
    }
    if (waited_ms <= START_MS_MAX) return;
    // A kubelet that has it and is silent may begin it yet.
    throw this.#fail(hasPod ? 'Silent' : 'Unreachable', `did not begin within ${START_MS_MAX} ms: ${why}`);
  }

  /** The Job's own status never says why it has no Pod; its events do. */
  async #refusal(): Promise<{ failure: HostFailure; message: string } | undefined> {
    const { namespace } = this.#settings;
    const fieldSelector = `involvedObject.name=${this.#packing.name}`;
    const events = await this.#kube
      .list<KubeObject & { reason?: string; message?: string }>(CORE_EVENTS, { namespace, fieldSelector })
      .catch(() => undefined);
    for (const event of events?.items ?? []) {
      const refusal = refusalOf(event, namespace);
      if (refusal) return refusal;
    }
    return undefined;
  }

  /** Of a Pod that has ended. */
  async #log(pod: string): Promise<string> {
    let text = '';
    let trouble = '';
    for (let reads = 1; reads <= LOG_READS_MAX; reads++) {
      try {
        text = await this.#read(pod);
        if (isWhole(text)) return text;
      } catch (error) {
        this.#signal?.throwIfAborted();
        trouble = messageOf(error);
      }
      if (reads < LOG_READS_MAX) await this.#clock.sleep(LOG_AGAIN_MS, this.#signal);
    }
    if (text === '' && trouble !== '')
      throw this.#fail('Cut', `it ended, and its log could not be read: ${trouble}`);
    return text;
  }

  async #read(pod: string): Promise<string> {
    const limitBytes = Math.ceil((this.#packing.first_bytes_max * 4) / 3) + LOG_BYTES_MORE;
    const text = await this.#kube.request<unknown>({
      method: 'GET',
      path: pathOf(PODS, this.#settings.namespace, pod, 'log'),
      query: { container: CONTAINER, limitBytes: String(limitBytes) },
      accept: '*/*',
      timeout_ms: LOG_TIMEOUT_MS,
      ...(this.#signal && { signal: this.#signal }),
    });
    return typeof text === 'string' ? text : '';
  }

  #ranOf(text: string): Omit<Ran, 'duration_ms'> {
    const report = reportOf(text);
    switch (report.state) {
      case 'NotBegun': {
        const words = text.trim().replace(/\s+/g, ' ').slice(-300);
        throw this.#fail('Failed', `the host could not begin it: ${words || 'it said nothing'}`);
      }
      case 'Cannot':
        throw this.#fail('Failed', `the host could not begin it: ${report.message}`);
      case 'Begun':
        throw this.#fail('Cut', 'it began, and its log has no end of it');
      case 'Done':
    }
    const { exitCode, stderr, first, packed_bytes } = report;
    if (first.length !== packed_bytes)
      throw this.#fail('BadOutput', `its log has ${first.length} of ${packed_bytes} bytes of output, packed`);
    try {
      const { stdout, truncated } = unpacked(first, this.#order.output_bytes_max);
      return { exitCode: truncated ? undefined : exitCode, stdout, stderr, truncated };
    } catch (error) {
      throw this.#fail('BadOutput', `its output cannot be unpacked: ${messageOf(error)}`);
    }
  }

  /** Asks before anything was made. */
  async #before<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw this.#refused(error);
    }
  }

  #refused(error: unknown): HostError {
    if (!(error instanceof KubeError)) return this.#fail('Unreachable', messageOf(error));
    if (error.status === 401) return this.#fail('BadCredentials', error.message);
    if (error.status === 403)
      return this.#fail('NotAllowed', `the cluster does not allow it: ${error.message}`);
    if (error.status >= 429) return this.#fail('Unreachable', error.message);
    return this.#fail('Refused', error.message);
  }
}

/** Whether more of the log would say nothing else. */
function isWhole(log: string): boolean {
  const { state } = reportOf(log);
  return state === 'Done' || state === 'Cannot';
}

function wasSent(error: unknown): boolean {
  return !(error instanceof TransportError) || error.sent;
}
