// Counts the cells of every combination of up to four attributes, from the general to the particular, after
// Beyer and Ramakrishnan's bottom-up cubes (BUC, SIGMOD 1999): rows go down only into cells that a cause may
// still hide in, so most combinations see few rows, and cells without events are never visited.

import { add, allRows, keptRows, type Rows, type Slots, slotsOf } from './counting.ts';
import { type Cell, type Cube, cellOf, emptySums, MEASURES, type Measure, type Sums } from './cube.ts';
import { cellShare, cellsOf, cuboidPenalty, expectedOf, gainOf, type Level } from './score.ts';

/** Up to so many cells are counted at their own place in an array; more are looked up. */
const DIRECT_CELLS_MAX = 1 << 22;
const KEPT_BY_CUBOID = 64;
const KEPT_BEST = 256;
/** Less than this in expected events is no exposure at all. */
const EXPECTED_LEAST = 1e-9;

export interface Candidate {
  readonly cell: Cell;
  readonly sums: Sums;
  readonly expected: number;
  readonly gain: number;
  readonly penalty: number;
}

export interface Explored {
  /** Cells whose gain exceeds their penalty, best first. */
  readonly best: readonly Candidate[];
  /** The cell that comes nearest to an explanation, whether or not it is one. */
  readonly nearest: Candidate | undefined;
  /** For each cuboid with such cells, all of them together: what they gain, penalties paid. */
  readonly cuboids: readonly { score: number; cells: readonly Candidate[] }[];
  readonly cellsVisited: number;
  readonly cuboidsVisited: number;
}

export interface Bounds {
  /** Attributes that may be joined. Others are looked at alone. */
  readonly joined: readonly number[];
  readonly alone: readonly number[];
  /** Only cells inside this one, with further attributes. */
  readonly within?: Cell;
  readonly depthMax: number;
  /** A cell must hold so many events, and so many more than expected, for a cause to hide in it. */
  readonly leastEvents: number;
  readonly leastExcess: number;
  /** And this share of the largest excess of one attribute's value; smaller causes are seen when that is explained. */
  readonly leastShareOfMost: number;
}

export function explore(
  cube: Cube,
  level: Level,
  bounds: Bounds,
  start: readonly Rows[] = allRows(cube),
): Explored {
  const search = new Search(cube, level, bounds);
  search.run(start);
  return search.result();
}

type Four = [number, number, number, number];

/** Cells of a cuboid in which a cause may hide: each by its last code and its place among those of the cuboid above. */
interface Live {
  readonly length: number;
  readonly codes: Int32Array;
  readonly places: Int32Array;
  /** undefined: the one cell that holds all. */
  readonly above: Live | undefined;
}

const EVERYTHING: Live = { length: 1, codes: new Int32Array(1), places: new Int32Array(1), above: undefined };

function codesOf(live: Live, place: number): number[] {
  if (!live.above) return [];
  return [...codesOf(live.above, live.places[place] as number), live.codes[place] as number];
}

class Search {
  readonly #cube: Cube;
  readonly #level: Level;
  readonly #bounds: Bounds;
  readonly #fixed: Cell;
  readonly #counters = new Map<Measure, Float64Array>();
  readonly #measures: ReadonlySet<string>;
  #best: Candidate[] = [];
  #nearest: Candidate | undefined;
  /** The largest excess of a cell so far. */
  #most = 0;
  readonly #cuboids: { score: number; cells: Candidate[] }[] = [];
  #cellsVisited = 0;
  #cuboidsVisited = 0;

  constructor(cube: Cube, level: Level, bounds: Bounds) {
    this.#cube = cube;
    this.#level = level;
    this.#measures = new Set(cube.blocks.flatMap(({ weights }) => Object.keys(weights)));
    this.#bounds = bounds;
    this.#fixed = bounds.within ?? { attributes: [], codes: [] };
  }

  run(start: readonly Rows[]): void {
    const fixed = this.#fixed.attributes;
    const open = this.#bounds.joined.filter(
      (each) => !fixed.some((one) => one === each || this.#implied(one, each)),
    );
    // Where rows are many: once over each attribute by itself, to know what is worth a descent.
    if (this.#bounds.leastShareOfMost > 0 && fixed.length === 0) this.#survey(start, open);
    if (fixed.length < this.#bounds.depthMax) this.#descend(start, [], EVERYTHING, open);
    if (fixed.length === 0)
      for (const each of this.#bounds.alone) this.#count(start, [], EVERYTHING, each, []);
  }

  #survey(start: readonly Rows[], open: readonly number[]): void {
    for (const attribute of open) {
      const size = this.#cube.attributes[attribute]?.values.length ?? 0;
      const sums = MEASURES.map((measure) => this.#sum(start, measure, attribute, size, size, undefined));
      for (let at = 0; at < size; at++) {
        const [events, expected, beforeEvents, beforeExpected] = sums.map((sum) => sum[at] as number) as Four;
        const mean = expectedOf({ events, expected, beforeEvents, beforeExpected }, this.#cube.prior);
        this.#most = Math.max(this.#most, events - this.#level.base * mean);
      }
    }
  }

  result(): Explored {
    this.#best.sort(byScore);
    return {
      best: this.#best.slice(0, KEPT_BEST),
      nearest: this.#nearest,
      cuboids: this.#cuboids.sort((a, b) => Math.round((b.score - a.score) * 1e6)),
      cellsVisited: this.#cellsVisited,
      cuboidsVisited: this.#cuboidsVisited,
    };
  }

  #implied(a: number, b: number): boolean {
    return this.#cube.implied[a]?.[b] === true || this.#cube.implied[b]?.[a] === true;
  }

  /** `parents`: the live cells of the cuboid `path`. */
  #descend(rows: readonly Rows[], path: readonly number[], parents: Live, open: readonly number[]): void {
    for (const [at, attribute] of open.entries()) {
      const further = open.slice(at + 1).filter((each) => !this.#implied(each, attribute));
      this.#count(rows, path, parents, attribute, further);
    }
  }

  #count(
    rows: readonly Rows[],
    path: readonly number[],
    parents: Live,
    attribute: number,
    further: readonly number[],
  ): void {
    const size = this.#cube.attributes[attribute]?.values.length ?? 0;
    const cuboid = [...path, attribute];
    const slots = parents.length * size > DIRECT_CELLS_MAX ? slotsOf(rows, attribute, size) : undefined;
    const count = slots ? slots.keys.length : parents.length * size;
    const isLast =
      further.length === 0 || this.#fixed.attributes.length + cuboid.length >= this.#bounds.depthMax;
    const live = this.#visit(rows, cuboid, parents, size, count, slots, isLast);
    if (isLast || live.cells.length === 0) return;
    this.#descend(
      rows.map((each) => keptRows(each, attribute, size, live.ids, slots)),
      cuboid,
      live.cells,
      further,
    );
  }

  /** Judges each cell that holds events; returns those in which a cause may hide still. */
  #visit(
    rows: readonly Rows[],
    cuboid: readonly number[],
    parents: Live,
    size: number,
    count: number,
    slots: Slots | undefined,
    isLast: boolean,
  ): { ids: Int32Array; cells: Live } {
    this.#cuboidsVisited++;
    const attribute = cuboid[cuboid.length - 1] as number;
    const sums = MEASURES.map((measure) => this.#sum(rows, measure, attribute, size, count, slots));
    const [events, expected, beforeEvents, beforeExpected] = sums as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const prior = this.#cube.prior;
    const { leastEvents } = this.#bounds;
    const leastExcess = Math.max(this.#bounds.leastExcess, this.#bounds.leastShareOfMost * this.#most);
    const order = [...this.#fixed.attributes, ...cuboid];
    const cells = cellsOf(this.#cube, order);
    const cuboidCost = cuboidPenalty(this.#cube, order.length);
    const all = this.#level.total.expected;
    const room = isLast ? 0 : count;
    const ids = new Int32Array(room).fill(-1);
    const codes = new Int32Array(room);
    const places = new Int32Array(room);
    let length = 0;
    const found: Candidate[] = [];
    let score = 0;
    let nearest = this.#nearest ? this.#nearest.gain - this.#nearest.penalty : Number.NEGATIVE_INFINITY;
    const one = emptySums();
    for (let at = 0; at < count; at++) {
      const seen = events[at] as number;
      if (seen < leastEvents || seen <= 0) continue;
      this.#cellsVisited++;
      one.events = seen;
      one.expected = expected[at] as number;
      one.beforeEvents = beforeEvents[at] as number;
      one.beforeExpected = beforeExpected[at] as number;
      const mean = expectedOf(one, prior);
      // Events where the population has nothing: told apart, never a cause.
      if (mean < EXPECTED_LEAST) continue;
      const key = slots ? (slots.keys[at] as number) : at;
      const usual = this.#level.base * mean;
      if (seen - usual > this.#most) this.#most = seen - usual;
      if (seen - usual + 3 * Math.sqrt(usual) < leastExcess) {
        if (seen <= usual) continue;
      } else if (!isLast) {
        ids[at] = length;
        codes[length] = key % size;
        places[length++] = Math.floor(key / size);
      }
      // Penalties are at least their cuboid's, and o·ln(o/e) − (o − e) at most (o − e)²/2e: most need no logarithm.
      const isSimple = this.#level.isFixed && prior === undefined;
      const most = isSimple
        ? (seen - usual) ** 2 / (2 * usual) / this.#level.dispersion
        : Number.POSITIVE_INFINITY;
      if (most <= cuboidCost && most - cuboidCost <= nearest) continue;
      const gain = gainOf(one, mean, this.#level, prior);
      if (gain <= cuboidCost && gain - cuboidCost <= nearest) continue;
      const penalty = cuboidCost - Math.log(cellShare(cells, one.expected / all));
      const isNearest = gain > 0 && gain - penalty > nearest;
      if (gain <= penalty && !isNearest) continue;
      const own = [...this.#fixed.codes, ...codesOf(parents, Math.floor(key / size)), key % size];
      const candidate = {
        cell: cellOf(order.map((each, place) => [each, own[place] as number])),
        sums: { ...one },
        expected: mean,
        gain,
        penalty,
      };
      if (isNearest) {
        nearest = gain - penalty;
        this.#nearest = candidate;
      }
      if (gain <= penalty) continue;
      found.push(candidate);
      score += gain - penalty;
    }
    if (found.length > 0) this.#keep(found, score);
    return { ids, cells: { length, codes, places, above: parents } };
  }

  #keep(found: Candidate[], score: number): void {
    found.sort(byScore);
    if (found.length <= KEPT_BY_CUBOID) this.#cuboids.push({ score, cells: found });
    this.#best.push(...found.slice(0, KEPT_BEST));
    if (this.#best.length > KEPT_BEST * 8) {
      this.#best.sort(byScore);
      this.#best.length = KEPT_BEST;
    }
  }

  #sum(
    rows: readonly Rows[],
    measure: Measure,
    attribute: number,
    size: number,
    count: number,
    slots: Slots | undefined,
  ): Float64Array {
    let into = this.#counters.get(measure);
    // A measure that no block has stays 0.
    if (into && into.length >= count && !this.#measures.has(measure)) return into;
    if (!into || into.length < count) {
      into = new Float64Array(Math.max(1024, count));
      this.#counters.set(measure, into);
    } else into.fill(0, 0, count);
    for (const each of rows) {
      if (!(measure in each.block.weights)) continue;
      add(each, attribute, size, each.block.weights[measure], into, slots);
    }
    return into;
  }
}

/** Best first; sums in another order of rows differ in their last digits, which must not decide. */
export function byScore(a: Candidate, b: Candidate): number {
  return (
    Math.round((b.gain - b.penalty) * 1e6) - Math.round((a.gain - a.penalty) * 1e6) ||
    a.cell.attributes.length - b.cell.attributes.length ||
    order(a.cell.attributes, b.cell.attributes) ||
    order(a.cell.codes, b.cell.codes)
  );
}

function order(a: readonly number[], b: readonly number[]): number {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return (a[at] as number) - (b[at] as number);
  return 0;
}
