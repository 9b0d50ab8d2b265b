// Looks at single machines, many in one call, and tells one that is not shown yet from one that is gone.
import { type Clock, MINUTE } from '../../clock/clock.ts';
import { ProviderError } from '../provider.ts';
import type { EcsApi } from './api.ts';
import type { Instance } from './instance.ts';

/** As many ids as one call takes. */
const BATCH_MAX = 100;
/** Who asks within this of another shares its call. */
const BATCH_MS = 20;
/** A new instance may be missing from answers for so long: it is there all the same. */
export const NOT_SHOWN_MS_MAX = 2 * MINUTE;
const CREATED_MAX = 20_000;

interface Waiting {
  resolve(instance: Instance | undefined): void;
  reject(error: unknown): void;
}

export class LookUp {
  readonly #api: EcsApi;
  readonly #clock: Clock;
  /** When we made which. */
  readonly #created = new Map<string, number>();
  #batch: Map<string, Waiting[]> | undefined;

  constructor(api: EcsApi) {
    this.#api = api;
    this.#clock = api.clock;
  }

  /** These were made just now. */
  made(ids: readonly string[]): void {
    for (const id of ids) this.#created.set(id, this.#clock.now());
    for (const oldest of this.#created.keys()) {
      if (this.#created.size <= CREATED_MAX) break;
      this.#created.delete(oldest);
    }
  }

  /** `New`: made by us, and not shown yet. `Gone`: nobody knows it. */
  async find(id: string): Promise<Instance | 'New' | 'Gone'> {
    const instance = await this.#shared(id);
    if (instance) {
      this.#created.delete(id);
      return instance;
    }
    const createdAt = this.#created.get(id);
    return createdAt !== undefined && this.#clock.now() - createdAt < NOT_SHOWN_MS_MAX ? 'New' : 'Gone';
  }

  /** Throws NotFound, or TryAgain where it is not shown yet. */
  async get(id: string): Promise<Instance> {
    const found = await this.find(id);
    if (found === 'New')
      throw new ProviderError('TryAgain', `ECS does not show ${id} yet`, { reason: 'NotShownYet' });
    if (found === 'Gone')
      throw new ProviderError('NotFound', `ECS knows no instance ${id} in ${this.#api.regionId}`);
    return found;
  }

  #shared(id: string): Promise<Instance | undefined> {
    return new Promise((resolve, reject) => {
      const batch = this.#batch ?? this.#begin();
      const waiting = batch.get(id);
      if (waiting) waiting.push({ resolve, reject });
      else batch.set(id, [{ resolve, reject }]);
      if (batch.size === BATCH_MAX) void this.#send(batch);
    });
  }

  #begin(): Map<string, Waiting[]> {
    const batch = new Map<string, Waiting[]>();
    this.#batch = batch;
    this.#clock.timer(BATCH_MS, () => {
      if (this.#batch === batch) void this.#send(batch);
    });
    return batch;
  }

  /** No signal: one who goes away must not end the call of the others. The SDK ends it in time. */
  async #send(batch: Map<string, Waiting[]>): Promise<void> {
    this.#batch = undefined;
    try {
      const body = await this.#api.call('DescribeInstances', 'Read', (client, sdk) =>
        client.describeInstances(
          new sdk.DescribeInstancesRequest({
            regionId: this.#api.regionId,
            instanceIds: JSON.stringify([...batch.keys()]),
            maxResults: BATCH_MAX,
          }),
        ),
      );
      const all = body.instances?.instance;
      if (!all) throw new ProviderError('Broken', 'ECS DescribeInstances: the answer holds no Instances');
      if (all.length === 0) await this.#api.mustMayList();
      const found = new Map(all.map((instance) => [instance.instanceId, instance]));
      for (const [id, waiting] of batch) for (const one of waiting) one.resolve(found.get(id));
    } catch (error) {
      for (const waiting of batch.values()) for (const one of waiting) one.reject(error);
    }
  }
}
