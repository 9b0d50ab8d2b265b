import type { Reason } from '../../api/fields.ts';
import type { Clock } from '../clock/clock.ts';
import type { KubeClient } from './client.ts';
import { isConflict, isNotFound } from './errors.ts';
import { LEASES, type Lease, pathOf } from './objects.ts';

/** A follower takes over when the lease has not moved for this long by its own clock. */
export const LEASE_MS = 10_000;
/** The leader stops acting when its last successful renewal is older: 3 s before anyone may take over. */
export const RENEW_DEADLINE_MS = 7_000;
const RETRY_MS = 2_000;
/** One request that hangs leaves time for another try before the deadline: 2 s + 2.5 s + 2 s. */
const ANSWER_MS_MAX = 2_500;
const FIELD_MANAGER = 'drover-election';

export interface ElectionOptions {
  client: KubeClient;
  namespace: string;
  name: string;
  /** Unique to this process, shown to people: host name and a random part. */
  identity: string;
}

/**
 * Leader election over a Lease, as client-go does it. A lease is not a fence: `refusal()` is asked right
 * before every outside act, and each act carries its own precondition besides.
 */
export class Election {
  readonly identity: string;
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #options: ElectionOptions;
  /** When the renewal that last succeeded was sent. */
  #renewedAt = Number.NEGATIVE_INFINITY;
  #holder = '';
  /** The lease as last seen, and when it last changed by our clock: the holder's stamps are not trusted. */
  #seen = { resourceVersion: '', at: 0 };

  constructor(options: ElectionOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.#client = options.client;
    this.#clock = options.client.clock;
  }

  isLeader(): boolean {
    return this.#clock.now() - this.#renewedAt < RENEW_DEADLINE_MS;
  }

  /** Why this process may not act now, or undefined where it may. */
  refusal(): Reason | undefined {
    if (this.isLeader()) return undefined;
    return {
      reason: 'NotLeader',
      message:
        this.#holder && this.#holder !== this.identity
          ? `another replica leads (${this.#holder}); this one only watches`
          : 'the lease could not be renewed in time; this replica does nothing until it leads again',
      evidence: { identity: this.identity, holder: this.#holder },
    };
  }

  /**
   * Competes until `signal` is aborted. Each time it wins it calls `lead` with a signal that is aborted
   * when leadership is lost, and waits for it to return before it competes again.
   */
  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      // An answer that comes after the deadline of what it answers makes no leader.
      if ((await this.#tryAcquire(signal)) && this.isLeader()) await this.#leadUntilLost(signal, lead);
      else await this.#pause(signal);
    }
  }

  async #leadUntilLost(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const term = new AbortController();
    const stop = () => term.abort(new Error('stopping'));
    signal.addEventListener('abort', stop, { once: true });
    // By a timer of its own: a renewal that hangs must not keep the work going past the deadline.
    const endIfLost = () => {
      const left_ms = this.#renewedAt + RENEW_DEADLINE_MS - this.#clock.now();
      if (left_ms > 0) timer = this.#clock.timer(left_ms, endIfLost);
      else term.abort(new Error('leadership lost'));
    };
    let timer = this.#clock.timer(0, endIfLost);
    const work = lead(term.signal).finally(() => term.abort(new Error('leading ended')));
    // Its failure is thrown below; until then it counts as handled.
    work.catch(() => undefined);
    while (!term.signal.aborted) {
      await this.#pause(term.signal);
      if (!term.signal.aborted) await this.#tryAcquire(term.signal);
    }
    timer.cancel();
    signal.removeEventListener('abort', stop);
    await work;
    if (signal.aborted) await this.#release();
  }

  #pause(signal: AbortSignal): Promise<void> {
    return this.#clock.sleep(RETRY_MS, signal).catch(() => undefined);
  }

  async #tryAcquire(signal: AbortSignal): Promise<boolean> {
    const sentAt = this.#clock.now();
    try {
      const lease = await this.#read(signal);
      if (!this.#mayTake(lease)) return false;
      await this.#write(lease, this.#specFrom(lease), signal);
      this.#holder = this.identity;
      this.#renewedAt = sentAt;
      return true;
    } catch (error) {
      // A conflict means that somebody else won; anything else that we can't reach the API. Neither extends our term.
      if (isConflict(error)) this.#seen.at = this.#clock.now();
      return false;
    }
  }

  #mayTake(lease: Lease | undefined): boolean {
    const version = lease?.metadata.resourceVersion ?? '';
    if (version !== this.#seen.resourceVersion)
      this.#seen = { resourceVersion: version, at: this.#clock.now() };
    const holder = lease?.spec?.holderIdentity ?? '';
    // A lease that was there and is gone was deleted under its holder, who may act on until its deadline.
    const isFree = lease ? holder === this.identity || holder === '' : this.isLeader();
    if (isFree) return true;
    if (holder !== '') this.#holder = holder;
    return this.#clock.now() - this.#seen.at >= LEASE_MS;
  }

  async #read(signal?: AbortSignal): Promise<Lease | undefined> {
    const { namespace, name } = this.#options;
    const path = pathOf(LEASES, namespace, name);
    const request = { method: 'GET', path, timeout_ms: ANSWER_MS_MAX, ...(signal && { signal }) } as const;
    try {
      return await this.#client.request<Lease>(request);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #write(lease: Lease | undefined, spec: Lease['spec'], signal?: AbortSignal): Promise<void> {
    const { namespace, name } = this.#options;
    const fresh = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } };
    await this.#client.request({
      method: lease ? 'PUT' : 'POST',
      path: pathOf(LEASES, namespace, lease && name),
      query: { fieldManager: FIELD_MANAGER },
      body: { ...(lease ?? fresh), spec },
      timeout_ms: ANSWER_MS_MAX,
      ...(signal && { signal }),
    });
  }

  #specFrom(lease: Lease | undefined): Lease['spec'] {
    const now = this.#client.microTime();
    const mine = lease?.spec?.holderIdentity === this.identity;
    return {
      holderIdentity: this.identity,
      leaseDurationSeconds: LEASE_MS / 1000,
      acquireTime: mine ? (lease?.spec?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (lease?.spec?.leaseTransitions ?? 0) + (mine || !lease ? 0 : 1),
    };
  }

  /** Gives the lease up at a clean end, so that the next replica need not wait. Best effort. */
  async #release(): Promise<void> {
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    try {
      const lease = await this.#read();
      if (lease?.spec?.holderIdentity !== this.identity) return;
      await this.#write(lease, { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 });
    } catch {
      // The lease runs out by itself.
    }
  }
}
