import type { Reason } from '../../api/fields.ts';
import type { KubeClient } from './client.ts';
import { EVENTS, type KubeObject } from './objects.ts';

/** Events waiting to be written; more are dropped, since history has them in SQL. */
const PENDING_MAX = 500;
/** The Events API refuses longer notes. */
const NOTE_LENGTH_MAX = 1024;
const CONTROLLER = 'drover.dev/drover';

/** Writes Kubernetes Events (`events.k8s.io/v1`). Best effort: it never fails, waits or grows. */
export class Recorder {
  readonly #client: KubeClient;
  readonly #instance: string;
  #pending = 0;
  dropped = 0;

  constructor(client: KubeClient, instance: string) {
    this.#client = client;
    this.#instance = instance;
  }

  record(about: KubeObject, type: 'Normal' | 'Warning', action: string, reason: Reason): void {
    if (this.#pending >= PENDING_MAX) {
      this.dropped++;
      return;
    }
    const { name, namespace, uid } = about.metadata;
    const where = namespace ?? 'default';
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${name.slice(0, 200)}.${this.#client.clock.id(16)}`, namespace: where },
      eventTime: this.#client.microTime(),
      type,
      action,
      reason: reason.reason,
      note: reason.message.slice(0, NOTE_LENGTH_MAX),
      regarding: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name,
        ...(uid && { uid }),
        ...(namespace && { namespace }),
      },
      reportingController: CONTROLLER,
      reportingInstance: this.#instance,
    };
    this.#pending++;
    this.#client
      .create(EVENTS, event, 'drover-events')
      .catch(() => {
        this.dropped++;
      })
      .finally(() => {
        this.#pending--;
      });
  }
}
