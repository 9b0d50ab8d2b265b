import type { Reason } from '../../api/fields.ts';
import type { KubeClient } from './client.ts';
import { EVENTS, type KubeObject } from './objects.ts';

/** Events waiting to be written; more are dropped, since history has them in SQL. */
export const PENDING_MAX = 500;
/** The Events API refuses longer notes; it counts bytes, and a Chinese character has three. */
const NOTE_BYTES_MAX = 1024;
/** Leaves room for what makes the event's own name unique, within the 253 of a name. */
const NAME_LENGTH_MAX = 200;
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
    // A part of a name may not end in a dash, wherever it was cut.
    const stem = name.slice(0, NAME_LENGTH_MAX).replace(/[-.]+$/, '');
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: `${stem}.${this.#client.clock.id(16)}`, namespace: where },
      eventTime: this.#client.microTime(),
      type,
      action,
      reason: reason.reason,
      note: cutToBytes(reason.message, NOTE_BYTES_MAX),
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

/** As many whole characters of `text` as fit. */
function cutToBytes(text: string, bytes_max: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes_max));
  return text.slice(0, read);
}
