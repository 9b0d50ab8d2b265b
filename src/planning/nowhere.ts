// Items that no kind of machine takes, and what the nearest lacks.
import type { Reason } from '../api/fields.ts';
import { formatQuantity, type Quantity, toNumber } from '../platform/kube/quantity.ts';
import { type Modelled, nameOf } from './problem-of.ts';
import { mostIn } from './solve/problem.ts';

/** By index. */
export function fitNowhere({ problem }: Modelled): number[] {
  return problem.items.flatMap((item, at) =>
    problem.bins.some((bin) => mostIn(item, at, bin) > 0) ? [] : [at],
  );
}

export function nowhereReason(modelled: Modelled, item: number): Reason {
  const { problem, bins, items } = modelled;
  const name = problem.items[item]?.name ?? '';
  const allowed = [...bins.keys()].filter((bin) => !problem.bins[bin]?.refuses?.has(item));
  const lacks = allowed.map((bin) => ({ bin, lacking: lackingIn(modelled, item, bin) }));
  const [nearest] = lacks.sort(
    (a, b) => a.lacking.length - b.lacking.length || share(a.lacking) - share(b.lacking),
  );
  if (!nearest) {
    const classes = items[item]?.workload.classes?.join(', ') ?? 'none suits its kind';
    return { reason: 'FitsNowhere', message: `${name} has no class that it may be on: ${classes}` };
  }
  const kind = bins[nearest.bin];
  const words = nearest.lacking.map(
    ({ resource, needs, has }) =>
      `${formatQuantity(needs)} ${resource}, and ${kind ? nameOf(kind) : ''} has ${formatQuantity(has)}`,
  );
  return {
    reason: 'FitsNowhere',
    message: `${name} fits on no class; the nearest lacks least: it needs ${words.join('; ')}`,
  };
}

interface Lack {
  resource: string;
  needs: Quantity;
  has: Quantity;
}

function lackingIn({ problem, resources, steps, rooms }: Modelled, item: number, bin: number): Lack[] {
  return resources.flatMap((resource, at) => {
    const needs = BigInt(problem.items[item]?.need[at] ?? 0) * (steps[at] as Quantity);
    const has = rooms[bin]?.[at] ?? 0n;
    return needs > has ? [{ resource, needs, has }] : [];
  });
}

/** How many times what is there would be needed, of what lacks most. */
function share(lacking: readonly Lack[]): number {
  return Math.max(0, ...lacking.map(({ needs, has }) => toNumber(needs) / Math.max(1e-9, toNumber(has))));
}
