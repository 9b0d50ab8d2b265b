// Finds the cells that explain a cube: the best start, improved by splitting, merging and dropping cells, then
// taken away, and the rest looked at again until nothing stands out.

import { rowsOf } from './counting.ts';
import { type Cell, type Cube, cellOf, contains, explained, keyOf, partOf, totalsOf } from './cube.ts';
import { type Bounds, type Explored, explore } from './explore.ts';
import { namesOf } from './names.ts';
import { CELLS_MAX, Objective, withoutCell } from './objective.ts';
import { intersected, RowLists, sumsOf } from './row-lists.ts';
import { certainty, expectedOf, type Level, tail } from './score.ts';

export const SEARCH_LIMITS = { depth: 4, rounds: 12, improvements: 30, starts: 4, candidates: 12 } as const;

export interface Settings {
  readonly joined: readonly number[];
  readonly alone: readonly number[];
  readonly dispersion: number;
  /** Expectations are leaf by leaf and scaled to the bulk of leaves. */
  readonly isDense: boolean;
  /** Before and now are measured alike, so that a ratio of 1 means: as it was. */
  readonly isAbsolute: boolean;
  /** The greatest p (corrected) of a cause, and its least ratio. */
  readonly alpha: number;
  readonly leastRatio: number;
  /** A cause gains at least this share of what all together gain. */
  readonly leastShare: number;
  readonly leastEvents: number;
  readonly leastExcess: number;
  readonly leastShareOfMost: number;
}

/** Settings, and how deep to look. */
type Looking = Settings & Bounds;

export interface Cause {
  readonly cell: Cell;
  readonly ratio: number;
  readonly p: number;
  readonly gain: number;
}

export interface Found {
  readonly causes: readonly Cause[];
  /** What the first look over everything saw, before anything was explained. */
  readonly first: Explored;
  /** The causes together, over everything. */
  readonly whole: Objective;
  readonly cellsVisited: number;
  readonly cuboidsVisited: number;
}

export function search(cube: Cube, settings: Settings): Found {
  const bounds: Looking = { ...settings, depthMax: SEARCH_LIMITS.depth };
  let rest = cube;
  let causes: Cause[] = [];
  let first: Explored | undefined;
  let cellsVisited = 0;
  let cuboidsVisited = 0;
  const lists = new RowLists(cube.blocks);
  const whole = new Objective(cube, levelOf(cube, settings), lists);
  for (let round = 0; round < SEARCH_LIMITS.rounds; round++) {
    const level = levelOf(rest, settings);
    const seen = explore(rest, level, bounds);
    first ??= seen;
    cellsVisited += seen.cellsVisited;
    cuboidsVisited += seen.cuboidsVisited;
    const objective = round === 0 ? whole : new Objective(rest, level, lists);
    objective.know(seen);
    const known = causes.map(({ cell }) => cell);
    const found = bestList(objective, seen, bounds);
    const next =
      known.length === 0 ? judged(found, whole, settings) : extended(whole, known, found, seen, bounds);
    if (whole.value(next.map(({ cell }) => cell)) <= whole.value(known) + 1e-6) break;
    causes = next;
    rest = takenAway(
      whole,
      causes.map(({ cell }) => cell),
    );
  }
  return {
    causes,
    first: first ?? { best: [], nearest: undefined, cuboids: [], cellsVisited: 0, cuboidsVisited: 0 },
    whole,
    cellsVisited,
    cuboidsVisited,
  };
}

/** The cube with what is expected multiplied where causes are: explained, and so taken away. */
function takenAway(objective: Objective, cells: readonly Cell[]): Cube {
  const { ratios, combine } = objective.fit(cells).rates;
  const parts = cells.map((cell, at) => ({ cell, ratio: ratios[at] as number }));
  return explained(objective.cube, parts, combine, objective.lists);
}

export function levelOf(cube: Cube, { isDense, isAbsolute, dispersion }: Settings): Level {
  const total = totalsOf(cube);
  const expected = expectedOf(total, cube.prior);
  const ratio = expected > 0 ? total.events / expected : 1;
  if (isDense) return { total, base: 1, isFixed: true, isFloor: false, dispersion };
  const isFloor = isAbsolute && ratio < 1;
  return { total, base: isFloor ? 1 : ratio, isFixed: false, isFloor, dispersion };
}

/** What is known with what the rest shows: all of it, or the candidate that adds most beside what is known. */
function extended(whole: Objective, known: Cell[], found: Cell[], seen: Explored, bounds: Looking): Cause[] {
  const options = [found, ...seen.best.slice(0, SEARCH_LIMITS.candidates).map(({ cell }) => [cell])]
    .filter((option) => option.length > 0)
    .map((option) => [...known, ...option]);
  const best = options.reduce<Cell[]>((a, b) => (whole.value(b) > whole.value(a) ? b : a), known);
  return judged(best === known ? known : improved(whole, best, bounds), whole, bounds);
}

function bestList(objective: Objective, seen: Explored, bounds: Looking): Cell[] {
  const starts: Cell[][] = [];
  if (seen.best[0]) starts.push([seen.best[0].cell]);
  for (const { cells } of seen.cuboids.slice(0, SEARCH_LIMITS.starts))
    starts.push(cells.map(({ cell }) => cell));
  let best: Cell[] = [];
  const known = new Set<string>();
  for (const start of starts) {
    const list = improved(objective, start, bounds, known);
    if (objective.value(list) > objective.value(best) + 1e-9) best = list;
  }
  return best;
}

/** Better and better lists; one that another start has come to (`known`) is as good as that one's end. */
function improved(objective: Objective, start: Cell[], bounds: Looking, known = new Set<string>()): Cell[] {
  let list = start;
  for (let step = 0; step < SEARCH_LIMITS.improvements; step++) {
    const key = list.map(keyOf).sort().join(';');
    if (known.has(key)) return list;
    known.add(key);
    const value = objective.value(list);
    const next =
      better(objective, value, merges(list)) ??
      better(objective, value, drops(list)) ??
      better(objective, value, wider(objective, list)) ??
      better(objective, value, splits(objective, list, bounds));
    if (!next) return list;
    list = next;
  }
  return list;
}

function better(objective: Objective, value: number, options: Iterable<Cell[]>): Cell[] | undefined {
  let best: Cell[] | undefined;
  let most = value + 1e-6;
  for (const option of options) {
    if (option.length > 1 && !mayReach(objective, option, most)) continue;
    const worth = objective.value(option);
    if (worth <= most) continue;
    most = worth;
    best = option;
  }
  return best;
}

/**
 * Whether cells together may gain so much: overlapping ones share it, and are dear to count. Where the level is
 * fixed, rises together never gain more than the sum of what each gains alone: the logarithm of a product or a sum
 * of rates is at most the sum of theirs, and the expected excess at least the sum of each one's.
 */
function mayReach(objective: Objective, list: readonly Cell[], value: number): boolean {
  if (!objective.level.isFixed) {
    if (list.length !== 2) return true;
    const alone = list.reduce((sum, cell) => sum + Math.max(0, objective.value([cell])), 0);
    return PAIR_SLACK * alone >= value;
  }
  let most = 0;
  for (const cell of list) most += Math.max(-objective.penalty(cell), objective.value([cell]));
  return most >= value;
}

/** The level outside falls when two causes are out of it, so that together they gain somewhat more than alone. */
const PAIR_SLACK = 1.5;

/** One more general cell instead of those that it contains, alone or with the condition that it left out. */
function merges(list: readonly Cell[]): Cell[][] {
  const options = new Map<string, Cell[]>();
  for (const cell of list) {
    for (let mask = 1; mask < (1 << cell.attributes.length) - 1; mask++) {
      const parent = partOf(cell, (at) => (mask & (1 << at)) !== 0);
      const left = partOf(cell, (at) => (mask & (1 << at)) === 0);
      const rest = list.filter((each) => !contains(parent, each));
      options.set(keyOf(parent), [...rest, parent]);
      options.set(`${keyOf(parent)}+${keyOf(left)}`, [
        ...rest.filter((each) => !contains(left, each)),
        parent,
        left,
      ]);
    }
  }
  return [...options.values()];
}

function drops(list: readonly Cell[]): Cell[][] {
  return list.length < 2 ? [] : list.map((_, at) => list.filter((_, place) => place !== at));
}

/** The room instead of one of its racks: an attribute's value changed for one that it settles. */
function wider(objective: Objective, list: readonly Cell[]): Cell[][] {
  const { implied, blocks } = objective.cube;
  const options: Cell[][] = [];
  for (const cell of list) {
    const rows = objective.lists.of(cell);
    const at = blocks.findIndex(
      (block, place) => 'expected' in block.weights && (rows[place] as Int32Array).length > 0,
    );
    if (at < 0) continue;
    const row = (rows[at] as Int32Array)[0] as number;
    for (const [place, attribute] of cell.attributes.entries()) {
      for (const [other, isImplied] of (implied[attribute] ?? []).entries()) {
        if (!isImplied || cell.attributes.includes(other) || implied[other]?.[attribute]) continue;
        const one = cellOf(
          cell.attributes.map((each, k) =>
            k === place ? [other, blocks[at]?.codes[other]?.[row] ?? 0] : [each, cell.codes[k] ?? 0],
          ),
        );
        options.push([...list.filter((each) => each !== cell && keyOf(each) !== keyOf(one)), one]);
        options.push([...list.filter((each) => each !== cell && !isInside(objective, each, one)), one]);
      }
    }
  }
  return options;
}

function isInside({ lists }: Objective, inner: Cell, outer: Cell): boolean {
  const outside = lists.of(outer);
  return lists
    .of(inner)
    .every((rows, at) => intersected(rows, outside[at] as Int32Array).length === rows.length);
}

/**
 * More particular cells instead of one, or instead of several that have conditions in common: all the good ones of
 * a cuboid inside, or the best alone.
 */
function* splits(objective: Objective, list: readonly Cell[], bounds: Looking): Iterable<Cell[]> {
  for (const parent of [...list, ...commonParents(list)]) {
    if (parent.attributes.length >= bounds.depthMax) continue;
    if (parent.attributes.some((each) => bounds.alone.includes(each))) continue;
    const others = list.filter((cell) => !contains(parent, cell));
    const inside = objective.inside([parent, ...others], () => {
      const cube = others.length === 0 ? objective.cube : takenAway(objective, others);
      const level = others.length === 0 ? objective.level : levelOf(cube, bounds);
      const lists = objective.lists.of(parent);
      const rows = cube.blocks.map((block, at) => rowsOf(block, lists[at] as Int32Array));
      const seen = explore(cube, level, { ...bounds, within: parent }, rows);
      if (cube === objective.cube) objective.know(seen);
      return seen;
    });
    if (inside.best[0]) yield [...others, inside.best[0].cell];
    for (const { cells } of inside.cuboids.slice(0, SEARCH_LIMITS.starts))
      yield [...others, ...cells.map(({ cell }) => cell)];
  }
}

/** What two or more cells of the list have in common, and is neither of them. */
function commonParents(list: readonly Cell[]): Cell[] {
  const parents = new Map<string, Cell>();
  for (const [at, a] of list.entries()) {
    for (const b of list.slice(at + 1)) {
      const both = partOf(a, (k) => b.codes[b.attributes.indexOf(a.attributes[k] as number)] === a.codes[k]);
      const { length } = both.attributes;
      if (length > 0 && length < Math.min(a.attributes.length, b.attributes.length))
        parents.set(keyOf(both), both);
    }
  }
  return [...parents.values()].slice(0, PARENTS_MAX);
}

/** Places where a list may be split anew, each an exploration. */
const PARENTS_MAX = 8;

/** The cells of the list that are significant and large enough beside the others; the least one goes first. */
function judged(list: readonly Cell[], objective: Objective, settings: Settings): Cause[] {
  let cells = list.slice(0, CELLS_MAX);
  while (cells.length > 0) {
    const causes = judgedTogether(cells, objective);
    const least = settings.leastShare * causes.reduce((sum, { gain }) => sum + gain, 0);
    const worst = causes.filter(
      ({ p, ratio, gain }) => p > settings.alpha || ratio < settings.leastRatio || gain < least,
    );
    if (worst.length === 0) return causes.sort((a, b) => b.gain - a.gain);
    worst.sort((a, b) => b.p - a.p || a.gain - b.gain);
    cells = cells.filter((cell) => cell !== worst[0]?.cell);
  }
  return [];
}

function judgedTogether(cells: readonly Cell[], objective: Objective): Cause[] {
  const { level, cube } = objective;
  const fit = objective.fit(cells);
  const per = level.dispersion;
  return cells.map((cell, bit) => {
    const { events, mean, shape } = withoutCell(fit, bit, cube.prior);
    const known = certainty(shape, fit.rest, level);
    const without = cells.length === 1 ? 0 : objective.fit(cells.filter((_, at) => at !== bit)).gain;
    const raw = tail(events / per, mean / per, known / per);
    const p = Math.min(1, raw * Math.exp(objective.penalty(cell)));
    return { cell, ratio: fit.rates.ratios[bit] as number, p, gain: (fit.gain - without) / per };
  });
}

export interface Rival {
  readonly cell: Cell;
  /** The place of the cause that it could be instead. */
  readonly of: number;
}

/** Cells over other machines that would explain nearly as well as a cause: odds under 10 to 1 against them. */
export function rivalsOf({ causes, whole, first }: Found, settings: Settings): Rival[] {
  const cells = causes.map(({ cell }) => cell);
  const value = whole.value(cells);
  const rivals: Rival[] = [];
  for (const [of, { cell }] of causes.entries()) {
    if (of >= RIVALS_FOR) break;
    const others = causes.filter((_, at) => at !== of);
    const bounds: Looking = { ...settings, depthMax: SEARCH_LIMITS.depth };
    const cube = takenAway(
      whole,
      others.map((cause) => cause.cell),
    );
    const seen = others.length === 0 ? first : explore(cube, levelOf(cube, settings), bounds);
    const names = namesOf(whole.cube, cell, whole.lists);
    const same = [names.cell, ...names.sameAs, cell];
    const isAlone = others.length === 0 && !whole.level.isFloor;
    for (const { cell: rival, gain, penalty } of seen.best) {
      if (rivals.length >= RIVALS_MAX) break;
      // By itself a candidate is worth just what its exploration said; those after it are worth less.
      if (isAlone && gain - penalty < value - ODDS - 1) break;
      if (same.some((each) => contains(each, rival) || contains(rival, each))) continue;
      if (rivals.some((each) => contains(each.cell, rival))) continue;
      const list = [...cells.filter((_, at) => at !== of), rival];
      if (whole.value(list) < value - ODDS || !sharesEvents(whole, cell, rival)) continue;
      if (isInside(whole, cell, rival) || isInside(whole, rival, cell)) continue;
      rivals.push({ cell: rival, of });
    }
  }
  return rivals;
}

const ODDS = Math.LN10;
const RIVALS_MAX = 3;
const RIVALS_FOR = 3;

/** Half of a's events or more are b's as well. */
function sharesEvents({ cube, lists }: Objective, a: Cell, b: Cell): boolean {
  const outside = lists.of(b);
  const both = lists.of(a).map((rows, at) => intersected(rows, outside[at] as Int32Array));
  return sumsOf(cube.blocks, both).events >= sumsOf(cube.blocks, lists.of(a)).events / 2;
}
