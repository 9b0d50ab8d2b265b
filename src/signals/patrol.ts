import type { Clock } from '../platform/clock/clock.ts';
import type { Probe, Prober, Target } from '../platform/hosts/prober.ts';
import { isSuspect } from './belief.ts';
import type { Beliefs } from './beliefs.ts';

/** Every machine is probed this often. */
export const PATROL_MS = 10_000;
/** One that did not answer is probed again this soon, until it is clear what is wrong. */
export const SUSPECT_MS = 2_000;
/** Where more of a round than this goes unanswered on our side, the round says nothing of anybody. */
const OWN_FAILURES_MAX_SHARE = 0.5;

export interface Beat {
  /** Who is probed by which prober: one group a provider. */
  groups(): { prober: Prober; targets: Target[] }[];
}

/** Probes the whole fleet each 10 s and suspects each 2 s, until aborted. Failures of ours are no evidence. */
export async function patrol(
  options: { clock: Clock; beliefs: Beliefs; beat: Beat; onError: (error: unknown) => void },
  signal: AbortSignal,
): Promise<void> {
  const { clock, beliefs, beat, onError } = options;
  let fullAt = Number.NEGATIVE_INFINITY;
  let groups: ReturnType<Beat['groups']> = [];
  while (!signal.aborted) {
    const full = clock.now() - fullAt >= PATROL_MS;
    if (full) {
      fullAt = clock.now();
      groups = beat.groups();
    }
    await Promise.all(
      groups.map(async ({ prober, targets }) => {
        const wanted = full
          ? targets
          : targets.filter((target) => {
              const belief = beliefs.get(target.machine);
              return belief && isSuspect(belief, clock.now());
            });
        if (wanted.length === 0) return;
        try {
          take(beliefs, wanted, await prober.probe(wanted, signal));
        } catch (error) {
          onError(error);
        }
      }),
    );
    await clock.sleep(SUSPECT_MS, signal).catch(() => undefined);
  }
}

function take(beliefs: Beliefs, targets: readonly Target[], answers: readonly (Probe | undefined)[]): void {
  const failed = answers.filter((answer) => answer === undefined).length;
  if (failed > targets.length * OWN_FAILURES_MAX_SHARE) return;
  for (const [at, target] of targets.entries()) {
    const answer = answers[at];
    if (answer) beliefs.setProbe(target.machine, answer);
  }
}
