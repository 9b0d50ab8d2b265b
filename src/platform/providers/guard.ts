// What every provider has around it, whatever it is: a limit of time on each call, tries again where the error says
// that this helps, and a machine that does not answer left in peace for a while, so that it costs others nothing.
import { type Clock, MINUTE, SECOND } from '../clock/clock.ts';
import { messageOf } from '../kube/errors.ts';
import { type Failure, type Maintenance, type Market, type Provider, ProviderError } from './provider.ts';

/** Read again each 5 s by who needs it: no second try. */
export const DESCRIBE_MS_MAX = 15 * SECOND;
/** Off, seen off, and on again takes a BMC half a minute. */
export const ACT_MS_MAX = 90 * SECOND;
/** A SEL of 4,000 entries, 50 a page, each page a second. */
export const READ_MS_MAX = 2 * MINUTE;
/** Root, login, service, and the stream's first byte; some send none before the first event, and count as refusing. */
export const OPEN_MS_MAX = 30 * SECOND;
const TRIES_MAX = 3;
const RETRY_MS = 500;
/** A machine whose provider did not answer is asked again after this, and twice as long each time. */
const QUIET_MS_MIN = 4 * SECOND;
const QUIET_MS_MAX = 30 * SECOND;
/** A wrong password that is tried each 5 s locks the account. */
const LOCKED_OUT_MS = MINUTE;

/** The same provider, bounded. */
export function guarded(provider: Provider, clock: Clock): Provider {
  const quiet = new Map<string, { until: number; wait_ms: number; error: ProviderError }>();
  const bounded =
    (limit_ms: number, late: Failure, tries: 'Once' | 'Again'): Bounded =>
    (what, signal, call) =>
      within(clock, limit_ms, what, late, signal, (bound) =>
        tries === 'Once' ? call(bound) : retried(clock, bound, () => call(bound)),
      );
  const read = bounded(READ_MS_MAX, 'TryAgain', 'Again');
  const once = bounded(ACT_MS_MAX, 'Unknown', 'Once');
  const again = bounded(READ_MS_MAX, 'Unknown', 'Again');
  const { inventory, maintenance, market, events, logIsMaintenance, bootOnce } = provider;

  async function describe(id: string, signal?: AbortSignal) {
    const known = quiet.get(id);
    if (known && clock.now() < known.until) {
      const { until, error } = known;
      const message = `not asked again before ${new Date(until).toISOString()}: ${error.message}`;
      throw new ProviderError(error.failure, message, { until, reason: error.reason, cause: error });
    }
    try {
      const reading = await within(clock, DESCRIBE_MS_MAX, `describe ${id}`, 'TryAgain', signal, (bound) =>
        provider.describe(id, bound),
      );
      quiet.delete(id);
      return reading;
    } catch (error) {
      const wait_ms = quietTime(error, known?.wait_ms);
      // A caller who went away says nothing of the machine.
      if (wait_ms !== undefined && !signal?.aborted)
        quiet.set(id, { until: clock.now() + wait_ms, wait_ms, error: error as ProviderError });
      throw error;
    }
  }

  return {
    describe,
    // Never tried again here: who acts must be allowed to each time.
    act: (id, act, key, signal) => once(`${act} ${id}`, signal, (bound) => provider.act(id, act, key, bound)),
    list: (signal) => provider.list(signal),
    eventLog: (id, signal) => read(`event log of ${id}`, signal, (bound) => provider.eventLog(id, bound)),
    ...(logIsMaintenance && { logIsMaintenance }),
    ...(events && {
      // Only the opening has a limit: what is open ends by its own rules, or with its caller.
      events: (id, signal) =>
        within(clock, OPEN_MS_MAX, `events of ${id}`, 'TryAgain', signal, (bound) =>
          events(id, AbortSignal.any([signal, bound])),
        ),
    }),
    console: (id, signal) => read(`console of ${id}`, signal, (bound) => provider.console(id, bound)),
    ...(bootOnce && {
      bootOnce: (id, source, signal) =>
        once(`boot source of ${id}`, signal, (bound) => bootOnce(id, source, bound)),
    }),
    ...(inventory && {
      inventory: (id, signal) => read(`inventory of ${id}`, signal, (bound) => inventory(id, bound)),
    }),
    ...(maintenance && { maintenance: guardedMaintenance(maintenance, read, once) }),
    ...(market && { market: guardedMarket(market, read, again) }),
    close: () => provider.close(),
  };
}

type Bounded = <T>(
  what: string,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

function guardedMaintenance(maintenance: Maintenance, read: Bounded, once: Bounded): Maintenance {
  const { simulate, report } = maintenance;
  return {
    open: (signal) => read('open events', signal, (bound) => maintenance.open(bound)),
    // Twice is once.
    accept: (event, signal) => read(`accept ${event}`, signal, (bound) => maintenance.accept(event, bound)),
    ...(simulate && {
      simulate: (machine, type, notBefore, signal) =>
        once(`simulate ${type}`, signal, (bound) => simulate(machine, type, notBefore, bound)),
    }),
    ...(report && {
      report: (machine, what, signal) =>
        once(`report ${machine}`, signal, (bound) => report(machine, what, bound)),
    }),
  };
}

function guardedMarket(market: Market, read: Bounded, again: Bounded): Market {
  const { bulk } = market;
  return {
    types: (names, signal) => read('instance types', signal, (bound) => market.types(names, bound)),
    offers: (types, signal) => read('stock', signal, (bound) => market.offers(types, bound)),
    find: (labels, signal) => read('machines by label', signal, (bound) => market.find(labels, bound)),
    // Its token makes a repeat harmless.
    create: (order, signal) => again(`order ${order.token}`, signal, (bound) => market.create(order, bound)),
    ...(bulk && {
      bulk: (types, signal) => read('bulk orders', signal, (bound) => bulk(types, bound)),
    }),
  };
}

/** For how long the machine is left in peace after this error; undefined where that would mend nothing. */
function quietTime(error: unknown, before_ms: number | undefined): number | undefined {
  const failure = error instanceof ProviderError ? error.failure : undefined;
  if (failure === 'BadCredentials') return LOCKED_OUT_MS;
  if (failure !== 'TryAgain') return undefined;
  return before_ms === undefined ? QUIET_MS_MIN : Math.min(2 * before_ms, QUIET_MS_MAX);
}

/**
 * Ends when the call does, or when its time is over, whatever the call makes of its signal.
 * @param late what it means that no answer came
 */
async function within<T>(
  clock: Clock,
  limit_ms: number,
  what: string,
  late: Failure,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const ended = Promise.withResolvers<never>();
  const end = (error: ProviderError) => {
    stop.abort(error);
    ended.reject(error);
  };
  const timer = clock.timer(limit_ms, () =>
    end(new ProviderError(late, `${what}: no answer within ${limit_ms / SECOND} s`)),
  );
  const onAbort = () => end(new ProviderError(late, `${what}: given up by its caller`));
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([call(stop.signal), ended.promise]);
  } catch (error) {
    throw error instanceof ProviderError
      ? error
      : new ProviderError(late, `${what}: ${messageOf(error)}`, { cause: error });
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Tries again, with jitter, what failed without having happened. For reads, and for what is harmless twice. */
export async function retried<T>(
  clock: Clock,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await call();
    } catch (error) {
      const failure = error instanceof ProviderError ? error.failure : 'Broken';
      if (tried >= TRIES_MAX || (failure !== 'TryAgain' && failure !== 'Throttled') || signal?.aborted)
        throw error;
      const until = (error as ProviderError).until ?? 0;
      const jitter_ms = clock.random() * RETRY_MS * 2 ** (tried - 1);
      await clock.sleep(Math.max(until - clock.now(), RETRY_MS) + jitter_ms, signal);
    }
  }
}
