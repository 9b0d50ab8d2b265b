// Buys many machines: orders of at most 100, or more where the market takes bulk orders, over types and zones by
// preference, never more than wished, none lost and none made twice, whatever dies on the way. Each order is in the ledger
// before it is sent, with a token that stands for it alone; an order whose answer did not come is sent again, the same,
// until it is answered.
import { createHash } from 'node:crypto';
import { type Clock, MINUTE, SECOND } from '../clock/clock.ts';
import type { Ledger } from './ledger.ts';
import {
  BULK_MAX,
  type Failure,
  type Market,
  ORDER_MAX,
  type Order,
  ProviderError,
  SOURCES_MAX,
  type Source,
} from './provider.ts';
import { type Attempt, replay, type State } from './purchase-state.ts';

/** On every machine: the token of the order that made it. */
export const ORDER_LABEL = 'drover.dev/order';

/** Orders under way at one time. More would only be throttled sooner. */
const CONCURRENT = 4;
/** A type that was sold out in a zone is asked for again after this, and twice as long each time. */
const SOLD_OUT_MS_MIN = 30 * SECOND;
const SOLD_OUT_MS_MAX = 5 * MINUTE;
/** Between two tries of one order. */
const AGAIN_MS_MIN = SECOND;
const AGAIN_MS_MAX = 30 * SECOND;
/** A token older than this may have been forgotten: its machines are looked for first. No document says how long it lives. */
const TOKEN_MS_MAX = 30 * MINUTE;
/** A call that got no answer has arrived by then or never does, and what it made is listed. */
const SETTLED_MS = 3 * MINUTE;

export interface Wish {
  /** Names it for ever: tokens are derived from it. */
  id: string;
  count: number;
  /** In order of preference. */
  from: readonly Source[];
  /** Of the machines; the provider adds a number. */
  name: string;
  labels: Readonly<Record<string, string>>;
  /** Epoch milliseconds after which nothing new is ordered. */
  until: number;
}

export interface Bought {
  ids: readonly string[];
  /** Not had, and not under way. */
  missing: number;
  /** Of orders that nobody has answered: they stay open in the ledger, and count as neither. */
  unanswered: number;
  /** Why not all were had. */
  because?: { failure: Failure; message: string };
}

export interface Buying {
  market: Market;
  ledger: Ledger;
  clock: Clock;
  /** Stops it between two calls; what is open in the ledger goes on next time. */
  signal?: AbortSignal;
  onProgress?(had: number, wish: Wish): void;
}

/**
 * Goes on where the ledger ends, and resolves when all were had, or no more can be. Rejects when it was stopped, or when
 * the ledger can't be written.
 */
export async function purchase(wish: Wish, buying: Buying): Promise<Bought> {
  return new Purchase(wish, buying, replay(wish.id, await buying.ledger.read())).run();
}

/** 64 characters, the longest that ECS takes. */
export function tokenOf(wish: string, attempt: number): string {
  return createHash('sha256').update(`${wish}/${attempt}`).digest('hex');
}

/** Where machines may be had, and since when not. */
interface Pool extends Source {
  restsUntil: number;
  rest_ms: number;
}

class Purchase {
  readonly #wish: Wish;
  readonly #buying: Buying;
  readonly #state: State;
  readonly #sources: Pool[];
  /** Machines in one order from several sources; 0 where there are no such orders. */
  #bulk = 0;
  /** Open attempts that nobody works on yet. */
  readonly #waiting: Attempt[];
  readonly #running = new Set<Promise<void>>();
  /** No new order after this. */
  #ended: Bought['because'];
  /** The ledger failed, or somebody stopped us. */
  #broken: { error: unknown } | undefined;

  constructor(wish: Wish, buying: Buying, state: State) {
    this.#wish = wish;
    this.#buying = buying;
    this.#state = state;
    this.#waiting = [...state.open.values()];
    this.#sources = wish.from.map((source) => ({ ...source, restsUntil: 0, rest_ms: SOLD_OUT_MS_MIN }));
  }

  async run(): Promise<Bought> {
    if (this.#missing() > ORDER_MAX) this.#bulk = await this.#bulkOf();
    for (;;) {
      while (this.#running.size < CONCURRENT && this.#begin());
      const isWaiting = this.#missing() > 0 && !this.#isOver();
      if (this.#running.size === 0 && !isWaiting) break;
      await this.#change(isWaiting);
    }
    if (this.#broken) throw this.#broken.error;
    const missing = this.#missing();
    return {
      ids: this.#state.ids,
      missing,
      unanswered: this.#underWay(),
      ...(missing + this.#underWay() > 0 && { because: this.#ended ?? this.#soldOut() }),
    };
  }

  /** What can't be found out is done without. */
  async #bulkOf(): Promise<number> {
    const { market, signal } = this.#buying;
    const types = [...new Set(this.#sources.map(({ type }) => type))];
    try {
      return Math.min(BULK_MAX, (await market.bulk?.(types, signal)) ?? 0);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      signal?.throwIfAborted();
      return 0;
    }
  }

  #underWay(): number {
    let count = 0;
    for (const { order } of this.#state.open.values()) count += order.count;
    return count;
  }

  /** Neither had nor asked for. */
  #missing(): number {
    return Math.max(0, this.#wish.count - this.#state.ids.length - this.#underWay());
  }

  #isOver(): boolean {
    const { clock, signal } = this.#buying;
    if (signal?.aborted) this.#broken ??= { error: signal.reason };
    return this.#broken !== undefined || this.#ended !== undefined || clock.now() >= this.#wish.until;
  }

  #soldOut(): NonNullable<Bought['because']> {
    const from = this.#sources.map(({ type, zone }) => `${type} in ${zone}`).join(', ');
    return {
      failure: 'NoStock',
      message: `no more to be had until ${new Date(this.#wish.until).toISOString()}: ${from}`,
    };
  }

  /** Begins one order if there is one to begin. */
  #begin(): boolean {
    if (this.#broken) return false;
    const open = this.#waiting.shift();
    if (open) {
      this.#run(this.#settle(open, true));
      return true;
    }
    const missing = this.#missing();
    if (missing === 0 || this.#isOver()) return false;
    const now = this.#buying.clock.now();
    const sources = this.#sources.filter((source) => source.restsUntil <= now && !this.#isProbed(source));
    const [source] = sources;
    if (!source) return false;
    const isBulk = missing > ORDER_MAX && this.#bulk > ORDER_MAX;
    const attempt = isBulk
      ? this.#attempt(source, Math.min(missing, this.#bulk), sources.slice(1, SOURCES_MAX))
      : this.#attempt(source, Math.min(missing, ORDER_MAX));
    this.#state.open.set(attempt.number, attempt);
    this.#run(this.#order(attempt));
    return true;
  }

  /** What was sold out when last asked is asked by one order, not by all at once. */
  #isProbed(pool: Pool): boolean {
    if (pool.rest_ms === SOLD_OUT_MS_MIN) return false;
    return this.#state.open.values().some(({ order }) => this.#poolsOf(order).includes(pool));
  }

  #attempt({ type, zone }: Source, count: number, others?: readonly Source[]): Attempt {
    const { id, name, labels } = this.#wish;
    const number = this.#state.next++;
    const token = tokenOf(id, number);
    const order: Order = {
      token,
      type,
      zone,
      ...(others && { orElse: others.map(({ type, zone }) => ({ type, zone })) }),
      count,
      least: 1,
      name,
      labels: { ...labels, [ORDER_LABEL]: token },
    };
    return { number, order, at: this.#buying.clock.now() };
  }

  #run(work: Promise<void>): void {
    const ended: Promise<void> = work
      .catch((error: unknown) => {
        this.#broken ??= { error };
      })
      .finally(() => this.#running.delete(ended));
    this.#running.add(ended);
  }

  /** Resolves when an order has ended, or a source has rested. */
  async #change(isWaiting: boolean): Promise<void> {
    const { clock, signal } = this.#buying;
    const stop = new AbortController();
    const isFull = this.#running.size >= CONCURRENT;
    const now = clock.now();
    const rests = this.#sources.map(({ restsUntil }) => restsUntil).filter((until) => until > now);
    const wakesAt = Math.min(this.#wish.until, ...rests);
    const sleeps =
      isWaiting && !isFull
        ? [clock.sleep(wakesAt - now, AbortSignal.any(signal ? [stop.signal, signal] : [stop.signal]))]
        : [];
    try {
      await Promise.race([...this.#running, ...sleeps.map((sleep) => sleep.catch(() => {}))]);
    } finally {
      stop.abort();
    }
  }

  async #order(attempt: Attempt): Promise<void> {
    const { number, order, at } = attempt;
    await this.#buying.ledger.write({ kind: 'Asked', wish: this.#wish.id, attempt: number, order, at });
    await this.#settle(attempt, false);
  }

  /**
   * Sends the order until it is answered, or it makes no sense to go on for now.
   * @param sentBefore it was, and the answer is not known
   */
  async #settle(attempt: Attempt, sentBefore: boolean): Promise<void> {
    const { clock, market, signal } = this.#buying;
    let uncertain = sentBefore;
    if (uncertain && clock.now() - attempt.at > TOKEN_MS_MAX) {
      const found = await this.#fillFound(attempt);
      if (found !== false) return;
    }
    for (let wait_ms = AGAIN_MS_MIN; ; wait_ms = Math.min(2 * wait_ms, AGAIN_MS_MAX)) {
      try {
        const ids = await market.create(attempt.order, signal);
        await this.#fill(attempt, ids);
        return;
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        signal?.throwIfAborted();
        uncertain ||= mayHaveArrived(error);
        if (meaning(error) === 'Closed') return this.#close(attempt, error, uncertain);
        // Whether it was filled before is not known then, and it stays open.
        if (await this.#givesUp(error, wait_ms)) return;
      }
    }
  }

  async #fill({ number, order }: Attempt, ids: readonly string[]): Promise<void> {
    await this.#buying.ledger.write({ kind: 'Filled', attempt: number, ids: [...ids] });
    this.#state.open.delete(number);
    this.#state.ids.push(...ids);
    for (const pool of this.#poolsOf(order)) {
      if (ids.length < order.count) this.#rest(pool);
      else pool.rest_ms = SOLD_OUT_MS_MIN;
    }
    this.#buying.onProgress?.(this.#state.ids.length, this.#wish);
  }

  /** Whether machines of this order are there; undefined where that can't be found out for now, and it stays open. */
  async #fillFound(attempt: Attempt): Promise<boolean | undefined> {
    const { market, signal } = this.#buying;
    for (let wait_ms = AGAIN_MS_MIN; ; wait_ms = Math.min(2 * wait_ms, AGAIN_MS_MAX)) {
      try {
        const ids = await market.find({ [ORDER_LABEL]: attempt.order.token }, signal);
        if (ids.length > 0) await this.#fill(attempt, ids);
        return ids.length > 0;
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        signal?.throwIfAborted();
        if (await this.#givesUp(error, wait_ms)) return undefined;
      }
    }
  }

  /** Waits before the next try, or says that there is none for now. */
  async #givesUp(error: ProviderError, wait_ms: number): Promise<boolean> {
    const { clock, signal } = this.#buying;
    if (meaning(error) === 'Stop' || clock.now() >= this.#wish.until + SETTLED_MS) {
      this.#ended ??= error;
      return true;
    }
    await clock.sleep(
      Math.max((error.until ?? 0) - clock.now(), wait_ms * (0.5 + clock.random() / 2)),
      signal,
    );
    return false;
  }

  /** It was refused. Where an earlier try of it went unanswered, that one may still arrive, or have been filled. */
  async #close(attempt: Attempt, error: ProviderError, uncertain: boolean): Promise<void> {
    const { clock, ledger, signal } = this.#buying;
    if (uncertain) {
      await clock.sleep(SETTLED_MS, signal);
      const found = await this.#fillFound(attempt);
      if (found !== false) return;
    }
    const { failure, message } = error;
    await ledger.write({
      kind: 'Refused',
      attempt: attempt.number,
      failure,
      message: message.slice(0, 4096),
    });
    this.#state.open.delete(attempt.number);
    if (failure !== 'NoStock') this.#ended ??= error;
    else for (const pool of this.#poolsOf(attempt.order)) this.#rest(pool);
  }

  #poolsOf({ type, zone, orElse = [] }: Order): Pool[] {
    const named = [{ type, zone }, ...orElse];
    return this.#sources.filter((pool) =>
      named.some((source) => source.type === pool.type && source.zone === pool.zone),
    );
  }

  #rest(pool: Pool): void {
    const now = this.#buying.clock.now();
    // Orders that were under way side by side are one answer.
    if (pool.restsUntil > now) return;
    pool.restsUntil = now + pool.rest_ms;
    pool.rest_ms = Math.min(2 * pool.rest_ms, SOLD_OUT_MS_MAX);
  }
}

/** What becomes of an order that failed so. */
function meaning({ failure }: ProviderError): 'Again' | 'Closed' | 'Stop' {
  switch (failure) {
    case 'TryAgain':
    case 'Throttled':
    case 'Unknown':
    case 'Broken':
      return 'Again';
    case 'NoStock':
    case 'Quota':
    case 'Refused':
    case 'NotFound':
      return 'Closed';
    case 'BadCredentials':
      return 'Stop';
  }
}

/** A TryAgain may stand for several tries behind it, and for one with this token that is still at work. */
function mayHaveArrived({ failure, reason }: ProviderError): boolean {
  return (
    failure === 'Unknown' || failure === 'Broken' || failure === 'TryAgain' || reason === 'TokenMismatch'
  );
}
