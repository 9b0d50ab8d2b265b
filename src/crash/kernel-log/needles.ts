// All the needles of all rules are looked for in one pass over the bytes (Aho and Corasick 1975), so that a
// log costs the same whatever the number of rules, and most lines are never made into strings.

export interface Needles {
  /** State × byte class → state. */
  next: Int32Array;
  classOf: Uint8Array;
  classes: number;
  /** Of each state, whether needles end there. */
  ends: Uint8Array;
  /** The numbers of the needles that end in a state. */
  found: ReadonlyMap<number, readonly number[]>;
}

/** @param words distinct, not empty, of Latin-1 letters */
export function needlesOf(words: readonly string[]): Needles {
  const classOf = new Uint8Array(256);
  let classes = 1; // 0: a byte that stands in no needle
  for (const word of words) {
    for (let at = 0; at < word.length; at++) {
      const byte = word.charCodeAt(at) & 255;
      if (classOf[byte] === 0) classOf[byte] = classes++;
    }
  }
  const most = words.reduce((sum, word) => sum + word.length, 1);
  const next = new Int32Array(most * classes).fill(-1);
  const own: number[][] = [[]];
  for (const [number, word] of words.entries()) {
    let state = 0;
    for (let at = 0; at < word.length; at++) {
      const slot = state * classes + (classOf[word.charCodeAt(at) & 255] as number);
      if (next[slot] === -1) next[slot] = own.push([]) - 1;
      state = next[slot] as number;
    }
    (own[state] as number[]).push(number);
  }
  // Breadth first: a state that knows no way on goes where its longest suffix goes.
  const suffix = new Int32Array(own.length);
  const queue: number[] = [];
  for (let byte = 0; byte < classes; byte++) {
    if (next[byte] === -1) next[byte] = 0;
    else queue.push(next[byte] as number);
  }
  for (const state of queue) {
    const back = suffix[state] as number;
    (own[state] as number[]).push(...(own[back] as number[]));
    for (let byte = 0; byte < classes; byte++) {
      const slot = state * classes + byte;
      const onward = next[back * classes + byte] as number;
      if (next[slot] === -1) next[slot] = onward;
      else {
        suffix[next[slot] as number] = onward;
        queue.push(next[slot] as number);
      }
    }
  }
  const ends = new Uint8Array(own.length);
  const found = new Map<number, readonly number[]>();
  for (const [state, numbers] of own.entries()) {
    if (numbers.length === 0) continue;
    ends[state] = 1;
    found.set(state, numbers);
  }
  return { next: next.slice(0, own.length * classes), classOf, classes, ends, found };
}
