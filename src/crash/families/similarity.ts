// How alike two stacks are, 0 to 1: an edit distance over frames in which the top weighs most and frames that
// stand in many stacks weigh little.
//
// After TraceSim (Vasiliev et al., MSR 2020): Levenshtein with a weight for each frame, its position's share times
// its rarity; the position's fall is ReBucket's idea (Dang et al., ICSE 2012). Distance over the most there could
// be, so that it is symmetric and 1 for equal stacks.

/** Frames below these weigh next to nothing, and stacks below the entry point are all alike. */
export const FRAMES_MAX = 24;
/** Weight of the frame at place i, from 0: (1 + i)^−0.8. The first three hold a third to a half of a long stack. */
const FALL = 0.8;
const POSITION = Float64Array.from({ length: FRAMES_MAX }, (_, at) => (1 + at) ** -FALL);
/** A frame in every stack still counts for this much: an order of common frames says something, too. */
const COMMON_LEAST = 0.15;

/** Share of known stacks in which a frame stands, 0 to 1: `1 / n` for one seen once in n. */
export type Commonness = (frame: number) => number;

/** Weights of a stack's frames. Frames are numbers: the same function has the same number. */
export function weightsOf(frames: ArrayLike<number>, commonness: Commonness): Float64Array {
  const weights = new Float64Array(Math.min(frames.length, FRAMES_MAX));
  for (let at = 0; at < weights.length; at++) {
    // A sigmoid as in TraceSim, of the share itself: 1 up to a few percent, half at a tenth, least from a half on.
    const share = commonness(frames[at] as number);
    const rarity = COMMON_LEAST + (1 - COMMON_LEAST) / (1 + (share / 0.1) ** 2);
    weights[at] = (POSITION[at] as number) * rarity;
  }
  return weights;
}

let above = new Float64Array(FRAMES_MAX + 1);
let row = new Float64Array(FRAMES_MAX + 1);

/** 1 − edit distance ÷ (weight of one + weight of the other). Two empty stacks tell nothing: 0. */
export function similarityOf(
  one: ArrayLike<number>,
  oneWeights: Float64Array,
  two: ArrayLike<number>,
  twoWeights: Float64Array,
): number {
  const rows = oneWeights.length;
  const columns = twoWeights.length;
  let total = 0;
  above[0] = 0;
  for (let at = 0; at < rows; at++) total += oneWeights[at] as number;
  for (let at = 0; at < columns; at++) {
    total += twoWeights[at] as number;
    above[at + 1] = (above[at] as number) + (twoWeights[at] as number);
  }
  if (rows === 0 || columns === 0) return 0;
  for (let r = 0; r < rows; r++) {
    const frame = one[r];
    const weight = oneWeights[r] as number;
    row[0] = (above[0] as number) + weight;
    for (let c = 0; c < columns; c++) {
      const other = twoWeights[c] as number;
      // The same frame at another place or of another weight costs the difference.
      const same = frame === two[c] ? Math.abs(weight - other) : weight + other;
      let cost = (above[c] as number) + same;
      const drop = (above[c + 1] as number) + weight;
      const insert = (row[c] as number) + other;
      if (drop < cost) cost = drop;
      if (insert < cost) cost = insert;
      row[c + 1] = cost;
    }
    [above, row] = [row, above];
  }
  return Math.max(0, 1 - (above[columns] as number) / total);
}
