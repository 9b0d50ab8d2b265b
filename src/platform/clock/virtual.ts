import { type Clock, idFrom, sleepWith, type Timer } from './clock.ts';
import { seededRandom } from './random.ts';

interface Entry extends Timer {
  at: number;
  order: number;
  wake: (() => void) | undefined;
}

/** Runs all promise reactions that are due: a macrotask starts only after the microtask queue is empty. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Time that moves only when told to. Timers fire in order of time, then of creation; between two
 * instants all promises settle, so code that awaits in-process calls behaves as it would in real time.
 * Code under a VirtualClock must do no real I/O: nothing waits for it.
 */
export class VirtualClock implements Clock {
  readonly random: () => number;
  #now: number;
  #order = 0;
  #heap: Entry[] = [];

  /** @param start_ms epoch milliseconds at which time starts; 2019-11-11 by default. */
  constructor(seed = 1, start_ms = Date.UTC(2019, 10, 11)) {
    this.#now = start_ms;
    this.random = seededRandom(seed);
  }

  now(): number {
    return this.#now;
  }

  timer(delay_ms: number, wake: () => void): Timer {
    const entry: Entry = {
      at: this.#now + Math.max(0, delay_ms),
      order: this.#order++,
      wake,
      cancel: () => {
        entry.wake = undefined;
      },
    };
    this.#push(entry);
    return entry;
  }

  sleep(delay_ms: number, signal?: AbortSignal): Promise<void> {
    return sleepWith(this, delay_ms, signal);
  }

  id(length?: number): string {
    return idFrom(this.random, length);
  }

  /** Moves time forward by `duration_ms`, firing all timers on the way, and settles. */
  async advance(duration_ms: number): Promise<void> {
    const end = this.#now + duration_ms;
    await settle();
    for (let first = this.#heap[0]; first && first.at <= end; first = this.#heap[0]) {
      this.#now = Math.max(this.#now, first.at);
      let woke = false;
      for (let due: Entry | undefined = first; due && due.at <= this.#now; due = this.#heap[0]) {
        this.#pop();
        if (!due.wake) continue;
        const wake = due.wake;
        due.wake = undefined;
        woke = true;
        wake();
      }
      if (woke) await settle();
    }
    this.#now = end;
  }

  /** Advances in steps of `step_ms` until `done()` or `limit_ms` have passed; says which. */
  async advanceUntil(done: () => boolean, limit_ms: number, step_ms = 1000): Promise<boolean> {
    for (const end = this.#now + limit_ms; this.#now < end; ) {
      if (done()) return true;
      await this.advance(Math.min(step_ms, end - this.#now));
    }
    return done();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(heap[parent] as Entry, entry)) break;
      heap[at] = heap[parent] as Entry;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (before(last, heap[child] as Entry)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
