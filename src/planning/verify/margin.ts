// How many machines more the scheduler needs than the planner.
import type { NodeKind, PodKind } from './scene.ts';

/** So many percent more of each kind that can be bought, rounded up; of owned ones there are no more, unless all are owned. */
export function grown(nodes: readonly NodeKind[], percent: number): NodeKind[] {
  const allOwned = nodes.every(({ owned }) => owned);
  return nodes.map((node) =>
    node.owned && !allOwned ? node : { ...node, count: node.count + Math.ceil((node.count * percent) / 100) },
  );
}

/**
 * The least whole percentage that `suffices`, known not to be 0, sought from `guess` up or down by growing steps, then by
 * halving the gap. undefined: none up to `percentMax`. It takes for granted that more machines are never worse, which
 * holds but for chance.
 */
export async function leastMargin(
  suffices: (percent: number) => Promise<boolean>,
  percentMax: number,
  guess: number,
): Promise<number | undefined> {
  if (percentMax < 1) return undefined;
  let short = 0;
  let enough = Math.max(1, Math.min(percentMax, Math.ceil(guess)));
  for (let step = 1; !(await suffices(enough)); step *= 2) {
    if (enough >= percentMax) return undefined;
    short = enough;
    enough = Math.min(percentMax, enough + step);
  }
  for (let step = 1; enough - short > 1; step *= 2) {
    // As long as nothing was too little, the answer is near what sufficed.
    const tried = short === 0 ? Math.max(1, enough - step) : Math.floor((short + enough) / 2);
    if (await suffices(tried)) enough = tried;
    else short = tried;
  }
  return enough;
}

/** Percent more machines that the Pods left over would fill, were they to fill machines wholly: the margin is about that. */
export function guessOf(pods: readonly PodKind[], left: (label: string) => number, machines: number): number {
  const full = pods.reduce((sum, { label, share }) => sum + left(label) * share, 0);
  return (100 * full) / Math.max(1, machines);
}

export type Order = 'largest' | 'mixed';

export interface PodOf {
  kind: PodKind;
  /** From 0, of its kind. */
  at: number;
}

/**
 * All Pods, in batches that follow one another: those that are hardest to place first, or in one batch all workloads
 * evenly mixed, as a fleet's day brings them.
 */
export function inOrder(kinds: readonly PodKind[], order: Order): PodOf[][] {
  const podsOf = (kind: PodKind) => Array.from({ length: kind.count }, (_, at): PodOf => ({ kind, at }));
  if (order === 'largest') return kinds.toSorted((a, b) => b.share - a.share).map(podsOf);
  const when = ({ kind, at }: PodOf) => (at + 0.5) / kind.count;
  return [kinds.flatMap(podsOf).sort((a, b) => when(a) - when(b))];
}
