import type { Attribute, Block, Cube, Measure } from './cube.ts';
import { dependencies, rankOf } from './dependencies.ts';
import { JOIN_LIMITS, type Joined, join, leavesOf, type Question } from './join.ts';
import { effective, type Leaves, leavesFrom, type Noise, noiseOf } from './noise.ts';
import { type Found, type Settings, search } from './search.ts';

/** Earlier events that the fleet's rate is worth against a cell's own. */
const PRIOR = 2;
const ALPHA = 0.01;
/** Noise of dense tables is estimated, and has tails that no estimate of its middle knows. */
const ALPHA_DENSE = 1e-5;
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
  const raw: Cube = {
    attributes: joined.attributes,
    blocks,
    leaves: blocks[0] && blocks.length === 1 ? blocks[0].rows : population.rows,
    prior,
    implied,
  };
  const leaves: Leaves | undefined =
    blocks.length === 1 ? leavesFrom(blocks[0] as Block, hasBefore) : undefined;
  const events = totals.get('events') ?? 0;
  const expected = exposure * rate;
  const isAbsolute = hasBefore && events >= 0.8 * expected;
  const noise = leaves ? noiseOf(leaves, isAbsolute) : { dispersion: 1 };
  const { joinedAttributes, alone } = roles(joined.attributes, implied);
  const isDense = 'dense' in noise;
  const settings: Settings = {
    joined: joinedAttributes,
    alone,
    dispersion: isDense ? 1 : noise.dispersion,
    isDense,
    isAbsolute,
    alpha: isDense ? ALPHA_DENSE : ALPHA,
    leastShare: isDense ? 0.002 : 0,
    leastRatio: isDense ? 1.08 : 1.2,
    leastEvents: isDense ? 1e-9 : 3,
    leastExcess: isDense || rows <= JOIN_LIMITS.leaf_rows ? 0.5 : Math.max(3, events * 0.003),
  };
  const cube: Cube =
    isDense && leaves
      ? { ...raw, blocks: [effective(blocks[0] as Block, leaves, noise.dense)], prior: undefined }
      : raw;
  return { joined, cube, raw, leaves, noise: isDense ? noise.dense : undefined, settings, rate };
}

export function find(prepared: Prepared): Found {
  return search(prepared.cube, prepared.settings);
}

function plainBlock({ measure, rows, codes, counts }: Joined['blocks'][number]): Block {
  return { rows, codes, weights: { [measure]: counts } };
}

/** Exposure as expected events. */
function scaled(block: Block, rate: number): Block {
  const weights: Partial<Record<Measure, Float64Array | undefined>> = { ...block.weights };
  for (const measure of ['expected', 'beforeExpected'] as const) {
    if (!(measure in weights)) continue;
    weights[measure] =
      weights[measure]?.map((each) => each * rate) ?? new Float64Array(block.rows).fill(rate);
  }
  return { ...block, weights };
}

/** Which attributes are combined, which are looked at by themselves; of names for the same sets one is enough. */
function roles(
  attributes: readonly Attribute[],
  implied: readonly (readonly boolean[])[],
): { joinedAttributes: number[]; alone: number[] } {
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
  const joinedAttributes = kept
    .slice(0, COMBINED_MAX)
    .sort((a, b) => (attributes[b]?.values.length ?? 0) - (attributes[a]?.values.length ?? 0) || a - b);
  alone.push(...kept.slice(COMBINED_MAX));
  return { joinedAttributes, alone };
}
