import type { Attribute, Block, Codes, Cube, Measure } from './cube.ts';
import { dependencies, rankOf } from './dependencies.ts';
import { JOIN_LIMITS, type Joined, join, leavesOf, type Question } from './join.ts';
import { clustering, effective, type Leaves, leavesFrom, type Noise, noiseOf } from './noise.ts';
import { choose } from './score.ts';
import { type Found, type Settings, search } from './search.ts';

/** Earlier events that the fleet's rate is worth against a cell's own. */
const PRIOR = 2;
/** Of a bound that chance reaches some five times more seldom: in 1 of 250 fleets without a cause. */
const ALPHA = 0.02;
/** Noise of dense tables is estimated, and has tails that no estimate of its middle knows. */
const ALPHA_DENSE = 1e-5;
const ALPHA_HEAVY = 1e-10;
const HEAVY = 1.2;
const LEAST_EVENTS = 3;
/** Of a million events nobody looks for a cause of a few; what is left aside makes the rest quick. */
const LEAST_EXCESS_SHARE = 0.003;
const LEAST_SHARE_OF_MOST = 0.1;
export const COMBINED_MAX = 16;

export interface Prepared {
  readonly joined: Joined;
  /** What the search counts in. */
  readonly cube: Cube;
  /** The same rows as they were handed in, where the search counts effective events. */
  readonly raw: Cube;
  readonly noise: Noise | undefined;
  /** Where rows are few enough to be made leaves. */
  readonly leaves: Leaves | undefined;
  readonly settings: Settings;
  readonly rate: number;
}

export function prepare(question: Question): Prepared {
  const joined = join(question);
  const totals = new Map<Measure, number>(
    joined.blocks.map(({ measure, rows, counts }) => [
      measure,
      counts ? counts.reduce((sum, each) => sum + each, 0) : rows,
    ]),
  );
  const hasBefore = question.beforeEvents !== undefined;
  const exposure = totals.get('expected') ?? 0;
  const earlier = totals.get('beforeEvents') ?? 0;
  const rate = hasBefore
    ? Math.max(earlier, 0.5) / Math.max(totals.get('beforeExpected') ?? 0, 1e-300)
    : (totals.get('events') ?? 0) / Math.max(exposure, 1e-300);
  const rows = joined.blocks.reduce((sum, block) => sum + block.rows, 0);
  const blocks = (rows <= JOIN_LIMITS.leaf_rows ? [leavesOf(joined)] : joined.blocks.map(plainBlock)).map(
    (block) => scaled(block, rate),
  );
  const prior = hasBefore ? PRIOR : undefined;
  const population = joined.blocks[1] as Joined['blocks'][number];
  const implied = dependencies(
    population.codes,
    joined.attributes.map(({ values }) => values.length),
    population.counts,
  );
  const role = roles(joined.attributes, implied);
  const raw: Cube = {
    attributes: joined.attributes,
    blocks,
    leaves: blocks[0] && blocks.length === 1 ? blocks[0].rows : population.rows,
    cuboids: [1, 2, 3, 4].map(
      (depth) => choose(role.joined.length, depth) + (depth === 1 ? role.alone.length : 0),
    ),
    prior,
    implied,
  };
  const leaves: Leaves | undefined =
    blocks.length === 1 ? leavesFrom(blocks[0] as Block, hasBefore) : undefined;
  const events = totals.get('events') ?? 0;
  const isAbsolute = hasBefore && events >= 0.5 * exposure * rate;
  const noise = leaves ? noiseOf(leaves, isAbsolute) : { dispersion: 1 };
  const leastExcess =
    rows <= JOIN_LIMITS.leaf_rows ? 0.5 : Math.max(LEAST_EVENTS, events * LEAST_EXCESS_SHARE);
  return measuredBy(
    noise,
    {
      joined,
      raw,
      leaves,
      rate,
      settings: {
        ...role,
        dispersion: clusteringOf(joined),
        isDense: false,
        isAbsolute,
        alpha: ALPHA,
        leastShare: 0,
        leastRatio: 1.2,
        leastEvents: LEAST_EVENTS,
        leastExcess,
        leastShareOfMost: rows <= JOIN_LIMITS.leaf_rows ? 0 : LEAST_SHARE_OF_MOST,
      },
    },
    true,
  );
}

/** How events cluster on machines, where a column names machines. */
function clusteringOf({ attributes, blocks }: Joined): number {
  const [events, population] = blocks;
  const name = attributes.findIndex(({ isIdentifier }) => isIdentifier);
  if (name < 0 || !events || !population) return 1;
  const counts = Array<number>(attributes[name]?.values.length ?? 0).fill(0);
  const codes = events.codes[name] as Codes;
  for (let row = 0; row < events.rows; row++)
    counts[codes[row] as number] = (counts[codes[row] as number] as number) + (events.counts?.[row] ?? 1);
  return clustering(counts, population.rows);
}

/** What is counted, and how strictly it is judged, by the noise of the leaves. */
function measuredBy(
  noise: ReturnType<typeof noiseOf>,
  prepared: Omit<Prepared, 'cube' | 'noise'>,
  isFirst: boolean,
): Prepared {
  const { raw, leaves, settings } = prepared;
  if (!('dense' in noise) || !leaves)
    return {
      ...prepared,
      cube: raw,
      noise: undefined,
      settings: {
        ...settings,
        dispersion: Math.max(settings.dispersion, 'dense' in noise ? 1 : noise.dispersion),
      },
    };
  const { dense } = noise;
  const isHeavy = dense.heavy > HEAVY;
  return {
    ...prepared,
    noise: dense,
    cube: { ...raw, blocks: [effective(raw.blocks[0] as Block, leaves, dense)], prior: undefined },
    settings: {
      ...settings,
      dispersion: 1,
      isDense: true,
      alpha: isHeavy && !isFirst ? ALPHA_HEAVY : ALPHA_DENSE,
      leastShare: 0.0001 + 0.02 * Math.max(0, dense.heavy - HEAVY),
      leastRatio: 1.08,
      leastEvents: 1e-9,
      leastExcess: 0.5,
    },
  };
}

/** Searches; dense tables twice, the second time with their noise measured outside of what was found. */
export function find(prepared: Prepared): { prepared: Prepared; found: Found } {
  const found = search(prepared.cube, prepared.settings);
  const { noise, leaves, raw, settings } = prepared;
  if (!noise || !leaves || found.causes.length === 0) return { prepared, found };
  const isExplained = new Uint8Array(raw.blocks[0]?.rows ?? 0);
  for (const { cell } of found.causes)
    for (const row of found.whole.lists.of(cell)[0] ?? []) isExplained[row] = 1;
  const again = measuredBy(noiseOf(leaves, settings.isAbsolute, isExplained), prepared, false);
  return again.noise ? { prepared: again, found: search(again.cube, again.settings) } : { prepared, found };
}

function plainBlock({ measure, rows, codes, counts }: Joined['blocks'][number]): Block {
  return { rows, codes, weights: { [measure]: counts } };
}

/** Exposure as expected events. */
function scaled(block: Block, rate: number): Block {
  const weights: Partial<Record<Measure, Float64Array | undefined>> = { ...block.weights };
  for (const measure of ['expected', 'beforeExpected'] as const) {
    if (!(measure in weights)) continue;
    if (weights[measure]) weights[measure] = weights[measure].map((each) => each * rate);
    else return { ...block, unit: rate };
  }
  return { ...block, weights };
}

/** Which attributes are combined, which are looked at by themselves; of names for the same sets one is enough. */
function roles(
  attributes: readonly Attribute[],
  implied: readonly (readonly boolean[])[],
): { joined: number[]; alone: number[] } {
  const ranked = attributes
    .map((_, at) => at)
    .sort((a, b) => rankOf(attributes[a]?.name ?? '') - rankOf(attributes[b]?.name ?? '') || a - b);
  const kept: number[] = [];
  const alone: number[] = [];
  for (const at of ranked) {
    if (attributes[at]?.isIdentifier) alone.push(at);
    else if (!kept.some((one) => implied[at]?.[one] && implied[one]?.[at])) kept.push(at);
  }
  // Attributes with many values first: they leave fewest rows to go down with.
  const joined = kept
    .slice(0, COMBINED_MAX)
    .sort((a, b) => (attributes[b]?.values.length ?? 0) - (attributes[a]?.values.length ?? 0) || a - b);
  alone.push(...kept.slice(COMBINED_MAX));
  return { joined, alone };
}
