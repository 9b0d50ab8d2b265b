// Calls of one API in one minute: what is over the limit is refused until the next minute begins.
import { type Clock, MINUTE } from '../../platform/clock/clock.ts';
import { ApiError } from './api-error.ts';

/** As the Quota Center shows for most APIs, and for reads of instances. */
const PER_MINUTE = 200;
const PER_MINUTE_LISTS = 1000;

export class Throttle {
  readonly #clock: Clock;
  readonly #limits: Readonly<Record<string, number>>;
  readonly #seen = new Map<string, { minute: number; calls: number }>();

  /** @param limits calls a minute by action, in place of the usual ones. */
  constructor(clock: Clock, limits: Readonly<Record<string, number>>) {
    this.#clock = clock;
    this.#limits = limits;
  }

  take(owner: string, action: string): void {
    const minute = Math.floor(this.#clock.now() / MINUTE);
    const key = `${owner}/${action}`;
    const known = this.#seen.get(key);
    const now = known?.minute === minute ? known : { minute, calls: 0 };
    this.#seen.set(key, now);
    const most = this.#limits[action] ?? (action === 'DescribeInstances' ? PER_MINUTE_LISTS : PER_MINUTE);
    if (++now.calls > most)
      throw new ApiError('Throttling.User', 'Request was denied due to user flow control.');
  }
}
