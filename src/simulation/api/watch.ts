// One watch: a bounded queue between the store and a reader. Fan-out hands every watcher the same
// event object.

import { apiVersionOf } from '../../platform/kube/objects.ts';
import type { Change } from './history.ts';
import type { Kind, Stored } from './registry.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

export type Matcher = (object: Stored) => boolean;

const INITIAL_EVENTS_END = { 'k8s.io/initial-events-end': 'true' };

export class Watcher {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly matches: Matcher | undefined;
  readonly bookmarks: boolean;
  /** Changes up to this version were told already, or are older than the reader asked for. */
  readonly #after: number;
  readonly #queueMax: number;
  readonly #onEnd: (watcher: Watcher) => void;
  /** Told first, lazily: a list of 50,000 objects is not copied into events at once. */
  #initial: Iterator<WatchEvent> | undefined;
  #queue: WatchEvent[] = [];
  #head = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(options: {
    kind: Kind;
    namespace: string | undefined;
    matches: Matcher | undefined;
    bookmarks: boolean;
    after: number;
    initial: Iterator<WatchEvent> | undefined;
    queueMax: number;
    onEnd: (watcher: Watcher) => void;
  }) {
    this.kind = options.kind;
    this.namespace = options.namespace;
    this.matches = options.matches;
    this.bookmarks = options.bookmarks;
    this.#after = options.after;
    this.#initial = options.initial;
    this.#queueMax = options.queueMax;
    this.#onEnd = options.onEnd;
  }

  /** `shared` is the event for those whose selector the object matches before and after. */
  offer(change: Change, shared: WatchEvent): void {
    if (change.rv <= this.#after) return;
    if (this.namespace !== undefined && change.object.metadata.namespace !== this.namespace) return;
    const event = this.matches ? this.#seenBySelector(change, shared, this.matches) : shared;
    if (event) this.#push(event);
  }

  #seenBySelector(change: Change, shared: WatchEvent, matches: Matcher): WatchEvent | undefined {
    const was = change.previous !== undefined && matches(change.previous);
    const is = change.type !== 'DELETED' && matches(change.object);
    if (is) return was || change.type === 'ADDED' ? shared : { type: 'ADDED', object: change.object };
    if (!was) return undefined;
    if (change.type === 'DELETED') return shared;
    // The real server tells the state that still matched, with the version of the change.
    const previous = change.previous as Stored;
    const metadata = { ...previous.metadata, resourceVersion: String(change.rv) };
    return { type: 'DELETED', object: { ...previous, metadata } };
  }

  bookmark(rv: number): void {
    if (this.bookmarks && !this.#ended) this.#push(bookmarkOf(this.kind, rv));
  }

  /** Ends after what is queued: the reader gets all that came before. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(this);
    this.#wakeUp();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The next event when there is one; 'end' after the last; undefined: wait. */
  take(): WatchEvent | 'end' | undefined {
    if (this.#initial) {
      const next = this.#initial.next();
      if (!next.done) return next.value;
      this.#initial = undefined;
    }
    const event = this.#queue[this.#head];
    if (event) {
      this.#head++;
      if (this.#head === this.#queue.length) {
        this.#queue.length = 0;
        this.#head = 0;
      }
      return event;
    }
    return this.#ended ? 'end' : undefined;
  }

  /** Calls once when `take` may have something again. */
  onReady(wake: () => void): void {
    this.#wake = wake;
  }

  #push(event: WatchEvent): void {
    if (this.#ended) return;
    if (this.#queue.length - this.#head >= this.#queueMax) {
      // Too slow: cut off, as the real server does; what is queued would be stale anyway.
      this.#queue = [];
      this.#head = 0;
      this.end();
      return;
    }
    this.#queue.push(event);
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

export function bookmarkOf(kind: Kind, rv: number, initialEventsEnd = false): WatchEvent {
  const metadata = {
    resourceVersion: String(rv),
    creationTimestamp: null,
    ...(initialEventsEnd ? { annotations: INITIAL_EVENTS_END } : {}),
  };
  return { type: 'BOOKMARK', object: { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata } };
}

/** @param objects a snapshot: what changes later comes as an event of its own. */
export function* initialEvents(
  objects: readonly Stored[],
  end: WatchEvent | undefined,
): Generator<WatchEvent, undefined> {
  for (const object of objects) yield { type: 'ADDED', object };
  if (end) yield end;
  return undefined;
}
