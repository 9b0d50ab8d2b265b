import type { Incident } from '../../api/incident.ts';
import type { NodeOperation } from '../../api/node-operation.ts';
import { isNewer } from '../kube/cache.ts';
import type { Decision } from './history.ts';
import { Lane } from './lane.ts';
import { versionOf } from './rows.ts';

/**
 * Entries that wait for each table, at most: a day of a busy fleet. Decisions of 1 KB make 10 MB; incidents
 * and operations are mostly the caches' own objects.
 */
export const BUFFER_ENTRIES_MAX = 10_000;

/** What has been told and not yet written. */
export class Buffer {
  readonly decisions = new Lane<number, Decision>(BUFFER_ENTRIES_MAX);
  readonly incidents = new Lane<string, Incident>(BUFFER_ENTRIES_MAX);
  readonly operations = new Lane<string, NodeOperation>(BUFFER_ENTRIES_MAX);
  #number = 0;
  /** Entries that the database will never take. */
  refused = 0;

  decision(decision: Decision): void {
    this.decisions.put(++this.#number, decision);
  }

  incident(incident: Incident): void {
    this.#newest(this.incidents, incident);
  }

  operation(operation: NodeOperation): void {
    this.#newest(this.operations, operation);
  }

  get pending(): number {
    return this.decisions.size + this.incidents.size + this.operations.size;
  }

  get dropped(): number {
    return this.decisions.dropped + this.incidents.dropped + this.operations.dropped + this.refused;
  }

  #newest<T extends Incident | NodeOperation>(lane: Lane<string, T>, object: T): void {
    const { uid } = object.metadata;
    if (!uid) {
      this.refused++;
      return;
    }
    const waiting = lane.get(uid);
    if (waiting && !isNewer(versionOf(object), versionOf(waiting))) return;
    lane.put(uid, object);
  }
}
