// For small problems: machines of each kind in whole numbers (branch and price, Barnhart et al. 1998). Where the relaxation
// has two and a half of a kind, a packing has two at most or three at least: each is a problem of its own, with a better
// bound. Three at least are three that are paid for and then cost nothing, so that nothing else has to know of it.
import type { Highs } from 'highs';
import { generateColumns, type Relaxed } from './columns.ts';
import { cheapestOf, type Effort, lookForCheaper, QUICK, THOROUGH } from './exact.ts';
import type { Incumbent } from './incumbent.ts';
import { Pricer } from './pricing.ts';
import { keyOf, type Packing, type Pattern, type Problem, ROUNDING, together } from './problem.ts';
import { Refiner } from './refine.ts';

export interface BranchOptions {
  solver: Highs;
  stop: () => boolean;
}

/** What is looked for where: so many machines of each bin at least, and at most. */
interface Node {
  least: readonly number[];
  most: readonly number[];
  /** Nothing in it costs less. */
  bound: number;
}

interface Search extends BranchOptions {
  problem: Problem;
  incumbent: Incumbent;
  /** Patterns that were of use so far. */
  pool: Map<string, Pattern>;
  /** Of column generation, that are left. */
  rounds: number;
  /** Integer programs that are left. */
  programs: number;
}

const NODES_MAX = 400;
/** Of column generation: in one node; in all, and no more than this divided by items times bins. */
const ROUNDS_NODE = 300;
const ROUNDS_MAX = 2_000;
const ROUNDS_BY_SIZE = 200_000;
/** It ends when cost and bound are no further apart than this share. */
const TOLERANCE = 1e-7;
/** Integer programs over the patterns so far, and the branches of each. */
const PROGRAMS_MAX = 5;
const PROGRAM_NODES = 100;
const PROGRAM_PATTERNS = 2_000;
/** Of refining, where machines are still fractions, and where only fillings are. */
const STEPS = 60;
const STEPS_LAST = 2_000;

/** Raises the incumbent's bound and takes cheaper packings, until it is proven or nothing is left to branch on. */
export function* branch(
  problem: Problem,
  incumbent: Incumbent,
  root: Relaxed,
  options: BranchOptions,
): Generator<void, void> {
  const search: Search = {
    ...options,
    problem,
    incumbent,
    pool: new Map(root.patterns.map((pattern) => [keyOf(pattern), pattern])),
    rounds: Math.min(ROUNDS_MAX, ROUNDS_BY_SIZE / (problem.items.length * problem.bins.length)),
    programs: PROGRAMS_MAX,
  };
  const least = problem.bins.map(() => 0);
  const most = problem.bins.map(() => Number.POSITIVE_INFINITY);
  let open: Node[] = [{ least, most, bound: root.bound }];
  /** The least bound of nodes where this does not go on: of most the machines are whole numbers, and fillings fractions. */
  let ended = Number.POSITIVE_INFINITY;
  for (let nodes = 0; nodes < NODES_MAX && search.rounds > 0; nodes++) {
    open = open.filter(({ bound }) => incumbent.canBeat(bound)).sort((a, b) => a.bound - b.bound);
    const node = open.shift();
    incumbent.raise(Math.min(node?.bound ?? incumbent.cutoff, ended));
    if (!node || incumbent.isProven || options.stop()) return;
    if (node.bound >= ended && incumbent.isWhole) return;
    const solved = yield* solvedAt(search, node);
    if (!solved) continue;
    if (!incumbent.isWhole && solved.relaxed.left > ROUNDING) {
      // Hardly a place to find one that leaves nothing out; but only its bound is known for sure.
      ended = Math.min(ended, solved.bound);
      continue;
    }
    const bin = mostFractional(solved.counts);
    yield* refined(search, solved, bin === undefined ? STEPS_LAST : STEPS);
    if (bin === undefined || !incumbent.isWhole) yield* combined(search, solved);
    const bound = listed(search, solved, bin === undefined ? THOROUGH : QUICK);
    yield;
    if (bin === undefined) {
      if (incumbent.canBeat(bound)) ended = Math.min(ended, bound);
      continue;
    }
    const count = Math.floor(solved.counts[bin] as number);
    open.push(
      { least: node.least, most: node.most.with(bin, count), bound },
      { least: node.least.with(bin, count + 1), most: node.most, bound },
    );
  }
}

interface Solved {
  bound: number;
  /** By bin of the whole problem, as fractions. */
  counts: number[];
  own: OwnProblem;
  pricer: Pricer;
  relaxed: Relaxed;
}

/** The node's relaxation; undefined: nothing in it is cheaper than what there is. */
function* solvedAt(search: Search, node: Node): Generator<void, Solved | undefined> {
  const { incumbent, pool, solver, stop } = search;
  const own = problemAt(search.problem, node);
  const copies = new Map(own.original.flatMap((bin, at) => (at === bin ? [] : [[bin, at]])));
  const start = [...pool.values()].flatMap((pattern) => {
    const copy = copies.get(pattern.bin);
    return copy === undefined ? [pattern] : [pattern, { ...pattern, bin: copy }];
  });
  let isClosed = false;
  const columns = generateColumns(own.problem, {
    solver,
    start,
    tolerance: TOLERANCE,
    rounds: ROUNDS_NODE,
    stop: () => isClosed || stop(),
  });
  for (;;) {
    const { done, value } = columns.next();
    isClosed = !incumbent.canBeat(own.paid + value.bound);
    if (!done) {
      search.rounds--;
      yield;
      continue;
    }
    if (isClosed) return undefined;
    const counts = [...node.least];
    value.patterns.forEach((pattern, at) => {
      const bin = own.original[pattern.bin] as number;
      pool.set(keyOf({ ...pattern, bin }), { ...pattern, bin });
      if (pattern.bin === bin) counts[bin] = (counts[bin] as number) + (value.amounts[at] as number);
    });
    const bound = Math.max(node.bound, own.paid + value.bound);
    return { bound, counts, own, pricer: new Pricer(own.problem), relaxed: value };
  }
}

interface OwnProblem {
  problem: Problem;
  /** By bin of it the bin of the whole problem. */
  original: readonly number[];
  /** What is paid already. */
  paid: number;
}

/** Machines that are paid for are bins of their own, at no price. */
function problemAt(problem: Problem, { least, most }: Node): OwnProblem {
  const { bins, limits, shares } = problem;
  const bought = least.flatMap((count, bin) => (count > 0 ? [bin] : []));
  const original = [...bins.keys(), ...bought];
  const both = (some: readonly number[]) => original.flatMap((bin, at) => (some.includes(bin) ? [at] : []));
  return {
    problem: {
      ...problem,
      bins: [...bins, ...bought.map((bin) => ({ ...(bins[bin] as Problem['bins'][number]), price: 0 }))],
      limits: [
        ...limits.map((limit) => ({ ...limit, bins: both(limit.bins) })),
        ...bought.map((bin, at) => ({
          name: 'bought',
          bins: [bins.length + at],
          max: least[bin] as number,
        })),
        ...most.flatMap((max, bin) =>
          max === Number.POSITIVE_INFINITY ? [] : [{ name: 'at most', bins: both([bin]), max }],
        ),
      ],
      shares: shares.map((share) => ({ ...share, bins: both(share.bins) })),
    },
    original,
    paid: bought.reduce((sum, bin) => sum + (least[bin] as number) * (bins[bin]?.price ?? 0), 0),
  };
}

/** Whole machines near these fractions. */
function* refined(
  { incumbent, stop }: Search,
  { own: { problem, original }, pricer, relaxed }: Solved,
  steps: number,
): Generator<void, void> {
  const refiner = new Refiner(problem, pricer, relaxed);
  for (let step = 0; step < steps && !incumbent.isProven && !stop(); step++) {
    if (step === 0 || refiner.step())
      incumbent.takePacking(inWhole(refiner.best.packing, original), refiner.best.unplaced);
    if (step % STEPS === 0) yield;
  }
}

/** Whole machines of all the patterns so far. */
function* combined(search: Search, { bound }: Solved): Generator<void, void> {
  const { problem, incumbent, pool, solver } = search;
  if (search.programs === 0 || pool.size > PROGRAM_PATTERNS || !incumbent.canBeat(bound)) return;
  search.programs--;
  const { cutoff: cost, step } = incumbent;
  const patterns = [...pool.values()];
  const { packing } = cheapestOf(problem, patterns, { solver, cost, step, nodes: PROGRAM_NODES });
  if (packing) incumbent.takeTrimmed(packing);
  yield;
}

/** With all the patterns that may be in anything cheaper, where they are few: what nothing in this node costs less than. */
function listed(
  { incumbent, solver }: Search,
  { bound, own: { problem, original, paid }, pricer, relaxed: { proof } }: Solved,
  effort: Effort,
): number {
  if (!incumbent.canBeat(bound)) return bound;
  const { step } = incumbent;
  const cost = incumbent.cutoff - paid;
  const exact = lookForCheaper(problem, { solver, pricer, proof, cost, step, effort });
  if (exact.is === 'Cheaper') incumbent.takeTrimmed(inWhole(exact.packing, original));
  if (exact.is === 'Proven' || (exact.is === 'Cheaper' && exact.proven)) return incumbent.cutoff;
  return Math.max(bound, paid + exact.bound);
}

function inWhole(packing: Packing, original: readonly number[]): Packing {
  return together(
    packing.map(({ pattern, count }) => ({
      pattern: { ...pattern, bin: original[pattern.bin] as number },
      count,
    })),
  );
}

/** The bin whose number is farthest from a whole one; undefined: all are whole. */
function mostFractional(counts: readonly number[]): number | undefined {
  let best: number | undefined;
  let far = ROUNDING;
  counts.forEach((count, bin) => {
    const distance = Math.abs(count - Math.round(count));
    if (distance > far) [best, far] = [bin, distance];
  });
  return best;
}
