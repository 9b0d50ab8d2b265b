// Families of signatures with similar stacks. A new signature joins the family that it is most like, or founds
// one; nobody is moved afterwards: what a person has seen under a name stays there until a person moves it.
import { type Commonness, FRAMES_MAX, similarityOf, weightsOf } from './similarity.ts';

/** A signature's name and traits; frames are normalised, the guilty one first. */
export interface Signature {
  id: string;
  class: string;
  title: string;
  frames: readonly string[];
}

export interface Family {
  /** `family-` and the id of its founder. */
  id: string;
  class: string;
  /** The founder's title. */
  title: string;
  /** Ids of signatures, the founder first. */
  members: string[];
}

export interface Joined {
  family: string;
  /** Mean similarity to the members; 1 for a founder. */
  similarity: number;
  founded: boolean;
}

/** Average linkage: the mean similarity to a family's members must reach this … */
export const JOIN_FROM = 0.62;
/** … and to no member may it be less than this, so that families do not chain. */
export const JOIN_LEAST = 0.45;
/** Families are found by these first frames of their members: two stacks that share none are not alike. */
const TOP = 4;
/** Of large families so many members are compared, evenly taken; of many candidates those that share the rarest frames. */
const COMPARED_MEMBERS = 12;
const COMPARED_FAMILIES = 64;
/** Before so many stacks are known rarity would be a guess. */
const COMMONNESS_FROM = 50;

interface Kept {
  place: number;
  family: Family;
  /** Frames of the members that have any. */
  stacks: Uint32Array[];
}

export class FamilyBook {
  readonly #families: Kept[] = [];
  readonly #byId = new Map<string, Kept>();
  readonly #bySignature = new Map<string, Joined>();
  readonly #numbers = new Map<string, number>();
  /** In how many stacks a frame stands. */
  readonly #seen: number[] = [];
  #stacks = 0;
  /** class and top frame → places in `#families`. */
  readonly #index = new Map<string, number[]>();
  /** class and title of those without frames. */
  readonly #byTitle = new Map<string, Kept>();

  get families(): readonly Readonly<Family>[] {
    return this.#families.map(({ family }) => family);
  }

  /**
   * Gives the signature a family. Adding it again changes nothing. `family` restores what was decided earlier
   * (from records) without comparing.
   */
  add(signature: Signature, family?: string): Joined {
    const known = this.#bySignature.get(signature.id);
    if (known) return known;
    const frames = this.#numbersOf(signature.frames);
    const joined = this.#place(signature, frames, family);
    this.#bySignature.set(signature.id, joined);
    for (const frame of new Set(frames)) this.#seen[frame] = (this.#seen[frame] ?? 0) + 1;
    if (frames.length > 0) this.#stacks++;
    return joined;
  }

  #place(signature: Signature, frames: Uint32Array, restored: string | undefined): Joined {
    if (restored !== undefined) {
      const kept = this.#byId.get(restored);
      return kept ? this.#join(kept, signature, frames, 1) : this.#found(signature, frames, restored);
    }
    if (frames.length === 0) {
      const kept = this.#byTitle.get(`${signature.class}\n${signature.title}`);
      return kept ? this.#join(kept, signature, frames, 1) : this.#found(signature, frames);
    }
    let best: { kept: Kept; mean: number } | undefined;
    const weights = weightsOf(frames, this.#commonness);
    for (const kept of this.#candidates(signature.class, frames)) {
      const mean = this.#linkage(kept, frames, weights, best?.mean ?? JOIN_FROM);
      // Of equals the older one, whatever the order of the index.
      if (mean !== undefined && (!best || mean > best.mean)) best = { kept, mean };
    }
    return best ? this.#join(best.kept, signature, frames, best.mean) : this.#found(signature, frames);
  }

  readonly #commonness: Commonness = (frame) =>
    this.#stacks < COMMONNESS_FROM ? 0 : (this.#seen[frame] ?? 0) / this.#stacks;

  /** Mean similarity, or undefined when it is under `least` or a member is too unlike. */
  #linkage(kept: Kept, frames: Uint32Array, weights: Float64Array, least: number): number | undefined {
    const { stacks } = kept;
    const count = Math.min(COMPARED_MEMBERS, stacks.length);
    let sum = 0;
    for (let at = 0; at < count; at++) {
      const stack = stacks[Math.floor((at * stacks.length) / count)] as Uint32Array;
      const similarity = similarityOf(frames, weights, stack, weightsOf(stack, this.#commonness));
      if (similarity < JOIN_LEAST) return undefined;
      sum += similarity;
      // Even if all others were equal to it.
      if ((sum + count - 1 - at) / count < least) return undefined;
    }
    return sum / count;
  }

  #candidates(kind: string, frames: Uint32Array): Kept[] {
    const found = new Set<number>();
    const lists = Array.from(frames.subarray(0, TOP), (frame) => this.#index.get(`${kind}\n${frame}`) ?? []);
    lists.sort((a, b) => a.length - b.length);
    for (const list of lists) {
      for (const at of list) {
        if (found.size >= COMPARED_FAMILIES) break;
        found.add(at);
      }
    }
    return [...found].sort((a, b) => a - b).map((at) => this.#families[at] as Kept);
  }

  #found(signature: Signature, frames: Uint32Array, id = `family-${signature.id}`): Joined {
    const { class: kind, title } = signature;
    const kept: Kept = {
      place: this.#families.length,
      family: { id, class: kind, title, members: [] },
      stacks: [],
    };
    this.#families.push(kept);
    this.#byId.set(id, kept);
    this.#byTitle.set(`${kind}\n${title}`, kept);
    this.#join(kept, signature, frames, 1);
    return { family: id, similarity: 1, founded: true };
  }

  #join(kept: Kept, signature: Signature, frames: Uint32Array, similarity: number): Joined {
    kept.family.members.push(signature.id);
    if (frames.length > 0) kept.stacks.push(frames);
    for (const frame of frames.subarray(0, TOP)) {
      const key = `${kept.family.class}\n${frame}`;
      const list = this.#index.get(key);
      if (!list) this.#index.set(key, [kept.place]);
      else if (!list.includes(kept.place)) list.push(kept.place);
    }
    return { family: kept.family.id, similarity, founded: false };
  }

  #numbersOf(frames: readonly string[]): Uint32Array {
    const numbers = new Uint32Array(Math.min(frames.length, FRAMES_MAX));
    for (let at = 0; at < numbers.length; at++) {
      const frame = frames[at] as string;
      let number = this.#numbers.get(frame);
      if (number === undefined) {
        number = this.#numbers.size;
        this.#numbers.set(frame, number);
      }
      numbers[at] = number;
    }
    return numbers;
  }
}
