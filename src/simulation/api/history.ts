import type { Stored } from './registry.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface Change {
  readonly rv: number;
  readonly type: ChangeType;
  /** For DELETED the last state, with the resourceVersion of the deletion. */
  readonly object: Stored;
  readonly previous: Stored | undefined;
}

/** The last changes of one kind, so that watches and page lists can go back in time; a bounded ring. */
export class History {
  readonly #size: number;
  #ring: Change[] = [];
  /** Where the oldest is, once the ring is full. */
  #head = 0;
  /** Every change after this version is still known. */
  floor = 0;

  constructor(size: number) {
    this.#size = size;
  }

  push(change: Change): void {
    if (this.#ring.length < this.#size) {
      this.#ring.push(change);
      return;
    }
    const oldest = this.#ring[this.#head];
    if (oldest) this.floor = oldest.rv;
    this.#ring[this.#head] = change;
    this.#head = (this.#head + 1) % this.#size;
  }

  /** Changes after `rv`, oldest first. Only right when `rv >= floor`. */
  since(rv: number): Change[] {
    const count = this.#ring.length;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#at(middle).rv > rv) high = middle;
      else low = middle + 1;
    }
    const changes: Change[] = [];
    for (let i = low; i < count; i++) changes.push(this.#at(i));
    return changes;
  }

  /** Forgets all, as a compaction does. */
  forget(rv: number): void {
    this.#ring = [];
    this.#head = 0;
    this.floor = rv;
  }

  #at(index: number): Change {
    return this.#ring[(this.#head + index) % this.#ring.length] as Change;
  }
}
