// Who may begin: so many at once overall, and so many to one host or BMC, in the order of asking. One that waits for its
// own host holds up nobody else.
interface Waiting {
  host: string;
  begin(): void;
}

export class Turns {
  readonly #all: number;
  readonly #each: number;
  readonly #running = new Map<string, number>();
  readonly #waiting = new Set<Waiting>();
  #count = 0;

  constructor(all: number, each: number) {
    this.#all = all;
    this.#each = each;
  }

  /** Resolves when it is this call's turn; what it resolves to ends it. Rejects with the signal's reason when aborted first. */
  async take(host: string, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted();
    if (!this.#isFree(host)) await this.#wait(host, signal);
    else this.#begin(host);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#end(host);
    };
  }

  /** Makes the call when its turn comes. */
  async run<T>(host: string, call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const done = await this.take(host, signal);
    try {
      return await call();
    } finally {
      done();
    }
  }

  #isFree(host: string): boolean {
    return this.#count < this.#all && (this.#running.get(host) ?? 0) < this.#each;
  }

  #begin(host: string): void {
    this.#count++;
    this.#running.set(host, (this.#running.get(host) ?? 0) + 1);
  }

  #wait(host: string, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(waiting);
        reject(signal?.reason);
      };
      const waiting: Waiting = {
        host,
        begin: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiting);
    });
  }

  #end(host: string): void {
    this.#count--;
    const left = (this.#running.get(host) ?? 1) - 1;
    if (left > 0) this.#running.set(host, left);
    else this.#running.delete(host);
    // One that waits for its own host does not hold up those behind it.
    for (const waiting of this.#waiting) {
      if (this.#count >= this.#all) return;
      if (!this.#isFree(waiting.host)) continue;
      this.#waiting.delete(waiting);
      this.#begin(waiting.host);
      waiting.begin();
    }
  }
}
