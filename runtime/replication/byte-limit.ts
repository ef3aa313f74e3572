/** Limits work by its bytes: many small objects at once, or few large ones. */

/** Runs the work at once if its bytes fit beside those of the running work, else when they do. Work that is larger than the limit runs alone. */
export type ByteLimit = <T>(bytes: number, work: () => Promise<T>) => Promise<T>;

/** Waiting work begins in its order. */
export function createByteLimit(limitBytes: number): ByteLimit {
  let runningBytes = 0;
  const waiting: { bytes: number; begin: () => void }[] = [];
  const beginNext = () => {
    for (
      let [next] = waiting;
      next !== undefined && (runningBytes === 0 || runningBytes + next.bytes <= limitBytes);
      [next] = waiting
    ) {
      waiting.shift();
      runningBytes += next.bytes;
      next.begin();
    }
  };
  return async (bytes, work) => {
    await new Promise<void>((begin) => {
      waiting.push({ bytes, begin });
      beginNext();
    });
    try {
      return await work();
    } finally {
      runningBytes -= bytes;
      beginNext();
    }
  };
}
