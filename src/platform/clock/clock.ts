// The only door to time and chance. Everything that waits, stamps or draws takes a Clock, so that a
// simulation can hand out a virtual one and any run repeats from its seed.

/** A pending wake-up. Cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /**
   * Milliseconds since the Unix epoch. Never goes back, even when the host's wall clock is stepped:
   * the same reading serves as a stamp and for durations.
   */
  now(): number;
  /** Calls `wake` once, `delay_ms` from now (0 or less: as soon as the caller has returned). */
  timer(delay_ms: number, wake: () => void): Timer;
  /** Resolves after `delay_ms`; rejects with the signal's reason when that is aborted first. */
  sleep(delay_ms: number, signal?: AbortSignal): Promise<void>;
  /** A number in [0, 1). */
  random(): number;
  /** `length` characters of [0-9a-z], fit for a Kubernetes name. */
  id(length?: number): string;
}

/** Built on `timer`, the same for every clock. */
export function sleepWith(
  clock: Pick<Clock, 'timer'>,
  delay_ms: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.timer(delay_ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

const ID_ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

export function idFrom(random: () => number, length = 10): string {
  let id = '';
  for (let i = 0; i < length; i++) id += ID_ALPHABET[Math.floor(random() * ID_ALPHABET.length)];
  return id;
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** `2026-11-25`, UTC. */
export function dayOf(epoch_ms: number): string {
  return new Date(epoch_ms).toISOString().slice(0, 10);
}

/** RFC 3339 as Kubernetes writes it (`metav1.Time`: whole seconds). */
export function toTime(epoch_ms: number): string {
  return `${new Date(epoch_ms).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 with microseconds (`metav1.MicroTime`, as Leases and Events want it). */
export function toMicroTime(epoch_ms: number): string {
  return `${new Date(epoch_ms).toISOString().slice(0, 23)}000Z`;
}
