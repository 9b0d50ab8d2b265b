// The linear relaxation of a knapsack with several constraints: max v·x, need·x ≤ room, 0 ≤ x ≤ most.
// Only its multipliers are used: what one unit of each resource is worth. Any that are not negative give a valid bound
// (weak duality), so a pivot that goes wrong costs time and never truth.

const PIVOTS_MAX = 400;
const TINY = 1e-9;

export interface Relaxation {
  values: Float64Array;
  /** Item after item, `resources` numbers each. */
  needs: Float64Array;
  most: Float64Array;
  room: Float64Array;
}

export interface Relaxed {
  /** By resource: what a unit of it is worth. */
  worth: Float64Array;
  /** By item: how many are in the bin. */
  amounts: Float64Array;
}

/**
 * What a unit of each resource is worth at the optimum: none is negative. By the simplex method with bounded
 * variables (Dantzig 1955) over a dense inverse: there are few rows.
 */
export function relax({ values, needs, most, room }: Relaxation): Relaxed {
  const rows = room.length;
  const items = values.length;
  // Basis of slacks: slack r is variable items + r.
  const basis = Int32Array.from({ length: rows }, (_, row) => items + row);
  const inverse = new Float64Array(rows * rows);
  for (let row = 0; row < rows; row++) inverse[row * rows + row] = 1;
  const basic = Float64Array.from(room);
  const atMost = new Uint8Array(items);
  const isBasic = new Uint8Array(items + rows);
  for (let row = 0; row < rows; row++) isBasic[items + row] = 1;
  const worth = new Float64Array(rows);
  const column = new Float64Array(rows);

  for (let pivot = 0; pivot < PIVOTS_MAX; pivot++) {
    worth.fill(0);
    for (let row = 0; row < rows; row++) {
      const variable = basis[row] as number;
      const value = variable < items ? (values[variable] as number) : 0;
      if (value === 0) continue;
      for (let r = 0; r < rows; r++)
        worth[r] = (worth[r] as number) + value * (inverse[row * rows + r] as number);
    }
    let entering = -1;
    let gainMost = TINY;
    for (let item = 0; item < items; item++) {
      if (isBasic[item]) continue;
      let reduced = values[item] as number;
      const scale = Math.abs(reduced) + 1;
      for (let r = 0; r < rows; r++) reduced -= (worth[r] as number) * (needs[item * rows + r] as number);
      const gain = (atMost[item] ? -reduced : reduced) / scale;
      if (gain > gainMost) {
        gainMost = gain;
        entering = item;
      }
    }
    for (let r = 0; r < rows; r++) {
      if (isBasic[items + r]) continue;
      const gain = -(worth[r] as number);
      if (gain > gainMost) {
        gainMost = gain;
        entering = items + r;
      }
    }
    if (entering < 0) break;

    const falls = entering < items && atMost[entering] === 1;
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      if (entering < items) {
        for (let r = 0; r < rows; r++)
          sum += (inverse[row * rows + r] as number) * (needs[entering * rows + r] as number);
      } else sum = inverse[row * rows + (entering - items)] as number;
      column[row] = sum;
    }
    let step = entering < items ? (most[entering] as number) : Number.POSITIVE_INFINITY;
    let leaving = -1;
    let leavesAtMost = false;
    for (let row = 0; row < rows; row++) {
      const slope = (falls ? -1 : 1) * (column[row] as number);
      const variable = basis[row] as number;
      if (slope > TINY) {
        const room_ = Math.max(0, basic[row] as number) / slope;
        if (room_ < step) [step, leaving, leavesAtMost] = [room_, row, false];
      } else if (slope < -TINY && variable < items) {
        const room_ = Math.max(0, (most[variable] as number) - (basic[row] as number)) / -slope;
        if (room_ < step) [step, leaving, leavesAtMost] = [room_, row, true];
      }
    }
    if (step === Number.POSITIVE_INFINITY) break;
    for (let row = 0; row < rows; row++)
      basic[row] = (basic[row] as number) - (falls ? -step : step) * (column[row] as number);
    if (leaving < 0) {
      atMost[entering] = falls ? 0 : 1;
      continue;
    }
    const left = basis[leaving] as number;
    isBasic[left] = 0;
    if (left < items) atMost[left] = leavesAtMost ? 1 : 0;
    isBasic[entering] = 1;
    basis[leaving] = entering;
    basic[leaving] = falls ? (most[entering] as number) - step : step;
    if (entering < items) atMost[entering] = 0;
    const divisor = column[leaving] as number;
    for (let r = 0; r < rows; r++)
      inverse[leaving * rows + r] = (inverse[leaving * rows + r] as number) / divisor;
    for (let row = 0; row < rows; row++) {
      const factor = column[row] as number;
      if (row === leaving || factor === 0) continue;
      for (let r = 0; r < rows; r++)
        inverse[row * rows + r] =
          (inverse[row * rows + r] as number) - factor * (inverse[leaving * rows + r] as number);
    }
  }
  const amounts = Float64Array.from(most, (count, item) => (atMost[item] ? count : 0));
  basis.forEach((variable, row) => {
    if (variable < items) amounts[variable] = Math.max(0, basic[row] as number);
  });
  return { worth: worth.map((each) => Math.max(0, each)), amounts };
}
