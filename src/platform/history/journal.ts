import type { Reason } from '../../api/fields.ts';
import type { Clock } from '../clock/clock.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Recorder } from '../kube/recorder.ts';
import type { Log } from '../telemetry/log.ts';
import type { Decision, History } from './history.ts';

/** Kept for each machine in memory, for its status. */
export const RECENT_MAX = 5;

export interface Entry {
  actor: string;
  kind: Decision['kind'];
  cluster: string;
  machine: string;
  /** What it is about, and what the Kubernetes Event hangs on. */
  about: KubeObject;
}

/**
 * Where every act and every refusal is said, once: the same record goes to the history, the Event, the log
 * and the machine's status. A refusal that is repeated at each look is said when its reason changes.
 */
export class Journal {
  readonly #clock: Clock;
  readonly #history: History;
  readonly #recorder: Recorder;
  readonly #log: Log;
  readonly #lastRefusal = new Map<string, string>();
  readonly #recent = new Map<string, Decision[]>();
  readonly #listeners = new Set<(decision: Decision) => void>();

  constructor(options: { clock: Clock; history: History; recorder: Recorder; log: Log }) {
    this.#clock = options.clock;
    this.#history = options.history;
    this.#recorder = options.recorder;
    this.#log = options.log;
  }

  say(entry: Entry, reason: Reason): void {
    const subject = entry.about.metadata.name;
    const key = `${entry.actor}/${subject}`;
    if (entry.kind === 'Refusal') {
      if (this.#lastRefusal.get(key) === reason.reason) return;
      this.#lastRefusal.set(key, reason.reason);
    } else this.#lastRefusal.delete(key);

    const { actor, kind, cluster, machine } = entry;
    const decision: Decision = { at: this.#clock.now(), actor, kind, cluster, machine, subject, ...reason };
    this.#history.decision(decision);
    this.#recorder.record(entry.about, kind === 'Refusal' ? 'Warning' : 'Normal', kind, reason);
    this.#log.info(reason.message, { machine, actor, kind, reason: reason.reason, subject });
    const recent = [decision, ...(this.#recent.get(machine) ?? [])].slice(0, RECENT_MAX);
    this.#recent.set(machine, recent);
    for (const listener of this.#listeners) listener(decision);
  }

  /** The last decisions about a machine, newest first. */
  recent(machine: string): readonly Decision[] {
    return this.#recent.get(machine) ?? [];
  }

  subscribe(listener: (decision: Decision) => void): void {
    this.#listeners.add(listener);
  }

  /** An ended subject says no more. */
  forget(subject: string): void {
    for (const key of this.#lastRefusal.keys())
      if (key.endsWith(`/${subject}`)) this.#lastRefusal.delete(key);
  }
}
