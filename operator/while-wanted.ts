/** For work that takes no signal: an abort leaves it to itself, and it then ends with the process. */
export async function whileWanted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  const ended = new AbortController();
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        const abort = () => reject(signal.reason);
        if (signal.aborted) abort();
        else signal.addEventListener("abort", abort, { signal: ended.signal });
      }),
    ]);
  } finally {
    ended.abort();
  }
}
