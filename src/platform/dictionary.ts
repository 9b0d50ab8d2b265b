/**
 * The distinct values of one column, each with a code from 0 in the order of their first row. Values are
 * looked up as bytes, so that of a million rows only the distinct values are ever made into strings.
 */
export class Dictionary {
  #size = 0;
  #bytes = new Uint8Array(1024);
  #ends = new Uint32Array(16);
  #hashes = new Int32Array(16);
  #slots = new Int32Array(32).fill(-1);
  #last = -1;

  /** The code of the value that stands in `bytes` from `start` up to `end`. */
  codeOf(bytes: Uint8Array, start: number, end: number): number {
    // Files are mostly sorted by something: many rows repeat the one before.
    if (this.#last >= 0 && this.#equals(this.#last, bytes, start, end)) return this.#last;
    let hash = 0x811c9dc5;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const code = this.#slots[slot] as number;
      if (code < 0) break;
      if (this.#hashes[code] === hash && this.#equals(code, bytes, start, end)) {
        this.#last = code;
        return code;
      }
      slot = (slot + 1) & mask;
    }
    this.#last = this.#add(bytes, start, end, hash, slot);
    return this.#last;
  }

  /** The values by code, as text. */
  values(): string[] {
    const bytes = Buffer.from(this.#bytes.buffer);
    return Array.from({ length: this.#size }, (_, code) =>
      bytes.toString('utf8', code === 0 ? 0 : this.#ends[code - 1], this.#ends[code]),
    );
  }

  #equals(code: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = code === 0 ? 0 : (this.#ends[code - 1] as number);
    const length = end - start;
    if ((this.#ends[code] as number) - from !== length) return false;
    for (let at = 0; at < length; at++) if (this.#bytes[from + at] !== bytes[start + at]) return false;
    return true;
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const code = this.#size++;
    const from = code === 0 ? 0 : (this.#ends[code - 1] as number);
    const to = from + end - start;
    this.#bytes = grown(this.#bytes, to);
    this.#ends = grown(this.#ends, code + 1);
    this.#hashes = grown(this.#hashes, code + 1);
    for (let at = start; at < end; at++) this.#bytes[from + at - start] = bytes[at] as number;
    this.#ends[code] = to;
    this.#hashes[code] = hash;
    this.#slots[slot] = code;
    if (this.#size * 2 > this.#slots.length) this.#rehash();
    return code;
  }

  #rehash(): void {
    const mask = this.#slots.length * 2 - 1;
    this.#slots = new Int32Array(mask + 1).fill(-1);
    for (let code = 0; code < this.#size; code++) {
      let slot = (this.#hashes[code] as number) & mask;
      while ((this.#slots[slot] as number) >= 0) slot = (slot + 1) & mask;
      this.#slots[slot] = code;
    }
  }
}

/** The array itself, or a copy of at least twice its length that has room for `length`. */
export function grown<T extends Uint8Array | Uint32Array | Int32Array>(array: T, length: number): T {
  if (length <= array.length) return array;
  const copy = new (array.constructor as new (length: number) => T)(Math.max(length, array.length * 2));
  copy.set(array);
  return copy;
}
