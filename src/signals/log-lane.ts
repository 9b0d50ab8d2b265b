// How many logs of one provider's machines may be read, at once and in a second: half of what the provider takes, so that
// the other half is free for machines that are in trouble.
import { SECOND } from '../platform/clock/clock.ts';

export interface Limits {
  perSecond: number;
  concurrent: number;
}

const SHARE = 0.5;
/** What a reading costs: the system, and a page of its log. One call runs at a time. */
const CALLS_A_LOG = 2;
/** Of the places, for machines whose last reading failed: BMCs that hang must not keep the others waiting. */
const TROUBLED_SHARE = 0.5;
/** A log is read this often, so that with the reading itself an entry is known within a minute. */
export const POLL_MS = 50 * SECOND;

export class Lane<T> {
  /** Those whose turn it is, and who found no place. */
  waiting: T[] = [];
  /** How often each log is read. */
  period_ms = POLL_MS;
  #at: number;
  /** Readings that may begin now. */
  #credit = 0;
  #places = 0;
  #running = 0;
  #troubled = 0;

  constructor(now: number) {
    this.#at = now;
  }

  /** Time has passed; so many machines are read in turn. */
  take({ perSecond, concurrent }: Limits, machines: number, now: number): void {
    const rate = (perSecond * SHARE) / CALLS_A_LOG;
    this.#places = Math.max(1, Math.floor(concurrent * SHARE));
    this.period_ms = Math.max(POLL_MS, (machines / rate) * SECOND);
    // What nobody used in the last seconds is lost.
    const earned = (rate * (now - this.#at)) / SECOND;
    this.#credit = Math.min(this.#credit + earned, Math.max(1, 4 * rate));
    this.#at = now;
  }

  get isFull(): boolean {
    return this.#credit < 1 || this.#running >= this.#places;
  }

  /** Returns how to leave; undefined where there is no place now. */
  enter(isTroubled: boolean): (() => void) | undefined {
    if (this.isFull) return undefined;
    if (isTroubled && this.#troubled >= Math.max(1, Math.floor(this.#places * TROUBLED_SHARE)))
      return undefined;
    this.#credit--;
    this.#running++;
    if (isTroubled) this.#troubled++;
    return () => {
      this.#running--;
      if (isTroubled) this.#troubled--;
    };
  }
}
