import type { Clock, Timer } from '../clock/clock.ts';

/** First wait after a failure, doubled at each further one up to the maximum: client-go's 5 ms to 1000 s is too quick and too slow. */
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 60_000;

/**
 * Keys to look at. One key is never worked on twice at once, a key added while it waits is there once,
 * and one added while it is worked on comes again after that.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #ready = new Set<string>();
  readonly #active = new Set<string>();
  readonly #again = new Set<string>();
  readonly #timers = new Map<string, { at: number; timer: Timer }>();
  readonly #failures = new Map<string, number>();
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(key: string): void {
    if (this.#active.has(key)) this.#again.add(key);
    else {
      this.#ready.add(key);
      this.#wake?.();
    }
  }

  /** Adds the key after `delay_ms`, or earlier where it is already due earlier. */
  addAfter(key: string, delay_ms: number): void {
    if (delay_ms <= 0) {
      this.add(key);
      return;
    }
    const at = this.#clock.now() + delay_ms;
    const present = this.#timers.get(key);
    if (present && present.at <= at) return;
    present?.timer.cancel();
    const timer = this.#clock.timer(delay_ms, () => {
      this.#timers.delete(key);
      this.add(key);
    });
    this.#timers.set(key, { at, timer });
  }

  get depth(): number {
    return this.#ready.size;
  }

  /** Keys that failed and have not succeeded since. */
  get failing(): number {
    return this.#failures.size;
  }

  /**
   * Hands keys to `work`, at most `concurrency` at once, until `signal` is aborted and the last one is done.
   * `work` returns milliseconds until the key is to be looked at again, or nothing; what it throws goes to
   * `onError` and the key comes again with growing waits.
   */
  async run(
    work: (key: string) => Promise<number | undefined>,
    options: { concurrency: number; signal: AbortSignal; onError: (key: string, error: unknown) => void },
  ): Promise<void> {
    const { concurrency, signal, onError } = options;
    const running = new Set<Promise<void>>();
    const stop = () => this.#wake?.();
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      const key = running.size < concurrency ? this.#take() : undefined;
      if (key === undefined) {
        const idle = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        await (running.size < concurrency ? idle : Promise.race(running));
        continue;
      }
      const task: Promise<void> = this.#workOn(key, work, onError).finally(() => {
        running.delete(task);
        this.#wake?.();
      });
      running.add(task);
    }
    signal.removeEventListener('abort', stop);
    await Promise.all(running);
    // Last: what was under way may have asked to be looked at again.
    for (const { timer } of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #take(): string | undefined {
    for (const key of this.#ready) {
      this.#ready.delete(key);
      return key;
    }
    return undefined;
  }

  async #workOn(
    key: string,
    work: (key: string) => Promise<number | undefined>,
    onError: (key: string, error: unknown) => void,
  ): Promise<void> {
    this.#active.add(key);
    try {
      const again_ms = await work(key);
      this.#failures.delete(key);
      if (again_ms !== undefined) this.addAfter(key, again_ms);
    } catch (error) {
      onError(key, error);
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      const wait_ms = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (failures - 1));
      this.addAfter(key, wait_ms * (0.75 + this.#clock.random() / 2));
    } finally {
      this.#active.delete(key);
      if (this.#again.delete(key)) this.add(key);
    }
  }
}
