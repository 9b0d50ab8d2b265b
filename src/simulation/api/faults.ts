// What a simulation does to one client's connection. The server and other clients feel nothing.

export class Faults {
  /** Each send and each new watch waits this long for its answer. */
  latency_ms = 0;
  /** Share of sends whose outcome the client never learns; half of them were carried out. */
  errorRate = 0;
  #unreachable = false;
  #frozenWatches = false;
  readonly #breakers = new Set<() => void>();
  readonly #thawers = new Set<() => void>();

  get unreachable(): boolean {
    return this.#unreachable;
  }

  /** No answers at all; open streams break. */
  set unreachable(value: boolean) {
    this.#unreachable = value;
    if (value) this.dropWatches();
  }

  get frozenWatches(): boolean {
    return this.#frozenWatches;
  }

  /** Streams stay open but tell nothing until thawed; what happened meanwhile comes then. */
  set frozenWatches(value: boolean) {
    this.#frozenWatches = value;
    if (value) return;
    const thawers = [...this.#thawers];
    this.#thawers.clear();
    for (const thaw of thawers) thaw();
  }

  /** Breaks all open streams, as a proxy that restarts does. */
  dropWatches(): void {
    for (const breakStream of [...this.#breakers]) breakStream();
  }

  /** @returns a function that takes the listener away. */
  onBreak(breakStream: () => void): () => void {
    this.#breakers.add(breakStream);
    return () => this.#breakers.delete(breakStream);
  }

  onThaw(thaw: () => void): void {
    this.#thawers.add(thaw);
  }
}
