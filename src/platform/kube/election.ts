import type { Reason } from '../../api/fields.ts';
import type { Clock } from '../clock/clock.ts';
import type { KubeClient } from './client.ts';
import { isConflict } from './errors.ts';
import { LEASES, type Lease } from './objects.ts';

/** A follower takes over when the lease has not moved for this long by its own clock. */
export const LEASE_MS = 10_000;
/** The leader stops acting when its last successful renewal is older: 3 s before anyone may take over. */
export const RENEW_DEADLINE_MS = 7_000;
const RETRY_MS = 2_000;
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
      message: this.#holder
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
      if (await this.#tryAcquire()) await this.#leadUntilLost(signal, lead);
      else await this.#pause(signal);
    }
  }

  async #leadUntilLost(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const term = new AbortController();
    const work = lead(term.signal).finally(() => term.abort(new Error('leading ended')));
    while (!signal.aborted && !term.signal.aborted && this.isLeader()) {
      await this.#pause(term.signal, signal);
      if (!signal.aborted && !term.signal.aborted) await this.#tryAcquire();
    }
    term.abort(new Error(signal.aborted ? 'stopping' : 'leadership lost'));
    await work;
    if (signal.aborted) await this.#release();
  }

  #pause(...signals: AbortSignal[]): Promise<void> {
    return this.#clock.sleep(RETRY_MS, AbortSignal.any(signals)).catch(() => undefined);
  }

  async #tryAcquire(): Promise<boolean> {
    const sentAt = this.#clock.now();
    const { namespace, name } = this.#options;
    try {
      const lease = await this.#client.get<Lease>(LEASES, name, namespace);
      if (!lease) {
        const fresh = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace } };
        await this.#client.create<Lease>(
          LEASES,
          { ...fresh, spec: this.#specFrom(undefined) },
          FIELD_MANAGER,
        );
      } else {
        if (!this.#mayTake(lease)) return false;
        await this.#client.replace<Lease>(LEASES, { ...lease, spec: this.#specFrom(lease) }, FIELD_MANAGER);
      }
      this.#holder = this.identity;
      this.#renewedAt = sentAt;
      return true;
    } catch (error) {
      // A conflict means that somebody else won; anything else that we can't reach the API. Neither extends our term.
      if (isConflict(error)) this.#seen.at = this.#clock.now();
      return false;
    }
  }

  #mayTake(lease: Lease): boolean {
    const holder = lease.spec?.holderIdentity ?? '';
    const version = lease.metadata.resourceVersion ?? '';
    if (version !== this.#seen.resourceVersion)
      this.#seen = { resourceVersion: version, at: this.#clock.now() };
    if (holder === this.identity || holder === '') return true;
    this.#holder = holder;
    return this.#clock.now() - this.#seen.at >= LEASE_MS;
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
    const { namespace, name } = this.#options;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    try {
      const lease = await this.#client.get<Lease>(LEASES, name, namespace);
      if (lease?.spec?.holderIdentity !== this.identity) return;
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
      await this.#client.replace<Lease>(LEASES, { ...lease, spec }, FIELD_MANAGER);
    } catch {
      // The lease runs out by itself.
    }
  }
}
