import type { Clock } from '../../platform/clock/clock.ts';
import { NAMESPACES } from '../../platform/kube/objects.ts';
import type { KubeRequest, KubeResponse, Transport } from '../../platform/kube/transport.ts';
import { ApiCore } from './core.ts';
import { keepBudgets } from './disruption.ts';
import { Faults } from './faults.ts';
import { collectGarbage } from './garbage.ts';
import { handle, includeOf, refusalOf, wantsTable } from './handle.ts';
import { type Served, type ServeOptions, serve } from './http-server.ts';
import { type Backend, InProcessTransport, type Source } from './in-process.ts';
import { Watches } from './open-watch.ts';
import type { Kind } from './registry.ts';
import { routeOf } from './route.ts';
import { noSuchPath, tooManyRequests } from './status.ts';
import { tableOfEvent } from './table.ts';
import type { Watcher } from './watch.ts';
import { create } from './write.ts';

const HISTORY_SIZE = 10_000;
const WATCH_QUEUE_MAX = 20_000;
const FIRST_NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

export interface EmbeddedApiOptions {
  clock: Clock;
  /** Changes remembered for each kind: what is older answers 410. */
  historySize?: number;
  /** Events that may wait for one watcher before it is cut off. */
  watchQueueMax?: number;
  /** Requests answered in one instant of the clock before 429; no limit by default. */
  requestsPerInstantMax?: number;
}

/** A Kubernetes API server in memory. See the README beside it for what it does and does not do. */
export class EmbeddedApi {
  readonly #core: ApiCore;
  readonly #watches: Watches;
  readonly #backend: Backend;
  readonly #requestsMax: number;
  #instant = 0;
  #requests = 0;

  constructor(options: EmbeddedApiOptions) {
    this.#core = new ApiCore(options.clock, options.historySize ?? HISTORY_SIZE);
    this.#watches = new Watches(this.#core, options.watchQueueMax ?? WATCH_QUEUE_MAX);
    this.#requestsMax = options.requestsPerInstantMax ?? Number.POSITIVE_INFINITY;
    this.#backend = {
      clock: options.clock,
      handle: (request, user) => this.#handle(request, user),
      watch: (request) => this.#watch(request),
    };
    collectGarbage(this.#core);
    keepBudgets(this.#core);
    const kind = this.#core.registry.find('', 'v1', NAMESPACES.plural) as Kind;
    for (const name of FIRST_NAMESPACES) {
      const writing = { manager: 'kube-apiserver', dryRun: false, fieldValidation: 'Ignore', warnings: [] };
      create(this.#core, kind, undefined, { metadata: { name } }, writing);
    }
  }

  /** A client's own way in: faults hit this client alone. */
  transport(options: { user: string; faults?: Faults }): Transport & { readonly faults: Faults } {
    return new InProcessTransport(this.#backend, options.user, options.faults ?? new Faults());
  }

  /** Listens on the loopback interface, so that kubectl works. */
  serve(options: ServeOptions = {}): Promise<Served> {
    return serve(this.#backend, options);
  }

  /** Forgets all changes, as etcd does when compacted: older watches and pages answer 410. */
  expireHistory(): void {
    for (const { history } of this.#core.store.collections()) history.forget(this.#core.store.rv);
  }

  /** Ends every watch cleanly, of all clients. */
  dropWatches(): void {
    this.#watches.endAll();
  }

  /** The version of the last write. */
  get resourceVersion(): number {
    return this.#core.store.rv;
  }

  close(): void {
    this.#watches.endAll();
  }

  #handle(request: KubeRequest, user: string): KubeResponse {
    if (this.#isOverloaded()) {
      return refusalOf(tooManyRequests('Too many requests, please try again later.', 1));
    }
    return handle(this.#core, request, user);
  }

  #isOverloaded(): boolean {
    if (this.#requestsMax === Number.POSITIVE_INFINITY) return false;
    const now = Math.floor(this.#core.clock.now());
    if (now !== this.#instant) {
      this.#instant = now;
      this.#requests = 0;
    }
    return ++this.#requests > this.#requestsMax;
  }

  #watch(request: KubeRequest): Source | KubeResponse {
    const query = request.query ?? {};
    try {
      const route = routeOf(request.path, this.#core.registry);
      if (!route) throw noSuchPath();
      const watcher = this.#watches.open(route, query);
      return wantsTable(request.accept) ? this.#inTables(watcher, query) : watcher;
    } catch (error) {
      return refusalOf(error);
    }
  }

  #inTables(watcher: Watcher, query: Readonly<Record<string, string>>): Source {
    let isFirst = true;
    return {
      take: () => {
        const event = watcher.take();
        if (event === undefined || event === 'end') return event;
        const told = tableOfEvent(watcher.kind, event, includeOf(query), this.#core.clock.now(), isFirst);
        isFirst = false;
        return told;
      },
      onReady: (wake) => watcher.onReady(wake),
      end: () => watcher.end(),
    };
  }
}
