import type { Incident } from '../../api/incident.ts';
import type { Reason } from '../../api/fields.ts';
import type { NodeOperation } from '../../api/node-operation.ts';

/** One act, refusal or finding, with everything that it rests on. */
export interface Decision extends Reason {
  /** Epoch milliseconds. */
  at: number;
  /** Which controller decided: `healing`, `gate`, `operations`, `fleet`. */
  actor: string;
  kind: 'Act' | 'Refusal' | 'Note';
  cluster: string;
  machine: string;
  /** Name of the incident or operation that it is about. */
  subject: string;
}

/**
 * Where what has happened is kept. Writing never waits, fails or grows: losing history must lose no
 * control. Reading is for people.
 */
export interface History {
  decision(decision: Decision): void;
  /** The newest state of an incident or operation replaces what was there. */
  incident(incident: Incident): void;
  operation(operation: NodeOperation): void;
}

/** For runs that need none. */
export const noHistory: History = { decision() {}, incident() {}, operation() {} };
