/** Works on all of them, at most so many at once. After one that fails none is begun any more, and it throws that. */
export async function sideBySide<T>(
  all: Iterable<T>,
  most: number,
  work: (one: T) => Promise<unknown>,
): Promise<void> {
  const queue = all[Symbol.iterator]();
  let failed = false;
  const worker = async () => {
    for (let next = queue.next(); !next.done && !failed; next = queue.next()) {
      await work(next.value).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: most }, worker));
}
