// Whether Drover's ways to its machines are open: what each provider said when it was last asked for each machine. A
// wrong password or a renewed certificate is to be known by day, and not first when the machine hangs.
import { messageOf } from '../platform/kube/errors.ts';
import { ProviderError } from '../platform/providers/provider.ts';

/** As it stands in the condition ProviderAnswers of the Machine. */
export interface Way {
  open: boolean;
  /** One CamelCase word. */
  reason: string;
  message: string;
}

export const OPEN: Way = { open: true, reason: 'Answers', message: 'its provider answers' };
const MESSAGE_LENGTH_MAX = 500;

/** What a call that failed says of the way; of a failure that was told before, what it was. */
export function closedBy(error: unknown): Way {
  const root = error instanceof ProviderError && error.cause instanceof ProviderError ? error.cause : error;
  const reason = root instanceof ProviderError ? root.reason : 'Broken';
  return {
    open: false,
    reason: reason === 'TryAgain' || reason === 'Unknown' ? 'NoAnswer' : reason,
    message: messageOf(root).slice(0, MESSAGE_LENGTH_MAX),
  };
}

export class Ways {
  readonly #ways = new Map<string, Way>();
  /** Whether a crash kernel was loaded, and in which boot that was asked. */
  readonly #armed = new Map<string, { armed: boolean; bootID: string }>();
  readonly #health = new Map<string, string>();
  /** Entries of its hardware's log since we began to look that call nobody. */
  readonly #warnings = new Map<string, number>();
  readonly #listeners = new Set<(machine: string) => void>();

  get(machine: string): Way | undefined {
    return this.#ways.get(machine);
  }

  /** Tells who listens only where it is another than before. */
  set(machine: string, way: Way): void {
    const before = this.#ways.get(machine);
    this.#ways.set(machine, way);
    if (before?.open === way.open && before.reason === way.reason && before.message === way.message) return;
    this.#tell(machine);
  }

  /** What the provider says is wrong with the hardware, '' for nothing; undefined where it has not been asked. */
  health(machine: string): string | undefined {
    return this.#health.get(machine);
  }

  setHealth(machine: string, health: string): void {
    if (this.#health.get(machine) === health) return;
    this.#health.set(machine, health);
    this.#tell(machine);
  }

  /** Rounded down to a power of ten: a memory that corrects an error each second must not write a status each second. */
  warnings(machine: string): number {
    return roundedDown(this.#warnings.get(machine) ?? 0);
  }

  addWarnings(machine: string, more: number): void {
    if (more === 0) return;
    const before = this.warnings(machine);
    this.#warnings.set(machine, (this.#warnings.get(machine) ?? 0) + more);
    if (this.warnings(machine) !== before) this.#tell(machine);
  }

  armed(machine: string): boolean | undefined {
    return this.#armed.get(machine)?.armed;
  }

  /** It is asked once a boot: a way by Jobs is no cheap one. */
  knowsArmed(machine: string, bootID: string): boolean {
    return this.#armed.get(machine)?.bootID === bootID;
  }

  setArmed(machine: string, armed: boolean, bootID: string): void {
    const before = this.#armed.get(machine);
    this.#armed.set(machine, { armed, bootID });
    if (before?.armed === armed) return;
    this.#tell(machine);
  }

  /** Forgets machines that are no more. */
  keepOnly(isThere: (machine: string) => boolean): void {
    for (const known of [this.#ways, this.#armed, this.#health, this.#warnings])
      for (const machine of known.keys()) if (!isThere(machine)) known.delete(machine);
  }

  subscribe(listener: (machine: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(machine: string): void {
    for (const listener of this.#listeners) listener(machine);
  }
}

function roundedDown(count: number): number {
  return count === 0 ? 0 : 10 ** (String(count).length - 1);
}
