import { type Clock, SECOND, toTime } from '../../platform/clock/clock.ts';
import { NAMESPACES } from '../../platform/kube/objects.ts';
import { BUILTIN_KINDS } from './builtin-kinds.ts';
import { stringAt } from './json.ts';
import { type Kind, Registry } from './registry.ts';
import { ApiError, notFound } from './status.ts';
import { type Collection, Store } from './store.ts';

/** What all verbs share. */
export class ApiCore {
  readonly clock: Clock;
  readonly store: Store;
  readonly registry = new Registry();
  readonly #namespaces: Collection;
  #second = -1;
  #time = '';

  constructor(clock: Clock, historySize: number) {
    this.clock = clock;
    this.store = new Store(historySize);
    for (const kind of BUILTIN_KINDS) this.serveKind(kind);
    this.#namespaces = this.store.collection(this.registry.find('', 'v1', NAMESPACES.plural) as Kind);
  }

  /** The time as objects carry it, written once a second: each write stamps with it. */
  time(): string {
    const second = Math.floor(this.clock.now() / SECOND);
    if (second !== this.#second) {
      this.#second = second;
      this.#time = toTime(second * SECOND);
    }
    return this.#time;
  }

  serveKind(kind: Kind): void {
    this.registry.add(kind);
    this.store.collection(kind);
  }

  /** Objects can only be created in a namespace that exists and is not on its way out. */
  checkNamespace(namespace: string, kind: Kind, name: string): void {
    const entry = this.#namespaces.find('', namespace);
    if (!entry) throw notFound(this.#namespaces.kind, namespace);
    if (stringAt(entry.object.status, 'phase') !== 'Terminating') return;
    const resource = kind.group ? `${kind.plural}.${kind.group}` : kind.plural;
    throw new ApiError(
      403,
      'Forbidden',
      `${resource} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
      {
        name,
        kind: kind.plural,
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${namespace} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      },
    );
  }
}
