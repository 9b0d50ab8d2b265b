// What every provider has around it, whatever it is: a limit of time on each call, tries again where the error says
// that this helps, and a machine that does not answer left in peace for a while, so that it costs others nothing.
import { type Clock, MINUTE, SECOND } from '../clock/clock.ts';
import { messageOf } from '../kube/errors.ts';
import { type Failure, type Provider, ProviderError } from './provider.ts';

/** Read again each 5 s by who needs it: no second try. */
export const DESCRIBE_MS_MAX = 15 * SECOND;
/** Off, seen off, and on again takes a BMC half a minute. */
export const ACT_MS_MAX = 90 * SECOND;
/** A SEL of 4,000 entries, 50 a page, each page a second. */
export const READ_MS_MAX = 2 * MINUTE;
const TRIES_MAX = 3;
const RETRY_MS = 500;
/** A machine whose provider did not answer is asked again after this, and twice as long each time. */
const QUIET_MS_MIN = 4 * SECOND;
const QUIET_MS_MAX = 30 * SECOND;

/** The same provider, bounded. */
export function guarded(provider: Provider, clock: Clock): Provider {
  const quiet = new Map<string, { until: number; next_ms: number; why: string }>();
  const read = <T>(
    what: string,
    signal: AbortSignal | undefined,
    call: (signal: AbortSignal) => Promise<T>,
  ) =>
    within(clock, READ_MS_MAX, what, 'TryAgain', signal, (bound) => retried(clock, bound, () => call(bound)));
  const { maintenance } = provider;

  async function describe(id: string, signal?: AbortSignal) {
    const known = quiet.get(id);
    if (known && clock.now() < known.until) {
      const { until, why } = known;
      throw new ProviderError('TryAgain', `not asked again before ${new Date(until).toISOString()}: ${why}`, {
        until,
      });
    }
    try {
      const reading = await within(clock, DESCRIBE_MS_MAX, `describe ${id}`, 'TryAgain', signal, (bound) =>
        provider.describe(id, bound),
      );
      quiet.delete(id);
      return reading;
    } catch (error) {
      const next_ms = known?.next_ms ?? QUIET_MS_MIN;
      // Only what waiting may mend; and a caller who went away says nothing of the machine.
      if (error instanceof ProviderError && error.failure === 'TryAgain' && !signal?.aborted)
        quiet.set(id, {
          until: clock.now() + next_ms,
          next_ms: Math.min(2 * next_ms, QUIET_MS_MAX),
          why: error.message,
        });
      throw error;
    }
  }

  return {
    describe,
    // Never tried again here: who acts must be allowed to each time.
    act: (id, act, key, signal) =>
      within(clock, ACT_MS_MAX, `${act} ${id}`, 'Unknown', signal, (bound) =>
        provider.act(id, act, key, bound),
      ),
    list: (signal) => provider.list(signal),
    eventLog: (id, signal) => read(`event log of ${id}`, signal, (bound) => provider.eventLog(id, bound)),
    console: (id, signal) => read(`console of ${id}`, signal, (bound) => provider.console(id, bound)),
    ...(maintenance && {
      maintenance: {
        open: (signal) => read('open events', signal, (bound) => maintenance.open(bound)),
        accept: (event, signal) =>
          read(`accept ${event}`, signal, (bound) => maintenance.accept(event, bound)),
      },
    }),
    close: () => provider.close(),
  };
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
