// How a BMC goes wrong, switchable while the service runs.

import type { Seen } from './journal.ts';

export interface Faults {
  /** Success with a body that is cut off in the middle. */
  badBody?: boolean;
  /** Does nothing, and answers 200 with an error in the body. */
  errorWith200?: boolean;
  /** Takes the request and never answers. */
  hang?: boolean;
  /** Milliseconds before it looks at a request. */
  slow_ms?: number;
  /** A session ends after its first request. */
  dropSessions?: boolean;
  /** A reset is accepted and nothing happens. */
  resetIgnored?: boolean;
  /** Does what was asked, then cuts the connection. */
  lostAnswers?: boolean;
  /** `@Message.ExtendedInfo` beside `error`, where it does not belong, as in old firmware. */
  extendedInfoAtTop?: boolean;
  /**
   * Tags that break the standard, each as somebody met it. `Doubled`: `""abc""`. `Unquoted`: given as `"abc"`,
   * taken back only as `abc`. `WeakRefused`: given as `W/"abc"`, taken back only as `"abc"`. `Refused`: 412 for
   * any If-Match.
   */
  etags?: 'Doubled' | 'Unquoted' | 'WeakRefused' | 'Refused';
  /** Only for requests that it picks; all of them without. */
  only?: (request: Seen) => boolean;
}

/** The faults that this request meets. */
export function faultsFor(faults: Faults, request: Seen): Faults {
  return faults.only === undefined || faults.only(request) ? faults : {};
}
