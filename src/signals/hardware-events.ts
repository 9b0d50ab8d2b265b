// News from the logs of all machines' hardware: by a stream where the provider has one, else by reading the log once a
// minute. Those that are well are asked for nothing else, and a part that fails says so there first.
import type { Machine } from '../api/machine.ts';
import { type Clock, HOUR, MINUTE, SECOND } from '../platform/clock/clock.ts';
import type { Outside } from '../platform/outside.ts';
import { type LogEntry, type Provider, ProviderError } from '../platform/providers/provider.ts';
import { subjectOf } from './hardware-signs.ts';
import { Lane, type Limits, POLL_MS } from './log-lane.ts';
import { hash32, type LogMark, newsIn } from './log-mark.ts';

/** How often it is looked whose turn it is. */
export const PASS_MS = 2 * SECOND;
/** Of a machine whose stream is open: a stream that is silent for a wrong reason looks like one where nothing happens. */
const STREAMED_MS = 10 * MINUTE;
/** Each holds a connection, some 100 KB. The machines beyond these are read. */
const STREAMS_MAX = 2_000;
/** A stream that broke is opened again after this, and twice as long each time that it breaks at once. */
const REOPEN_MS_MIN = 2 * SECOND;
const REOPEN_MS_MAX = 10 * MINUTE;
/** A BMC that has no stream may get one with its next firmware. */
const WITHOUT_MS = HOUR;
/** A log that could not be read is read again after twice as long each time: a BMC that hangs holds a place meanwhile. */
const FAILED_MS_MAX = 16 * MINUTE;
/** A log that takes a minute to read is read each four: it must not be all that its BMC does. */
const PAUSE_SHARE = 4;
/** The stream may be ahead of the log by this. */
const AHEAD_MS = 30 * SECOND;
/** Entries that came by stream and have not been met in the log. */
const TOLD_MAX = 64;

export interface HardwareEventsOptions {
  clock: Clock;
  /** Only those whose events are this replica's business. */
  machines(): Iterable<Machine>;
  outside(machine: Machine): Outside | undefined;
  /** Of a MachineProvider, as all its callers share them. */
  limits(provider: string): Limits | undefined;
  /** Told each entry once. Must not throw. */
  onNews(machine: string, news: readonly LogEntry[]): void;
  onError(machine: string, error: unknown): void;
}

interface Watched {
  machine: Machine;
  /** What was in the log when it was read last. */
  mark?: LogMark;
  /** Came by stream: what, and when. */
  told: { what: number; at: number }[];
  nextAt: number;
  /** Looks in a row that failed. */
  failed: number;
  isBusy: boolean;
  stream?: AbortController;
  /** No stream is tried before. */
  streamAt: number;
  streamFailed: number;
  isGone: boolean;
}

export class HardwareEvents {
  readonly #options: HardwareEventsOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #lanes = new Map<string, Lane<Watched>>();
  #streams = 0;

  constructor(options: HardwareEventsOptions) {
    this.#options = options;
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams;
  }

  /** How often the logs of each provider are read, in milliseconds: longer than POLL_MS where its limits allow no more. */
  periods(): ReadonlyMap<string, number> {
    return new Map([...this.#lanes].map(([provider, lane]) => [provider, lane.period_ms]));
  }

  /** One pass: begins what is due, and waits for nothing. Streams end with `signal`. */
  pass(signal: AbortSignal): void {
    const { clock, limits, outside } = this.#options;
    const now = clock.now();
    this.#follow();
    const byProvider = Map.groupBy(this.#watched.values(), ({ machine }) => machine.spec.provider.name);
    for (const name of this.#lanes.keys()) if (!byProvider.has(name)) this.#lanes.delete(name);
    for (const [name, all] of byProvider) {
      const allowed = limits(name);
      const first = all[0] && outside(all[0].machine)?.provider;
      if (!allowed || !first || first.logIsMaintenance) continue;
      const lane = this.#lanes.get(name) ?? new Lane<Watched>(now);
      this.#lanes.set(name, lane);
      lane.take(allowed, all.filter(({ stream }) => !stream).length, now);
      const due = all.filter((watched) => !watched.isBusy && this.#dueAt(watched, lane) <= now);
      this.#begin(
        due.sort((a, b) => a.nextAt - b.nextAt),
        lane,
        signal,
      );
    }
  }

  /** Who has waited longest goes first; who ends makes room for the next. */
  #begin(due: readonly Watched[], lane: Lane<Watched>, signal: AbortSignal): void {
    lane.waiting = [];
    for (const [at, watched] of due.entries()) {
      if (lane.isFull) {
        lane.waiting = [...lane.waiting, ...due.slice(at)];
        return;
      }
      const leave = watched.isBusy || watched.isGone ? undefined : lane.enter(watched.failed > 0);
      if (!leave) {
        lane.waiting.push(watched);
        continue;
      }
      watched.isBusy = true;
      void this.#look(watched, lane, signal).finally(() => {
        watched.isBusy = false;
        leave();
        if (!signal.aborted) this.#begin(lane.waiting, lane, signal);
      });
    }
  }

  /** Takes in machines that are new, and lets go of those that are no more, or another now. */
  #follow(): void {
    const there = new Map<string, Machine>();
    for (const machine of this.#options.machines()) there.set(keyOf(machine), machine);
    for (const [key, watched] of this.#watched) {
      if (there.has(key)) continue;
      watched.isGone = true;
      watched.stream?.abort(new Error('it is not watched any more'));
      this.#watched.delete(key);
    }
    for (const [key, machine] of there) {
      const watched = this.#watched.get(key);
      if (watched) watched.machine = machine;
      else
        this.#watched.set(key, {
          machine,
          told: [],
          nextAt: Number.NaN,
          failed: 0,
          isBusy: false,
          streamAt: 0,
          streamFailed: 0,
          isGone: false,
        });
    }
  }

  /** The first turn of each is spread over the period by its name: a fleet is never asked in one breath. */
  #dueAt(watched: Watched, lane: Lane<Watched>): number {
    if (Number.isNaN(watched.nextAt)) {
      const share = hash32(watched.machine.metadata.name) / 2 ** 32;
      watched.nextAt = this.#options.clock.now() + share * lane.period_ms;
    }
    return watched.nextAt;
  }

  async #look(watched: Watched, lane: Lane<Watched>, signal: AbortSignal): Promise<void> {
    const { clock, outside, onError } = this.#options;
    const { metadata, spec } = watched.machine;
    const from = clock.now();
    const provider = outside(watched.machine)?.provider;
    try {
      if (provider) {
        if (provider.events && !watched.stream && from >= watched.streamAt && this.#streams < STREAMS_MAX)
          await this.#open(watched, provider, signal);
        this.#read(watched, await provider.eventLog(spec.provider.id, signal), from);
      }
      watched.failed = 0;
      const wait_ms = watched.stream ? STREAMED_MS : lane.period_ms;
      watched.nextAt = Math.max(from + wait_ms, clock.now() + PAUSE_SHARE * (clock.now() - from));
    } catch (error) {
      watched.nextAt = clock.now() + pauseAfter(error, ++watched.failed, lane.period_ms);
      // One that keeps no log has said all there is to say.
      if (!isRefusal(error) && !signal.aborted) onError(metadata.name, error);
    }
  }

  /** A stream that is not to be had is no trouble: the log is read instead. */
  async #open(watched: Watched, { events }: Provider, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#streams++;
    const ended = () => {
      signal.removeEventListener('abort', onAbort);
      this.#streams--;
    };
    try {
      const entries = await events?.(watched.machine.spec.provider.id, stop.signal);
      if (watched.isGone) stop.abort(new Error('it is not watched any more'));
      if (!entries) return ended();
      watched.stream = stop;
      void this.#listen(watched, entries).finally(ended);
    } catch (error) {
      ended();
      watched.streamAt = clock.now() + (isRefusal(error) ? WITHOUT_MS : this.#reopenAfter(watched));
    }
  }

  async #listen(watched: Watched, entries: AsyncIterable<LogEntry>): Promise<void> {
    const { clock, onNews } = this.#options;
    const from = clock.now();
    try {
      for await (const entry of entries) {
        watched.told = [...watched.told, { what: whatOf(entry), at: clock.now() }].slice(-TOLD_MAX);
        onNews(watched.machine.metadata.name, [entry]);
      }
    } catch {
      // Why it broke is found out by opening it again.
    }
    delete watched.stream;
    if (clock.now() - from >= MINUTE) watched.streamFailed = 0;
    watched.streamAt = clock.now() + this.#reopenAfter(watched);
    // What was written while it was broken is in the log.
    watched.nextAt = Math.min(watched.nextAt, Math.max(watched.streamAt, clock.now()), clock.now() + POLL_MS);
  }

  #reopenAfter(watched: Watched): number {
    const longest_ms = Math.min(REOPEN_MS_MIN * 2 ** watched.streamFailed++, REOPEN_MS_MAX);
    return longest_ms * (0.5 + this.#options.clock.random() / 2);
  }

  #read(watched: Watched, log: readonly LogEntry[], from: number): void {
    const { mark, news } = newsIn(watched.mark, log);
    watched.mark = mark;
    const unheard = news.filter((entry) => {
      const at = watched.told.findIndex(({ what }) => what === whatOf(entry));
      if (at >= 0) watched.told.splice(at, 1);
      return at < 0;
    });
    // What the log has had time to show, it shows under another name, or not at all.
    watched.told = watched.told.filter(({ at }) => at > from - AHEAD_MS);
    if (unheard.length > 0) this.#options.onNews(watched.machine.metadata.name, unheard);
  }
}

/** A machine that got another BMC is another machine here. */
function keyOf({ metadata, spec }: Machine): string {
  return `${metadata.name} ${spec.provider.name} ${spec.provider.id}`;
}

/** A stream gives an entry an id of its own, and no sensor. */
function whatOf(entry: LogEntry): number {
  return hash32(`${entry.severity} ${subjectOf(entry)}`);
}

function isRefusal(error: unknown): boolean {
  return error instanceof ProviderError && (error.failure === 'Refused' || error.failure === 'NotFound');
}

function pauseAfter(error: unknown, failed: number, period_ms: number): number {
  if (isRefusal(error)) return WITHOUT_MS;
  // A wrong password locks accounts.
  if (error instanceof ProviderError && error.failure === 'BadCredentials') return FAILED_MS_MAX;
  return Math.max(period_ms, Math.min(period_ms * 2 ** (failed - 1), FAILED_MS_MAX));
}
