/**
 * What waits to be written of one table: bounded, in order of arrival, one entry a key. When it is full
 * the oldest goes, since people ask about the latest first.
 */
export class Lane<K, T> {
  readonly #entries = new Map<K, T>();
  readonly #max: number;
  /** Entries that were given up because newer ones came. */
  dropped = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): T | undefined {
    return this.#entries.get(key);
  }

  put(key: K, item: T): void {
    if (!this.#entries.has(key) && this.#entries.size >= this.#max) this.#dropOldest();
    this.#entries.set(key, item);
  }

  /** The first `count` entries. They stay here until they are `done`. */
  next(count: number): [K, T][] {
    return this.#entries.entries().take(count).toArray();
  }

  /** These were written. What has been replaced in the meantime stays. */
  done(written: readonly [K, T][]): void {
    for (const [key, item] of written) if (this.#entries.get(key) === item) this.#entries.delete(key);
  }

  #dropOldest(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      this.dropped++;
      return;
    }
  }
}
