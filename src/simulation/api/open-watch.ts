// Opens a watch: from where it starts, what it tells first, when it ends.

import { MINUTE, SECOND, type Timer } from '../../platform/clock/clock.ts';
import type { ApiCore } from './core.ts';
import { checkNotInFuture, listOptionsFault, matcherOf, versionOf } from './list.ts';
import type { Stored } from './registry.ts';
import type { Route } from './route.ts';
import type { Collection } from './store.ts';
import { bookmarkOf, initialEvents, type WatchEvent, Watcher } from './watch.ts';

const BOOKMARK_EVERY_MS = MINUTE;
/** Without timeoutSeconds the real server ends a watch after 30 to 60 minutes. */
const TIMEOUT_MIN_MS = 30 * MINUTE;

type Query = Readonly<Record<string, string>>;

export class Watches {
  readonly #core: ApiCore;
  readonly #queueMax: number;
  readonly #open = new Set<Watcher>();
  #ticker: Timer | undefined;
  readonly #timeouts = new Map<Watcher, Timer>();

  constructor(core: ApiCore, queueMax: number) {
    this.#core = core;
    this.#queueMax = queueMax;
  }

  /** Throws ApiError when it is refused. A version that is too old is told as an ERROR event, or here. */
  open(route: Route, query: Query): Watcher {
    const core = this.#core;
    const collection = core.store.collection(route.kind);
    const streamsList = query.sendInitialEvents === 'true';
    checkOptions(query);
    const wanted = versionOf(query.resourceVersion);
    const matches = matcherOf(route.kind, query, route.name);
    const bookmarks = query.allowWatchBookmarks === 'true';
    const after = core.store.rv;
    const fromNow = wanted === 0 || streamsList;
    if (streamsList) checkNotInFuture(wanted, core.store.rv);
    const initial = fromNow
      ? this.#present(collection, route.namespace, matches, query, streamsList && bookmarks)
      : this.#past(collection, route.namespace, matches, wanted);
    const watcher = new Watcher({
      kind: route.kind,
      namespace: route.namespace,
      matches,
      bookmarks,
      after: Math.max(after, wanted),
      initial,
      queueMax: this.#queueMax,
      onEnd: (ended) => this.#forget(collection, ended),
    });
    collection.watchers.add(watcher);
    this.#open.add(watcher);
    this.#startTimers(watcher, query);
    if (!fromNow && wanted < collection.history.floor) watcher.end();
    return watcher;
  }

  endAll(): void {
    for (const watcher of [...this.#open]) watcher.end();
  }

  #forget(collection: Collection, watcher: Watcher): void {
    collection.watchers.delete(watcher);
    this.#open.delete(watcher);
    this.#timeouts.get(watcher)?.cancel();
    this.#timeouts.delete(watcher);
    if (this.#open.size > 0) return;
    this.#ticker?.cancel();
    this.#ticker = undefined;
  }

  #present(
    collection: Collection,
    namespace: string | undefined,
    matches: ((object: Stored) => boolean) | undefined,
    query: Query,
    withBookmark: boolean,
  ): Iterator<WatchEvent> {
    const skip = query.sendInitialEvents === 'false';
    const objects = skip ? [] : [...collection.inOrder(namespace)];
    const chosen = matches ? objects.filter(matches) : objects;
    const end = withBookmark ? bookmarkOf(collection.kind, this.#core.store.rv, true) : undefined;
    return initialEvents(chosen, end);
  }

  /** What happened since, told through a watcher of its own so that selectors count the same way. */
  #past(
    collection: Collection,
    namespace: string | undefined,
    matches: ((object: Stored) => boolean) | undefined,
    wanted: number,
  ): Iterator<WatchEvent> {
    const { history, kind } = collection;
    if (wanted < history.floor) return [tooOld(wanted, history.floor)].values();
    const changes = history.since(wanted);
    const replay = new Watcher({
      kind,
      namespace,
      matches,
      bookmarks: false,
      after: wanted,
      initial: undefined,
      queueMax: changes.length + 1,
      onEnd: () => {},
    });
    for (const change of changes) replay.offer(change, { type: change.type, object: change.object });
    return takeAll(replay);
  }

  #startTimers(watcher: Watcher, query: Query): void {
    const { clock } = this.#core;
    const asked_ms = query.timeoutSeconds ? Number(query.timeoutSeconds) * SECOND : 0;
    const timeout_ms = asked_ms > 0 ? asked_ms : TIMEOUT_MIN_MS * (1 + clock.random());
    const timer = clock.timer(timeout_ms, () => {
      watcher.bookmark(this.#core.store.rv);
      watcher.end();
    });
    this.#timeouts.set(watcher, timer);
    if (watcher.bookmarks) this.#tick();
  }

  /** One timer for the bookmarks of all; none while nobody watches, so that a process can end. */
  #tick(): void {
    this.#ticker ??= this.#core.clock.timer(BOOKMARK_EVERY_MS, () => {
      this.#ticker = undefined;
      for (const watcher of this.#open) watcher.bookmark(this.#core.store.rv);
      if (this.#open.size > 0) this.#tick();
    });
  }
}

function* takeAll(watcher: Watcher): Generator<WatchEvent, undefined> {
  for (let event = watcher.take(); event && event !== 'end'; event = watcher.take()) yield event;
  return undefined;
}

function checkOptions(query: Query): void {
  const match = query.resourceVersionMatch;
  if (query.sendInitialEvents === undefined) {
    if (match)
      throw listOptionsFault(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      );
    return;
  }
  if (match !== 'NotOlderThan') {
    throw listOptionsFault(
      'resourceVersionMatch',
      'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    );
  }
}

const tooOld = (wanted: number, floor: number): WatchEvent => ({
  type: 'ERROR',
  object: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `too old resource version: ${wanted} (${floor})`,
    reason: 'Expired',
    code: 410,
  },
});
