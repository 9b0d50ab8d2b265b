// What the service saw: requests, and how many at once. Tests judge a client's manners by it.

/** Requests kept; the oldest go first. */
const REQUESTS_MAX = 2000;

export interface Seen {
  at_ms: number;
  method: string;
  /** With its query. */
  path: string;
  auth: 'None' | 'Basic' | 'Token';
  user?: string;
  ifMatch?: string;
  /** As parsed, without passwords. */
  body?: unknown;
  /** Undefined while it is under way, and for ever when it was never answered. */
  status?: number;
}

export class Journal {
  readonly requests: Seen[] = [];
  concurrent = 0;
  concurrentMost = 0;

  /** Counts a request until `end` is called, which may be more than once. */
  begin(request: Seen): () => void {
    if (this.requests.length === REQUESTS_MAX) this.requests.shift();
    this.requests.push(request);
    this.concurrent++;
    this.concurrentMost = Math.max(this.concurrentMost, this.concurrent);
    let counted = true;
    return () => {
      if (counted) this.concurrent--;
      counted = false;
    };
  }

  forget(): void {
    this.requests.length = 0;
    this.concurrentMost = this.concurrent;
  }
}
