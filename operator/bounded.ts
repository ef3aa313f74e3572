/**
 * Works on each as it comes, `limit` of them at once, and asks for no more than it works on. Resolves when all are done; after
 * the first failure or an abort nothing is begun any more, what runs is waited for, and the first failure is what it rejects with.
 */
export async function forEachBounded<T>(
  items: AsyncIterable<T> | Iterable<T>,
  { limit, signal }: { limit: number; signal?: AbortSignal | undefined },
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  try {
    for await (const item of items) {
      // What failed while the item was being asked for.
      if (failures.length > 0) break;
      signal?.throwIfAborted();
      const one: Promise<void> = work(item)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(one));
      running.add(one);
      if (running.size >= limit) await Promise.race(running);
      if (failures.length > 0) break;
    }
  } catch (error) {
    failures.push(error);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}
