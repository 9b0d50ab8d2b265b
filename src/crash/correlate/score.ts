import { incompleteBeta, poissonUpper } from '../statistics.ts';
import type { Cube, Sums } from './cube.ts';

/** Prior share of causes that need 1, 2, 3 and 4 attributes: simple ones are likelier. */
const DEPTH_SHARE = [0.4, 0.3, 0.2, 0.1] as const;

/** What is normal now: observed ÷ expected outside of causes, and how it was found. */
export interface Level {
  /** All of the cube, what was explained included. */
  readonly total: Sums;
  /** Observed ÷ expected that counts as nothing unusual. */
  readonly base: number;
  /** Variance ÷ mean of counts: crashes of one machine come in clusters. */
  readonly dispersion: number;
  /** Dense tables: the base is known from the bulk of leaves, so the rest needs no judging. */
  readonly isFixed: boolean;
  /** Base is held up by "as it was before": that the rest is below it speaks for nothing. */
  readonly isFloor: boolean;
}

/** Expected events of a cell by its own earlier rate, shrunk to the fleet's (Gamma–Poisson). */
export function expectedOf(sums: Sums, prior: number | undefined): number {
  if (prior === undefined) return sums.expected;
  return (sums.expected * (sums.beforeEvents + prior)) / (sums.beforeExpected + prior);
}

/** How many events the expectation is worth: the shape of its Gamma. */
export function shapeOf(sums: Sums, prior: number | undefined): number {
  return prior === undefined ? Number.POSITIVE_INFINITY : sums.beforeEvents + prior;
}

/**
 * Log-likelihood ratio of a rate of its own against the expected one: Poisson, or negative binomial where the
 * expectation itself is known from `shape` events only. Never negative.
 */
export function deviance(events: number, expected: number, shape: number): number {
  if (expected <= 0) return events > 0 ? Number.POSITIVE_INFINITY : 0;
  const rise = events > 0 ? events * Math.log(events / expected) : 0;
  if (shape === Number.POSITIVE_INFINITY) return Math.max(0, rise - (events - expected));
  return Math.max(0, rise - (events + shape) * Math.log((events + shape) / (expected + shape)));
}

/** The gain of a cell (positive for a rise, negative for a fall), its complement judged with it (Kulldorff 1997). */
export function gainOf(sums: Sums, expected: number, level: Level, prior: number | undefined): number {
  const inside = deviance(sums.events, level.base * expected, shapeOf(sums, prior));
  if (sums.events <= level.base * expected) return -inside / level.dispersion;
  return (inside + restGain(restOf(level, sums, expected, prior), level)) / level.dispersion;
}

/** What is outside of some cells. */
export interface Rest {
  readonly events: number;
  readonly expected: number;
  readonly shape: number;
}

export function restOf(level: Level, inside: Sums, expected: number, prior: number | undefined): Rest {
  return {
    events: level.total.events - inside.events,
    expected: totalExpected(level, prior) - expected,
    shape:
      prior === undefined ? Number.POSITIVE_INFINITY : level.total.beforeEvents - inside.beforeEvents + prior,
  };
}

export function restGain({ events, expected, shape }: Rest, level: Level): number {
  if (level.isFixed || expected <= 0) return 0;
  const rest = deviance(events, level.base * expected, shape);
  if (events > level.base * expected) return -rest;
  return level.isFloor ? 0 : rest;
}

export function totalExpected(level: Level, prior: number | undefined): number {
  return expectedOf(level.total, prior);
}

/**
 * −ln of the prior share of a cell: of its depth, of its cuboid among those of the depth, and of the cell in its
 * cuboid: half for all cells alike, half by their exposure, since what befalls a machine at random befalls large
 * cells oftener. Shares sum to at most 1 over all cells, so p · exp(penalty) is a p-value for all at once
 * (weighted Bonferroni: Genovese, Roeder, Wasserman 2006), and gain − penalty is a description length.
 */
export function penaltyOf(cube: Cube, attributes: readonly number[], share: number): number {
  return cuboidPenalty(cube, attributes.length) - Math.log(cellShare(cellsOf(cube, attributes), share));
}

export function cuboidPenalty({ cuboids }: Cube, depth: number): number {
  return Math.log(Math.max(1, cuboids[depth - 1] ?? 1)) - Math.log(DEPTH_SHARE[depth - 1] ?? DEPTH_SHARE[3]);
}

/** How many cells a cuboid can have. */
export function cellsOf(cube: Cube, attributes: readonly number[]): number {
  let cells = 1;
  for (const attribute of attributes) cells *= cube.attributes[attribute]?.values.length ?? 1;
  return Math.max(1, Math.min(cells, cube.leaves));
}

export function cellShare(cells: number, share: number): number {
  return 0.5 / cells + 0.5 * Math.min(1, share);
}

export function choose(n: number, k: number): number {
  let ways = 1;
  for (let at = 0; at < k; at++) ways = (ways * (n - at)) / (at + 1);
  return ways;
}

/**
 * How many events the level is known from: of the cell's own past, of its surroundings now, and of theirs before;
 * their doubts add up. The exact conditional test of two rates has this form where there is one of them.
 */
export function certainty(ownShape: number, rest: Rest, level: Level): number {
  if (level.isFixed) return ownShape;
  const doubts = [ownShape, rest.shape, ...(level.isFloor ? [] : [Math.max(rest.events, 0.5)])];
  return 1 / doubts.reduce((sum, each) => sum + 1 / each, 0);
}

/**
 * P(as many events or more | nothing unusual), before any correction, where the expectation is known from `shape`
 * events: the exact conditional test of two Poisson rates (Przyborowski and Wilenski 1940).
 */
export function tail(events: number, expected: number, shape: number): number {
  if (events <= 0) return 1;
  if (expected <= 0) return 0;
  if (shape >= CERTAIN) return poissonUpper(events, expected);
  return incompleteBeta(expected / (expected + shape), events, shape + 1);
}

/** An expectation from so many events is as good as known. */
const CERTAIN = 1e7;
