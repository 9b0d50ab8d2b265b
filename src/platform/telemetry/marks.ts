/** Objects that are remembered; older ones have long been deleted from the API. */
const OBJECTS_MAX = 20_000;

/** What has been counted of which object, so that nothing is counted twice when an object is seen again. */
export class Marks {
  readonly #marks = new Map<string, Set<string>>();

  /** True the first time only. */
  isNew(uid: string, mark: string): boolean {
    const known = this.#marks.get(uid) ?? new Set();
    if (known.has(mark)) return false;
    known.add(mark);
    // Put at the end, so that those which change stay.
    this.#marks.delete(uid);
    this.#marks.set(uid, known);
    for (const oldest of this.#marks.keys()) {
      if (this.#marks.size <= OBJECTS_MAX) break;
      this.#marks.delete(oldest);
    }
    return true;
  }
}
