import type { KubeClient, Place } from './client.ts';
import { KubeError, messageOf } from './errors.ts';
import { apiVersionOf, type KubeObject, type Resource } from './objects.ts';

/** A watch lasts a random 5 to 10 minutes, as client-go's do, so that a fleet's watches don't renew together. */
const WATCH_SECONDS_MIN = 300;
const WATCH_SECONDS_SPREAD = 300;
/** Bookmarks come about each minute; a stream that says nothing for longer than this is dead. */
export const QUIET_MS_MAX = 80_000;
const BACKOFF_MS_MIN = 800;
const BACKOFF_MS_MAX = 15_000;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

export interface Target {
  client: KubeClient;
  resource: Resource;
  place: Place;
  /** The stream has just shown that it lives. */
  alive(): void;
  /** Begins to gather the whole collection anew; what is not ended by `done` is forgotten. */
  list(): Listing;
  changed(object: KubeObject, gone: boolean): void;
}

export interface Listing {
  add(object: KubeObject): void;
  /** It went while the list was under way. */
  remove(object: KubeObject): void;
  /** This was all as of that version: it takes the place of what was known, in one step, so that readers never see half a list. */
  done(resourceVersion: string): void;
}

interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: KubeObject;
}

/** Where the stream stands: the version to go on from, '' where everything must be listed anew. */
interface Position {
  resourceVersion: string;
  /** The server has no WatchList (before 1.32, or switched off): list in pages. */
  paged: boolean;
}

/** List and watch for ever, surviving ends, errors, expired versions and silence. */
export async function reflect(target: Target, signal: AbortSignal): Promise<void> {
  const { clock } = target.client;
  const position: Position = { resourceVersion: '', paged: false };
  let backoff_ms = BACKOFF_MS_MIN;
  while (!signal.aborted) {
    const startedAt = clock.now();
    const error = await follow(target, position, signal).catch((thrown: unknown) => thrown);
    if (signal.aborted) return;
    if (needsRelist(error)) position.resourceVersion = '';
    // A stream that lived a while and then broke deserves a quick second try; one that the server ends at
    // once, however politely, does not.
    const livedLong = clock.now() - startedAt > BACKOFF_MS_MAX;
    if (livedLong) backoff_ms = BACKOFF_MS_MIN;
    if (livedLong && error === undefined) continue;
    const wait_ms = Math.max(backoff_ms, retryAfterOf(error)) * (0.5 + clock.random());
    backoff_ms = Math.min(BACKOFF_MS_MAX, backoff_ms * 2);
    await clock.sleep(wait_ms, signal).catch(() => undefined);
  }
}

function needsRelist(error: unknown): boolean {
  return (
    error instanceof KubeError && (error.status === 410 || error.reason === 'Expired' || error.status === 504)
  );
}

function retryAfterOf(error: unknown): number {
  return error instanceof KubeError ? (error.retryAfter_ms ?? 0) : 0;
}

async function follow(target: Target, position: Position, signal: AbortSignal): Promise<void> {
  if (position.resourceVersion === '' && position.paged) {
    const list = target.list();
    for await (const page of target.client.pages<KubeObject>(target.resource, target.place)) {
      for (const item of page.items) list.add(item);
      position.resourceVersion = page.resourceVersion;
    }
    target.alive();
    list.done(position.resourceVersion);
  }
  const { clock } = target.client;
  const seconds = Math.floor(WATCH_SECONDS_MIN + clock.random() * WATCH_SECONDS_SPREAD);
  const query: Record<string, string> = { timeoutSeconds: String(seconds) };
  const listing = position.resourceVersion === '';
  if (listing) Object.assign(query, { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' });
  else query.resourceVersion = position.resourceVersion;

  const abort = new AbortController();
  const onAbort = () => abort.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  let heardAt = clock.now();
  let timer = clock.timer(QUIET_MS_MAX, watchdog);
  function watchdog() {
    const quiet_ms = clock.now() - heardAt;
    if (quiet_ms >= QUIET_MS_MAX)
      abort.abort(new Error(`watch of ${target.resource.plural} silent for ${quiet_ms} ms`));
    else timer = clock.timer(QUIET_MS_MAX - quiet_ms, watchdog);
  }

  try {
    const stream = await target.client.watch(target.resource, target.place, query, abort.signal);
    if (stream.status >= 400) {
      if (listing && (stream.status === 400 || stream.status === 422)) {
        position.paged = true;
        return await follow(target, position, signal);
      }
      throw new KubeError(`watch ${target.resource.plural}`, stream.status, stream.refusal);
    }
    let initial = listing ? target.list() : undefined;
    for await (const value of stream.events) {
      heardAt = clock.now();
      const event = value as WatchEvent;
      if (event.type === 'ERROR') {
        const status = event.object as unknown as { code?: number };
        throw new KubeError(`watch ${target.resource.plural}`, status.code ?? 500, event.object);
      }
      const object = named(event.object, target.resource);
      if (initial) {
        if (event.type === 'DELETED') initial.remove(object);
        else if (event.type !== 'BOOKMARK') initial.add(object);
        else if (object.metadata.annotations?.[INITIAL_EVENTS_END] === 'true') {
          target.alive();
          initial.done(object.metadata.resourceVersion ?? '0');
          initial = undefined;
        }
      } else {
        target.alive();
        if (event.type !== 'BOOKMARK') target.changed(object, event.type === 'DELETED');
      }
      if (!initial) position.resourceVersion = object.metadata.resourceVersion ?? position.resourceVersion;
    }
    if (abort.signal.aborted && !signal.aborted) throw new Error(messageOf(abort.signal.reason));
    // A server that closes before the list was whole has told us nothing.
    if (initial) throw new Error(`watch of ${target.resource.plural} ended within its first list`);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', onAbort);
    abort.abort(new Error('watch ended'));
  }
}

/** Custom resources carry kind and apiVersion in events; some servers leave them out of built-in ones. */
function named(object: KubeObject, resource: Resource): KubeObject {
  return object.kind ? object : { ...object, kind: resource.kind, apiVersion: apiVersionOf(resource) };
}
