// The Transport into the embedded API: requests and answers are handed over as they are.

import type { Clock } from '../../platform/clock/clock.ts';
import {
  type KubeRequest,
  type KubeResponse,
  type KubeStream,
  type Transport,
  TransportError,
} from '../../platform/kube/transport.ts';
import type { Faults } from './faults.ts';
import type { WatchEvent } from './watch.ts';

/** The end of a stream's server side. */
export interface Source {
  take(): WatchEvent | 'end' | undefined;
  onReady(wake: () => void): void;
  end(): void;
}

export interface Backend {
  clock: Clock;
  handle(request: KubeRequest, user: string): KubeResponse;
  /** An open stream, or the refusal. */
  watch(request: KubeRequest): Source | KubeResponse;
}

export class InProcessTransport implements Transport {
  readonly #backend: Backend;
  readonly #user: string;
  readonly faults: Faults;

  constructor(backend: Backend, user: string, faults: Faults) {
    this.#backend = backend;
    this.#user = user;
    this.faults = faults;
  }

  async send(request: KubeRequest): Promise<KubeResponse> {
    const { faults } = this;
    if (faults.unreachable || request.signal?.aborted) throw notSent(request);
    if (faults.latency_ms > 0) await this.#wait(request);
    if (faults.errorRate > 0 && this.#backend.clock.random() < faults.errorRate) {
      // The client cannot tell the two apart: that is the point.
      if (this.#backend.clock.random() < 0.5) this.#backend.handle(request, this.#user);
      throw new TransportError('connection reset', { sent: true });
    }
    const response = this.#backend.handle(request, this.#user);
    if (faults.unreachable) throw new TransportError('connection reset', { sent: true });
    return response;
  }

  async stream(request: KubeRequest): Promise<KubeStream> {
    const { faults } = this;
    if (faults.unreachable || request.signal?.aborted) throw notSent(request);
    if (faults.latency_ms > 0) await this.#wait(request);
    const source = this.#backend.watch(request);
    if ('status' in source) {
      return { status: source.status, refusal: source.body, events: none() };
    }
    return { status: 200, events: new EventStream(source, faults, request.signal) };
  }

  close(): void {}

  /** The way there and back, cut short by the client's patience. */
  async #wait({ signal, timeout_ms }: KubeRequest): Promise<void> {
    const { latency_ms } = this.faults;
    const tooLong = timeout_ms !== undefined && timeout_ms < latency_ms;
    try {
      await this.#backend.clock.sleep(tooLong ? timeout_ms : latency_ms, signal);
    } catch (cause) {
      throw new TransportError('the request was aborted', { sent: true, cause });
    }
    if (tooLong) throw new TransportError(`no answer within ${timeout_ms} ms`, { sent: true });
    if (this.faults.unreachable) throw new TransportError('connection reset', { sent: true });
  }
}

const notSent = (request: KubeRequest) =>
  new TransportError(request.signal?.aborted ? 'the request was aborted' : 'connection refused', {
    sent: false,
    cause: request.signal?.reason,
  });

async function* none(): AsyncGenerator<never> {}

type Result = IteratorResult<WatchEvent, undefined>;

/** Reads a source under the faults of its client. One reader at a time. */
class EventStream implements AsyncIterableIterator<WatchEvent, undefined> {
  readonly #source: Source;
  readonly #faults: Faults;
  readonly #release: () => void;
  #broken = false;
  #aborted = false;
  #waiting: { resolve: (result: Result) => void; reject: (error: Error) => void } | undefined;

  constructor(source: Source, faults: Faults, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#faults = faults;
    const unhook = faults.onBreak(() => this.#break());
    const onAbort = () => this.#abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#release = () => {
      unhook();
      signal?.removeEventListener('abort', onAbort);
    };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    const now = this.#tryTake();
    if (now) return now;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#listen();
    });
  }

  return(): Promise<Result> {
    this.#abort();
    return Promise.resolve({ done: true, value: undefined });
  }

  #tryTake(): Promise<Result> | undefined {
    if (this.#broken) return Promise.reject(broken());
    if (this.#aborted) return Promise.resolve({ done: true, value: undefined });
    if (this.#faults.frozenWatches) return undefined;
    const event = this.#source.take();
    if (event === undefined) return undefined;
    if (event !== 'end') return Promise.resolve({ done: false, value: event });
    this.#release();
    return Promise.resolve({ done: true, value: undefined });
  }

  #listen(): void {
    const wake = () => this.#wake();
    if (this.#faults.frozenWatches) this.#faults.onThaw(wake);
    else this.#source.onReady(wake);
  }

  #wake(): void {
    if (!this.#waiting) return;
    const next = this.#tryTake();
    if (!next) {
      this.#listen();
      return;
    }
    const { resolve, reject } = this.#waiting;
    this.#waiting = undefined;
    next.then(resolve, reject);
  }

  #break(): void {
    this.#broken = true;
    this.#stop();
  }

  #abort(): void {
    this.#aborted = true;
    this.#stop();
  }

  #stop(): void {
    this.#release();
    this.#source.end();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (this.#broken) waiting?.reject(broken());
    else waiting?.resolve({ done: true, value: undefined });
  }
}

const broken = () => new TransportError('the stream broke', { sent: true });
